# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Take messages and requests from a loop's own thread instead of the executor's.

A loop that runs at a fixed rate anyway gains twice: a busy executor delays nothing, and no wait
set is rebuilt for each message (a poll costs about a microsecond, a wake-up a hundred).
"""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile


class PolledGroup(CallbackGroup):
    """Keep its entities out of every executor."""

    def can_execute(self, entity: object) -> bool:
        """Refuse execution by an executor."""
        return False

    def beginning_execution(self, entity: object) -> bool:
        """Refuse execution by an executor."""
        return False

    def ending_execution(self, entity: object) -> None:
        """Do nothing: no execution ever begins."""


class PolledSubscription:
    """Hand out messages when asked. One thread polls; destroy only after it has ended."""

    def __init__(
        self, node: Node, message_type: type, topic: str, qos: QoSProfile | int,
    ) -> None:
        """Subscribe without a callback."""
        self._node = node
        self._subscription = node.create_subscription(
            message_type, topic, _never, qos, callback_group=PolledGroup())
        self._take = self._subscription.handle.take_message
        self._type = message_type

    @property
    def topic(self) -> str:
        """Return the topic's full name."""
        return self._subscription.topic_name

    def take(self) -> Any | None:
        """Return the oldest waiting message, or None."""
        taken = self._take(self._type, False)
        return None if taken is None else taken[0]

    def take_with_info(self) -> tuple[Any, Mapping[str, int]] | None:
        """Return the oldest waiting message and what the middleware says of it, or None."""
        return self._take(self._type, False)

    def destroy(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)


class PolledService:
    """Answer requests when asked. One thread polls; destroy only after it has ended."""

    def __init__(
        self, node: Node, service_type: type, name: str, answer: Callable[[Any, Any], Any],
    ) -> None:
        """Offer the service; `answer(request, response)` fills in and returns the response."""
        self._node = node
        self._service = node.create_service(
            service_type, name, answer, callback_group=PolledGroup())
        self._request = service_type.Request
        self._response = service_type.Response
        self._answer = answer

    def poll(self) -> bool:
        """Answer one waiting request; tell whether there was one."""
        request, header = self._service.handle.service_take_request(self._request)
        if request is None:
            return False
        response = self._answer(request, self._response())
        self._service.send_response(response, header)
        return True

    def destroy(self) -> None:
        """Withdraw the service."""
        self._node.destroy_service(self._service)


def _never(_message: object) -> None:
    """Stand in for a callback that no executor calls."""
