# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 topic echo`: print the messages of a topic."""
from __future__ import annotations

import argparse
from collections.abc import Callable

from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from ros2cli_lite.common import Command
from ros2cli_lite.common import CommandError
from ros2cli_lite.graph import absolute
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import find_topic
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import spin
from ros2cli_lite.graph import wait_until
from ros2cli_lite.interfaces import load_type
from ros2cli_lite.message_text import TextStyle
from ros2cli_lite.message_text import to_csv
from ros2cli_lite.message_text import to_yaml
from ros2cli_lite.qos import add_qos_arguments
from ros2cli_lite.qos import subscription_qos

# Discovery may tell of a topic by its subscribers first, of its publishers later.
PUBLISHER_S = 0.5
FOLLOW_S = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_node_arguments(parser)
    add_qos_arguments(parser)
    parser.add_argument('topic_name', help="name of the topic, e.g. '/follower/joint_states'")
    parser.add_argument('message_type', nargs='?',
                        help='type of the messages, asked of the graph by default')
    parser.add_argument('--once', action='store_true', help='stop after the first message')
    parser.add_argument('--timeout', type=float, metavar='SECONDS', help='stop after so long')
    parser.add_argument('--field', help="only one field, e.g. 'header.stamp'")
    parser.add_argument('--csv', action='store_true', help='all values in one line')
    parser.add_argument('--no-arr', action='store_true', help='only the length of arrays')
    parser.add_argument('--no-str', action='store_true', help='only the length of text')
    parser.add_argument('--flow-style', action='store_true', help='arrays in one line')
    parser.add_argument('-f', '--full-length', action='store_true',
                        help='show long arrays and text whole')
    parser.add_argument('-l', '--truncate-length', type=int, default=128, metavar='N',
                        help='how much to show of arrays and text (default: 128)')


def run(args: argparse.Namespace) -> None:
    """Print messages as they come."""
    with open_node(args) as node:
        name, kind = topic_and_type(node, args.topic_name, args.message_type)
        path = args.field.split('.') if args.field else []
        field_of(kind(), path, args.field)
        show = _printer(args, path)
        count = 0

        def receive(message: object) -> None:
            nonlocal count
            if not (args.once and count):
                show(message)
            count += 1

        Follower(node, name, kind, receive, args)
        spin(node, lambda: args.once and count > 0, args.timeout)


def topic_and_type(node: Node, name: str, type_name: str | None) -> tuple[str, type]:
    """Find a topic and load its message type."""
    if type_name is None:
        name, types = find_topic(node, name)
        if len(types) > 1:
            raise CommandError(f"Topic '{name}' has several types: name one of {', '.join(types)}")
        type_name = types[0]
    return absolute(name), load_type(type_name, 'msg')


class Follower:
    """
    A subscription whose quality of service fits the publishers there are, while it is spun.

    Latched messages are asked for only until the first message, or one would come twice.
    """

    def __init__(self, node: Node, name: str, kind: type, callback: Callable[[object], None],
                 args: argparse.Namespace | None = None, raw: bool = False) -> None:
        """Subscribe even without a publisher: one may wait for somebody who listens."""
        self._node, self._kind, self._name, self._raw = node, kind, name, raw
        self._callback, self._args = callback, args
        self._has_come = False
        wait_until(lambda: node.count_publishers(name), PUBLISHER_S)
        self._qos = self._fitting()
        self._subscription = self._subscribe()
        node.create_timer(FOLLOW_S, self._follow, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _fitting(self) -> QoSProfile:
        return subscription_qos(
            self._args, self._node.get_publishers_info_by_topic(self._name))

    def _subscribe(self) -> Subscription:
        return self._node.create_subscription(
            self._kind, self._name, self._receive, self._qos, raw=self._raw)

    def _receive(self, message: object) -> None:
        self._has_come = True
        self._callback(message)

    def _follow(self) -> None:
        if not self._node.count_publishers(self._name):
            return
        qos = self._fitting()
        if qos != self._qos and self._has_come:
            qos.durability = DurabilityPolicy.VOLATILE
        if qos == self._qos:
            return
        self._qos = qos
        self._node.destroy_subscription(self._subscription)
        self._subscription = self._subscribe()


def field_of(message: object, path: list[str], field: str | None) -> object:
    """Follow a path of field names into a message."""
    value = message
    for part in path:
        fields = getattr(value, 'get_fields_and_field_types', dict)()
        if part not in fields:
            raise CommandError(
                f"Invalid field '{field}': {type(value).__name__} has no field '{part}'"
                + (f'; it has: {", ".join(fields)}' if fields else ''))
        value = getattr(value, part)
    return value


def _printer(args: argparse.Namespace, path: list[str]) -> Callable[[object], None]:
    style = TextStyle(truncate=None if args.full_length else args.truncate_length,
                      arrays=not args.no_arr, strings=not args.no_str, flow=args.flow_style)

    def show(message: object) -> None:
        value = field_of(message, path, args.field)
        if args.csv:
            print(to_csv(value, style))
        elif hasattr(value, 'SLOT_TYPES'):
            print(to_yaml(value, style) + '---')
        else:
            print(f'{value}\n---')

    return show


COMMAND = Command('Print the messages of a topic', add_arguments, run)
