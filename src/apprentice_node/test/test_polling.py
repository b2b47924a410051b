# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Messages and requests are taken by the thread that polls, never by an executor."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import time

from apprentice_node.polling import PolledService
from apprentice_node.polling import PolledSubscription
from domain_coordinator import domain_id
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def node() -> Iterator[Node]:
    """Give a plain node on a domain of its own."""
    with domain_id() as domain:
        rclpy.init(domain_id=domain)
        node = Node('polling')
        yield node
        node.destroy_node()
        rclpy.shutdown()


def until(function: Callable[[], object]) -> object:
    """Poll until there is something."""
    end = time.monotonic() + 5.0
    while time.monotonic() < end:
        result = function()
        if result:
            return result
    raise AssertionError('nothing came')


def test_message_waits_for_the_poll(node: Node) -> None:
    """A spinning executor leaves the message alone; a poll takes it once."""
    subscription = PolledSubscription(node, Bool, 'stop', 1)
    publisher = node.create_publisher(Bool, 'stop', 1)
    until(publisher.get_subscription_count)
    publisher.publish(Bool(data=True))
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    for _ in range(5):
        executor.spin_once(0.05)
    assert until(subscription.take).data is True
    assert subscription.take() is None
    executor.shutdown()


def test_request_is_answered_by_the_poll(node: Node) -> None:
    """A client gets the answer that the polling thread gave."""
    def answer(_request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = True, 'done'
        return response
    service = PolledService(node, Trigger, 'stop', answer)
    assert not service.poll()
    client = node.create_client(Trigger, 'stop')
    assert client.wait_for_service(5.0)
    future = client.call_async(Trigger.Request())
    until(service.poll)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    executor.spin_until_future_complete(future, 5.0)
    assert future.result().message == 'done'
    executor.shutdown()
