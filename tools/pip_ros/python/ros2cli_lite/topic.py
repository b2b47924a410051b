# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 topic`: list, inspect, print, measure and publish topics."""
from __future__ import annotations

import argparse

from rclpy.node import Node

from ros2cli_lite import topic_echo
from ros2cli_lite import topic_info
from ros2cli_lite import topic_pub
from ros2cli_lite import topic_rates
from ros2cli_lite.common import add_commands
from ros2cli_lite.common import Command
from ros2cli_lite.common import run_command
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import find_topic
from ros2cli_lite.graph import open_graph
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import topics


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `ros2 topic`."""
    add_commands(parser, COMMANDS)


def main(args: argparse.Namespace) -> int | str | None:
    """Run one sub-command."""
    return run_command(args)


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('-t', '--show-types', action='store_true', help='show the types too')
    parser.add_argument('-c', '--count-topics', action='store_true', help='show only how many')
    parser.add_argument('-v', '--verbose', action='store_true',
                        help='show types and numbers of publishers and subscribers')
    parser.add_argument('--include-hidden-topics', action='store_true')


def _list(args: argparse.Namespace) -> None:
    with open_graph(args) as node:
        found = topics(node, args.include_hidden_topics)
        if args.count_topics:
            print(len(found))
        elif args.verbose:
            _list_ends(node, found)
        else:
            for name, types in found:
                print(f'{name} [{", ".join(types)}]' if args.show_types else name)


def _list_ends(node: Node, found: list[tuple[str, list[str]]]) -> None:
    for title, noun, count in (('Published topics:', 'publisher', node.count_publishers),
                               ('\nSubscribed topics:', 'subscriber', node.count_subscribers)):
        print(title)
        for name, types in found:
            if number := count(name):
                plural = '' if number == 1 else 's'
                print(f' * {name} [{", ".join(types)}] {number} {noun}{plural}')
    print()


def _type_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('topic_name', help="name of the topic, e.g. '/follower/joint_states'")


def _type(args: argparse.Namespace) -> None:
    with open_node(args) as node:
        for name in find_topic(node, args.topic_name)[1]:
            print(name)


def _find_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('topic_type', help="type of the topics, e.g. 'sensor_msgs/msg/JointState'")
    parser.add_argument('-c', '--count-topics', action='store_true', help='show only how many')
    parser.add_argument('--include-hidden-topics', action='store_true')


def _find(args: argparse.Namespace) -> None:
    with open_graph(args) as node:
        found = [name for name, types in topics(node, args.include_hidden_topics)
                 if args.topic_type in types]
    for line in [len(found)] if args.count_topics else found:
        print(line)


COMMANDS = {
    'bw': topic_rates.BANDWIDTH,
    'delay': topic_rates.DELAY,
    'echo': topic_echo.COMMAND,
    'find': Command('List the topics of a type', _find_arguments, _find),
    'hz': topic_rates.RATE,
    'info': topic_info.COMMAND,
    'list': Command('List the topics', _list_arguments, _list),
    'pub': topic_pub.COMMAND,
    'type': Command("Show a topic's type", _type_arguments, _type),
}
