# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Call services of other nodes and wait for the answers."""
from __future__ import annotations

from collections.abc import Mapping

from rclpy.node import Node
from rclpy.task import Future

from ros2cli_lite.common import CommandError
from ros2cli_lite.graph import spin
from ros2cli_lite.graph import wait_until

ANSWER_S = 5.0


def call(node: Node, service: str, kind: type, request: object,
         limit_s: float = ANSWER_S) -> object:
    """Call one service and return its response."""
    response = call_all(node, kind, {service: request}, limit_s)[service]
    if response is None:
        raise CommandError(f"Service '{service}' did not answer within {limit_s:g} s: its node "
                           'may be busy or gone')
    return response


def call_all(node: Node, kind: type, requests: Mapping[str, object],
             limit_s: float = ANSWER_S) -> dict[str, object | None]:
    """Call services side by side; None stands for those that did not answer."""
    clients = {service: node.create_client(kind, service) for service in requests}
    wait_until(lambda: all(client.service_is_ready() for client in clients.values()))
    futures: dict[str, Future] = {
        service: client.call_async(requests[service])
        for service, client in clients.items() if client.service_is_ready()}
    spin(node, lambda: all(future.done() for future in futures.values()), limit_s)
    return {service: futures[service].result()
            if service in futures and futures[service].done() else None for service in requests}
