# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 topic pub`: publish messages written in YAML."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
import itertools
import time

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher

from ros2cli_lite.common import Command
from ros2cli_lite.common import CommandError
from ros2cli_lite.graph import absolute
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import settle
from ros2cli_lite.graph import spin
from ros2cli_lite.interfaces import fill
from ros2cli_lite.interfaces import load_type
from ros2cli_lite.interfaces import parse_values
from ros2cli_lite.interfaces import refresh
from ros2cli_lite.qos import add_qos_arguments
from ros2cli_lite.qos import publisher_qos


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_node_arguments(parser)
    add_qos_arguments(parser)
    parser.add_argument('topic_name', help="name of the topic, e.g. '/estop'")
    parser.add_argument('message_type', help="type of the message, e.g. 'std_msgs/msg/Bool'")
    parser.add_argument('values', nargs='?', help="fields in YAML, e.g. '{data: true}'; a stamp "
                        "may be 'now', a header 'auto'")
    parser.add_argument('--stdin', action='store_true', help='read the fields from stdin')
    parser.add_argument('-r', '--rate', type=float, default=1.0, metavar='HZ',
                        help='messages a second (default: 1)')
    parser.add_argument('-p', '--print', type=int, default=1, metavar='N', dest='print_every',
                        help='print every N-th message (default: 1)')
    number = parser.add_mutually_exclusive_group()
    number.add_argument('-1', '--once', action='store_true', help='publish once')
    number.add_argument('-t', '--times', type=int, metavar='N', help='publish so many times')
    parser.add_argument('-w', '--wait-matching-subscriptions', type=int, metavar='N',
                        help='wait for N subscriptions first (default: 1 with --once and --times, '
                        'else 0)')
    parser.add_argument('--max-wait-time-secs', type=float, metavar='SECONDS',
                        help='give up waiting for subscriptions')
    parser.add_argument('--keep-alive', type=float, default=0.1, metavar='SECONDS',
                        help='stay so long after the last message (default: 0.1)')
    parser.add_argument('-n', '--node-name', help='name of the publishing node')


def run(args: argparse.Namespace) -> None:
    """Publish as often as told."""
    if args.rate <= 0:
        raise CommandError(f'The rate must be above 0 Hz, found {args.rate:g}')
    message = load_type(args.message_type, 'msg')()
    stamps = fill(message, parse_values(args.values, args.stdin))
    times = 1 if args.once else args.times
    name = absolute(args.topic_name)
    with open_node(args, args.node_name) as node:
        settle(node, args.spin_time)
        _check_type(node, name, args.message_type)
        publisher = node.create_publisher(
            type(message), name, publisher_qos(args, node.get_subscriptions_info_by_topic(name)))
        _wait_for_subscriptions(args, publisher, times)
        print('publisher: beginning loop')
        for number in _beats(node, args, times):
            refresh(stamps, node.get_clock().now().to_msg())
            publisher.publish(message)
            if number % args.print_every == 0:
                print(f'publishing #{number}: {message!r}\n')
        publisher.wait_for_all_acked(Duration(seconds=1))
        time.sleep(args.keep_alive)


def _check_type(node: Node, name: str, type_name: str) -> None:
    package, *_, base = type_name.split('/')
    known = dict(node.get_topic_names_and_types()).get(name, [])
    if known and f'{package}/msg/{base}' not in known:
        raise CommandError(f"Topic '{name}' carries {', '.join(known)}, not {type_name}")


def _wait_for_subscriptions(args: argparse.Namespace, publisher: Publisher,
                            times: int | None) -> None:
    wanted = args.wait_matching_subscriptions
    wanted = (1 if times else 0) if wanted is None else wanted
    limit_s = args.max_wait_time_secs
    start = said = time.monotonic()
    while (matched := publisher.get_subscription_count()) < wanted:
        now = time.monotonic()
        if limit_s is not None and now - start > limit_s:
            raise CommandError(f"Nobody to publish to: '{publisher.topic_name}' has {matched} "
                               f'matching subscriptions after {limit_s:g} s, expected {wanted}')
        if now >= said:
            print(f'Waiting for at least {wanted} matching subscription(s)...')
            said = now + 1.0
        time.sleep(0.02)


def _beats(node: Node, args: argparse.Namespace, times: int | None) -> Iterator[int]:
    start = time.monotonic()
    for number in itertools.count(1) if times is None else range(1, times + 1):
        left_s = start + (number - 1) / args.rate - time.monotonic()
        if left_s > 0 and args.use_sim_time:
            spin(node, lambda: False, left_s)
        elif left_s > 0:
            time.sleep(left_s)
        yield number


COMMAND = Command('Publish messages to a topic', add_arguments, run)
