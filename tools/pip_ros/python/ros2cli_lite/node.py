# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 node`: list nodes and what they offer."""
from __future__ import annotations

import argparse
import sys

from rclpy.action import get_action_client_names_and_types_by_node
from rclpy.action import get_action_server_names_and_types_by_node

from ros2cli_lite.common import add_commands
from ros2cli_lite.common import Command
from ros2cli_lite.common import run_command
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import find_node
from ros2cli_lite.graph import is_hidden
from ros2cli_lite.graph import nodes
from ros2cli_lite.graph import open_graph
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import settle
from ros2cli_lite.graph import split_name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `ros2 node`."""
    add_commands(parser, COMMANDS)


def main(args: argparse.Namespace) -> int | str | None:
    """Run one sub-command."""
    return run_command(args)


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('-a', '--all', action='store_true', help='show hidden nodes too')
    parser.add_argument('-c', '--count-nodes', action='store_true', help='show only how many')


def _list(args: argparse.Namespace) -> None:
    with open_graph(args) as node:
        found = nodes(node, args.all)
    if args.count_nodes:
        print(len(found))
        return
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        print(f'Several nodes share one name, and may answer for each other: {", ".join(twice)}',
              file=sys.stderr)
    for name in found:
        print(name)


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('node_name', help="name of the node, e.g. '/teleop'")
    parser.add_argument('--include-hidden', action='store_true',
                        help='show hidden topics, services and actions too')


def _info(args: argparse.Namespace) -> None:
    with open_node(args) as node:
        full_name = find_node(node, args.node_name)
        settle(node, args.spin_time)
        at = split_name(full_name)
        parts = {
            'Subscribers': node.get_subscriber_names_and_types_by_node(*at),
            'Publishers': node.get_publisher_names_and_types_by_node(*at),
            'Service Servers': node.get_service_names_and_types_by_node(*at),
            'Service Clients': node.get_client_names_and_types_by_node(*at),
            'Action Servers': get_action_server_names_and_types_by_node(node, *at),
            'Action Clients': get_action_client_names_and_types_by_node(node, *at)}
    print(full_name)
    for title, entries in parts.items():
        print(f'  {title}:')
        lines = [f'    {name}: {", ".join(types)}' for name, types in sorted(entries)
                 if args.include_hidden or not is_hidden(name)]
        print('\n'.join(lines))


COMMANDS = {
    'info': Command('Show what a node publishes, subscribes and offers', _info_arguments, _info),
    'list': Command('List the nodes', _list_arguments, _list),
}
