# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 service`: list, inspect and call services."""
from __future__ import annotations

import argparse
import time

from rclpy.client import Client
from rclpy.node import Node

from ros2cli_lite.common import add_commands
from ros2cli_lite.common import Command
from ros2cli_lite.common import CommandError
from ros2cli_lite.common import run_command
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import find_service
from ros2cli_lite.graph import open_graph
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import services
from ros2cli_lite.graph import settle
from ros2cli_lite.graph import spin
from ros2cli_lite.graph import wait_until
from ros2cli_lite.interfaces import fill
from ros2cli_lite.interfaces import load_type
from ros2cli_lite.interfaces import parse_values
from ros2cli_lite.interfaces import type_name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `ros2 service`."""
    add_commands(parser, COMMANDS)


def main(args: argparse.Namespace) -> int | str | None:
    """Run one sub-command."""
    return run_command(args)


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('-t', '--show-types', action='store_true', help='show the types too')
    parser.add_argument('-c', '--count-services', action='store_true', help='show only how many')
    parser.add_argument('--include-hidden-services', action='store_true')


def _list(args: argparse.Namespace) -> None:
    with open_graph(args) as node:
        found = services(node, args.include_hidden_services)
    if args.count_services:
        print(len(found))
        return
    for name, types in found:
        print(f'{name} [{", ".join(types)}]' if args.show_types else name)


def _name_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('service_name', help="name of the service, e.g. '/follower/estop'")


def _type(args: argparse.Namespace) -> None:
    with open_node(args) as node:
        for name in find_service(node, args.service_name)[1]:
            print(name)


def _info(args: argparse.Namespace) -> None:
    with open_node(args) as node:
        name, types = find_service(node, args.service_name)
        settle(node, args.spin_time)
        print(f'Type: {types[0] if len(types) == 1 else types}')
        print(f'Clients count: {node.count_clients(name)}')
        print(f'Services count: {node.count_services(name)}')


def _find_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('service_type', help="type of the services, e.g. 'std_srvs/srv/Trigger'")
    parser.add_argument('-c', '--count-services', action='store_true', help='show only how many')
    parser.add_argument('--include-hidden-services', action='store_true')


def _find(args: argparse.Namespace) -> None:
    with open_graph(args) as node:
        found = [name for name, types in services(node, args.include_hidden_services)
                 if args.service_type in types]
    for line in [len(found)] if args.count_services else found:
        print(line)


def _call_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('service_name', help="name of the service, e.g. '/follower/estop'")
    parser.add_argument('service_type', help="type of the service, e.g. 'std_srvs/srv/Trigger'")
    parser.add_argument('values', nargs='?', help="fields in YAML, e.g. '{data: true}'")
    parser.add_argument('--stdin', action='store_true', help='read the fields from stdin')
    parser.add_argument('-r', '--rate', type=float, metavar='HZ', help='call again and again')


def _call(args: argparse.Namespace) -> None:
    kind = load_type(args.service_type, 'srv')
    request = kind.Request()
    fill(request, parse_values(args.values, args.stdin))
    if args.rate is not None and args.rate <= 0:
        raise CommandError(f'The rate must be above 0 Hz, found {args.rate:g}')
    with open_node(args) as node:
        print('waiting for service to become available...')
        # Before there is a client, which would pass for the service in the graph.
        _check_type(*find_service(node, args.service_name), kind)
        client = node.create_client(kind, args.service_name)
        if not wait_until(client.service_is_ready):
            raise CommandError(f"Service '{args.service_name}' is known but does not answer: its "
                               'node may just have ended')
        while True:
            start = time.monotonic()
            _call_once(node, client, request)
            if args.rate is None:
                return
            time.sleep(max(0.0, start + 1 / args.rate - time.monotonic()))


def _call_once(node: Node, client: Client, request: object) -> None:
    print(f'requester: making request: {request!r}\n')
    future = client.call_async(request)
    spin(node, future.done)
    print(f'response:\n{future.result()!r}\n')


def _check_type(name: str, types: list[str], kind: type) -> None:
    if type_name(kind) not in types:
        raise CommandError(f"Service '{name}' is of type {', '.join(types)}, not "
                           f'{type_name(kind)}')


COMMANDS = {
    'call': Command('Call a service', _call_arguments, _call),
    'find': Command('List the services of a type', _find_arguments, _find),
    'info': Command('Show the type and the number of clients and servers', _name_arguments, _info),
    'list': Command('List the services', _list_arguments, _list),
    'type': Command("Show a service's type", _name_arguments, _type),
}
