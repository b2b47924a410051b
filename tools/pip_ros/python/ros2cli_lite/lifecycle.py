# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 lifecycle`: see and change the state of managed nodes."""
from __future__ import annotations

import argparse
from collections.abc import Sequence

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.msg import TransitionDescription
from lifecycle_msgs.srv import ChangeState
from lifecycle_msgs.srv import GetAvailableTransitions
from lifecycle_msgs.srv import GetState
from rclpy.node import Node

from ros2cli_lite.calls import call
from ros2cli_lite.calls import call_all
from ros2cli_lite.common import add_commands
from ros2cli_lite.common import Command
from ros2cli_lite.common import CommandError
from ros2cli_lite.common import run_command
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import find_node
from ros2cli_lite.graph import open_graph
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import services
from ros2cli_lite.graph import wait_until

STATE_TYPE = 'lifecycle_msgs/srv/GetState'
# A driver opens ports and pings motors on the way.
CHANGE_S = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `ros2 lifecycle`."""
    add_commands(parser, COMMANDS)


def main(args: argparse.Namespace) -> int | str | None:
    """Run one sub-command."""
    return run_command(args)


def _managed(node: Node, hidden: bool = False) -> list[str]:
    names = [name.removesuffix('/get_state') for name, types in services(node, hidden)
             if STATE_TYPE in types and name.endswith('/get_state')]
    return sorted(names)


def _find(node: Node, name: str) -> str:
    full_name = find_node(node, name)
    if not wait_until(lambda: full_name in _managed(node, hidden=True)):
        raise CommandError(f"Node '{full_name}' has no lifecycle; 'ros2 lifecycle nodes' lists "
                           'those that have one')
    return full_name


def _nodes_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('-a', '--all', action='store_true', help='show hidden nodes too')
    parser.add_argument('-c', '--count-nodes', action='store_true', help='show only how many')


def _nodes(args: argparse.Namespace) -> None:
    with open_graph(args) as node:
        found = _managed(node, args.all)
    for line in [len(found)] if args.count_nodes else found:
        print(line)


def _get_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('--include-hidden-nodes', action='store_true')
    parser.add_argument('node_name', nargs='?', help='one node instead of all')


def _get(args: argparse.Namespace) -> None:
    if args.node_name:
        with open_node(args) as node:
            state = call(node, f'{_find(node, args.node_name)}/get_state', GetState,
                         GetState.Request()).current_state
        print(f'{state.label} [{state.id}]')
        return
    with open_graph(args) as node:
        requests = {f'{name}/get_state': GetState.Request()
                    for name in _managed(node, args.include_hidden_nodes)}
        answers = call_all(node, GetState, requests)
    for service, response in answers.items():
        state = response and response.current_state
        print(f'{service.removesuffix("/get_state")}: '
              + (f'{state.label} [{state.id}]' if state else 'did not answer'))


def _transitions(node: Node, full_name: str, every: bool = False) \
        -> Sequence[TransitionDescription]:
    service = 'get_transition_graph' if every else 'get_available_transitions'
    return call(node, f'{full_name}/{service}', GetAvailableTransitions,
                GetAvailableTransitions.Request()).available_transitions


def _name_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('--include-hidden-nodes', action='store_true',
                        help='accepted for compatibility: a named node is always found')
    parser.add_argument('node_name', help="name of the node, e.g. '/follower/feetech_driver'")


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    _name_arguments(parser)
    parser.add_argument('-a', '--all', action='store_true',
                        help='every transition, not only those of the current state')


def _list(args: argparse.Namespace) -> None:
    with open_node(args) as node:
        found = _transitions(node, _find(node, args.node_name), args.all)
    for entry in found:
        print(f'- {entry.transition.label} [{entry.transition.id}]\n'
              f'\tStart: {entry.start_state.label}\n\tGoal: {entry.goal_state.label}')


def _set_arguments(parser: argparse.ArgumentParser) -> None:
    _name_arguments(parser)
    parser.add_argument('transition', help='label or id of the transition, e.g. activate')


def _set(args: argparse.Namespace) -> None:
    with open_node(args) as node:
        full_name = _find(node, args.node_name)
        transition = _choose(full_name, args.transition, _transitions(node, full_name))
        answer = call(node, f'{full_name}/change_state', ChangeState,
                      ChangeState.Request(transition=transition), limit_s=CHANGE_S)
    if not answer.success:
        raise CommandError(f"Transitioning failed: '{full_name}' refused {transition.label}; its "
                           'log says why')
    print('Transitioning successful')


def _choose(full_name: str, wanted: str, available: Sequence[TransitionDescription]) -> Transition:
    for entry in available:
        if wanted in (entry.transition.label, str(entry.transition.id)):
            return entry.transition
    names = ', '.join(f'{entry.transition.label} [{entry.transition.id}]' for entry in available)
    raise CommandError(f"Node '{full_name}' has no transition '{wanted}' now; available: "
                       f'{names or "none"}')


COMMANDS = {
    'get': Command('Show the state of one or all managed nodes', _get_arguments, _get),
    'list': Command('List the transitions of a node', _list_arguments, _list),
    'nodes': Command('List the managed nodes', _nodes_arguments, _nodes),
    'set': Command('Take a node through a transition', _set_arguments, _set),
}
