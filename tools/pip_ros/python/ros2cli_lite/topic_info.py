# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 topic info`: who publishes and subscribes, with which quality of service."""
from __future__ import annotations

import argparse
from collections.abc import Sequence

from rclpy.duration import Duration
from rclpy.duration import Infinite
from rclpy.topic_endpoint_info import TopicEndpointInfo

from ros2cli_lite.common import Command
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import find_topic
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import settle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_node_arguments(parser)
    parser.add_argument('topic_name', help="name of the topic, e.g. '/follower/joint_states'")
    parser.add_argument('-v', '--verbose', action='store_true',
                        help='show nodes, type hashes and quality of service')


def run(args: argparse.Namespace) -> None:
    """Print the ends of one topic."""
    with open_node(args) as node:
        name, types = find_topic(node, args.topic_name)
        settle(node, args.spin_time)
        print(f'Type: {types[0] if len(types) == 1 else types}')
        if not args.verbose:
            print(f'Publisher count: {node.count_publishers(name)}')
            print(f'Subscription count: {node.count_subscribers(name)}')
            return
        _print_ends('Publisher', node.get_publishers_info_by_topic(name))
        _print_ends('Subscription', node.get_subscriptions_info_by_topic(name))
        print()


def _print_ends(title: str, ends: Sequence[TopicEndpointInfo]) -> None:
    print(f'\n{title} count: {len(ends)}')
    for end in sorted(ends, key=lambda e: (e.node_namespace, e.node_name)):
        print('\n' + '\n'.join(_lines(end)))


def _lines(end: TopicEndpointInfo) -> list[str]:
    qos = end.qos_profile
    history = qos.history.name + (f' ({qos.depth})' if qos.history.name == 'KEEP_LAST' else '')
    return [
        f'Node name: {end.node_name}',
        f'Node namespace: {end.node_namespace}',
        f'Topic type: {end.topic_type}',
        f'Topic type hash: {_hash(end)}',
        f'Endpoint type: {end.endpoint_type.name}',
        f'GID: {".".join(f"{byte:02x}" for byte in end.endpoint_gid)}',
        'QoS profile:',
        f'  Reliability: {qos.reliability.name}',
        f'  History (Depth): {history}',
        f'  Durability: {qos.durability.name}',
        f'  Lifespan: {_seconds(qos.lifespan)}',
        f'  Deadline: {_seconds(qos.deadline)}',
        f'  Liveliness: {qos.liveliness.name}',
        f'  Liveliness lease duration: {_seconds(qos.liveliness_lease_duration)}']


def _hash(end: TopicEndpointInfo) -> str:
    return f'RIHS{end.topic_type_hash.version:02d}_{bytes(end.topic_type_hash.value).hex()}'


def _seconds(duration: Duration) -> str:
    return 'Infinite' if duration == Infinite else f'{duration.nanoseconds} nanoseconds'


COMMAND = Command('Show the publishers and subscribers of a topic', add_arguments, run)
