# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 action`: list, inspect and run actions."""
from __future__ import annotations

import argparse
from collections.abc import Callable

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.action import get_action_client_names_and_types_by_node
from rclpy.action import get_action_names_and_types
from rclpy.action import get_action_server_names_and_types_by_node
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node

from ros2cli_lite.common import add_commands
from ros2cli_lite.common import Command
from ros2cli_lite.common import CommandError
from ros2cli_lite.common import run_command
from ros2cli_lite.common import suggestion
from ros2cli_lite.graph import absolute
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import nodes
from ros2cli_lite.graph import open_graph
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import settle
from ros2cli_lite.graph import spin
from ros2cli_lite.graph import split_name
from ros2cli_lite.graph import wait_until
from ros2cli_lite.interfaces import fill
from ros2cli_lite.interfaces import load_type
from ros2cli_lite.interfaces import parse_values
from ros2cli_lite.interfaces import type_name
from ros2cli_lite.message_text import to_yaml

STATUS = {value: name.removeprefix('STATUS_') for name, value in
          ((name, getattr(GoalStatus, name)) for name in dir(GoalStatus)
           if name.startswith('STATUS_'))}
CANCEL_S = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `ros2 action`."""
    add_commands(parser, COMMANDS)


def main(args: argparse.Namespace) -> int | str | None:
    """Run one sub-command."""
    return run_command(args)


def _find(node: Node, name: str) -> tuple[str, list[str]]:
    name = absolute(name)
    types = wait_until(lambda: dict(get_action_names_and_types(node)).get(name))
    if not types:
        known = [known for known, _ in get_action_names_and_types(node)]
        raise CommandError(f"Unknown action '{name}': "
                           + suggestion(name, known, 'ros2 action list'))
    return name, types


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('-t', '--show-types', action='store_true', help='show the types too')
    parser.add_argument('-c', '--count-actions', action='store_true', help='show only how many')


def _list(args: argparse.Namespace) -> None:
    with open_graph(args) as node:
        found = sorted(get_action_names_and_types(node))
    if args.count_actions:
        print(len(found))
        return
    for name, types in found:
        print(f'{name} [{", ".join(types)}]' if args.show_types else name)


def _name_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('action_name', help='name of the action')


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    _name_arguments(parser)
    parser.add_argument('-t', '--show-types', action='store_true', help='show the types too')
    parser.add_argument('-c', '--count', action='store_true', help='show only how many')


def _info(args: argparse.Namespace) -> None:
    with open_node(args) as node:
        action, _ = _find(node, args.action_name)
        settle(node, args.spin_time)
        print(f'Action: {action}')
        for title, query in (('clients', get_action_client_names_and_types_by_node),
                             ('servers', get_action_server_names_and_types_by_node)):
            ends = _ends(node, action, query)
            print(f'Action {title}: {len(ends)}')
            for name, types in [] if args.count else ends:
                print(f'    {name} [{", ".join(types)}]' if args.show_types else f'    {name}')


def _ends(node: Node, action: str, query: Callable[..., list]) -> list[tuple[str, list[str]]]:
    ends = ((name, dict(query(node, *split_name(name))).get(action))
            for name in nodes(node, hidden=True))
    return [(name, types) for name, types in ends if types]


def _type(args: argparse.Namespace) -> None:
    with open_node(args) as node:
        for name in _find(node, args.action_name)[1]:
            print(name)


def _goal_arguments(parser: argparse.ArgumentParser) -> None:
    _name_arguments(parser)
    parser.add_argument('action_type', help='type of the action')
    parser.add_argument('goal', nargs='?', help="fields in YAML, e.g. '{order: 10}'")
    parser.add_argument('--stdin', action='store_true', help='read the fields from stdin')
    parser.add_argument('-f', '--feedback', action='store_true', help='show feedback')


def _send_goal(args: argparse.Namespace) -> None:
    kind = load_type(args.action_type, 'action')
    goal = kind.Goal()
    fill(goal, parse_values(args.goal, args.stdin))
    with open_node(args) as node:
        print('Waiting for an action server to become available...')
        # Before there is a client, which would pass for the action in the graph.
        name, types = _find(node, args.action_name)
        if type_name(kind) not in types:
            raise CommandError(f"Action '{name}' is of type {', '.join(types)}, not "
                               f'{type_name(kind)}')
        client = ActionClient(node, kind, args.action_name)
        try:
            if not wait_until(client.server_is_ready):
                raise CommandError(f"Action '{name}' is known but does not answer: its node may "
                                   'just have ended')
            _run_goal(node, client, goal, _show_feedback if args.feedback else None)
        finally:
            client.destroy()


def _run_goal(node: Node, client: ActionClient, goal: object,
              on_feedback: Callable[[object], None] | None) -> None:
    print(f'Sending goal:\n     {to_yaml(goal)}')
    sent = client.send_goal_async(goal, on_feedback)
    spin(node, sent.done)
    handle: ClientGoalHandle = sent.result()
    if not handle.accepted:
        raise CommandError('Goal was rejected')
    print(f'Goal accepted with ID: {bytes(handle.goal_id.uuid).hex()}\n')
    finished = handle.get_result_async()
    try:
        spin(node, finished.done)
    except KeyboardInterrupt:
        # Leaving a robot to finish a goal that its user interrupted would surprise.
        print('Canceling goal...')
        canceled = handle.cancel_goal_async()
        if spin(node, canceled.done, CANCEL_S) and canceled.result().goals_canceling:
            print('Goal canceled.')
        raise
    answer = finished.result()
    status = STATUS[answer.status]
    print(f'Result:\n    {to_yaml(answer.result)}\nGoal finished with status: {status}')
    if answer.status != GoalStatus.STATUS_SUCCEEDED:
        raise CommandError(f'Goal did not succeed: {status}')


def _show_feedback(message: object) -> None:
    print(f'Feedback:\n    {to_yaml(message.feedback)}')


COMMANDS = {
    'info': Command('Show the clients and servers of an action', _info_arguments, _info),
    'list': Command('List the actions', _list_arguments, _list),
    'send_goal': Command('Send a goal and wait for its result', _goal_arguments, _send_goal),
    'type': Command("Show an action's type", _name_arguments, _type),
}
