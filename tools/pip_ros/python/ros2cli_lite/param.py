# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 param`: list, read, describe, write, dump and load parameters."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
import re
import sys

from rcl_interfaces.msg import Parameter
from rcl_interfaces.msg import ParameterDescriptor
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.msg import ParameterValue
from rcl_interfaces.srv import DescribeParameters
from rcl_interfaces.srv import GetParameters
from rcl_interfaces.srv import ListParameters
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import get_parameter_value
from rclpy.parameter import parameter_value_to_python
from ros2cli_lite.calls import call
from ros2cli_lite.calls import call_all
from ros2cli_lite.common import add_commands
from ros2cli_lite.common import Command
from ros2cli_lite.common import CommandError
from ros2cli_lite.common import run_command
from ros2cli_lite.common import suggestion
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import find_node
from ros2cli_lite.graph import nodes
from ros2cli_lite.graph import open_graph
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import services
from ros2cli_lite.graph import wait_until
from ros2cli_lite.param_file import parameters_for
import yaml

# What `describe` calls a type, and how `get` begins.
KINDS = {
    ParameterType.PARAMETER_NOT_SET: ('not set', ''),
    ParameterType.PARAMETER_BOOL: ('boolean', 'Boolean value is:'),
    ParameterType.PARAMETER_INTEGER: ('integer', 'Integer value is:'),
    ParameterType.PARAMETER_DOUBLE: ('double', 'Double value is:'),
    ParameterType.PARAMETER_STRING: ('string', 'String value is:'),
    ParameterType.PARAMETER_BYTE_ARRAY: ('byte array', 'Byte values are:'),
    ParameterType.PARAMETER_BOOL_ARRAY: ('boolean array', 'Boolean values are:'),
    ParameterType.PARAMETER_INTEGER_ARRAY: ('integer array', 'Integer values are:'),
    ParameterType.PARAMETER_DOUBLE_ARRAY: ('double array', 'Double values are:'),
    ParameterType.PARAMETER_STRING_ARRAY: ('string array', 'String values are:'),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `ros2 param`."""
    add_commands(parser, COMMANDS)


def main(args: argparse.Namespace) -> int | str | None:
    """Run one sub-command."""
    return run_command(args)


def _node_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('--include-hidden-nodes', action='store_true',
                        help='accepted for compatibility: a named node is always found')
    parser.add_argument('node_name', help="name of the node, e.g. '/follower/feetech_driver'")


def _one_arguments(parser: argparse.ArgumentParser) -> None:
    _node_arguments(parser)
    parser.add_argument('parameter_name', help='name of the parameter')


@contextmanager
def _remote(args: argparse.Namespace) -> Iterator[tuple[Node, str]]:
    with open_node(args) as node:
        full_name = find_node(node, args.node_name)
        service = f'{full_name}/list_parameters'
        if not wait_until(lambda: service in dict(services(node, hidden=True))):
            raise CommandError(f"Node '{full_name}' offers no parameter services")
        yield node, full_name


def _names(node: Node, full_name: str, prefixes: list[str] | None = None) -> list[str]:
    request = ListParameters.Request(prefixes=prefixes or [])
    response = call(node, f'{full_name}/list_parameters', ListParameters, request)
    return sorted(response.result.names)


def _values(node: Node, full_name: str, names: list[str]) -> list[ParameterValue]:
    request = GetParameters.Request(names=names)
    return call(node, f'{full_name}/get_parameters', GetParameters, request).values


def _describe_all(node: Node, full_name: str, names: list[str]) -> list[ParameterDescriptor]:
    request = DescribeParameters.Request(names=names)
    return call(node, f'{full_name}/describe_parameters', DescribeParameters, request).descriptors


def _check_known(node: Node, full_name: str, names: list[str]) -> None:
    known = _names(node, full_name)
    for name in names:
        if name not in known:
            raise CommandError(f"Node '{full_name}' has no parameter '{name}': "
                               + suggestion(name, known, f'ros2 param list {full_name}'))


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument('node_name', nargs='?', help='one node instead of all')
    parser.add_argument('--include-hidden-nodes', action='store_true')
    parser.add_argument('--param-prefixes', nargs='+', metavar='PREFIX',
                        help='only names under these prefixes')
    parser.add_argument('--param-type', action='store_true', help='show the types too')
    parser.add_argument('--filter', type=_pattern, metavar='REGEX', help='only matching names')


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f'{text!r} is not a pattern: {error}') from error


def _list(args: argparse.Namespace) -> None:
    if args.node_name:
        with _remote(args) as (node, full_name):
            _print_names(node, full_name, _names(node, full_name, args.param_prefixes), args)
        return
    with open_graph(args) as node:
        offered = {name for name, _ in services(node, hidden=True)}
        asked = {f'{name}/list_parameters': name
                 for name in dict.fromkeys(nodes(node, args.include_hidden_nodes))
                 if f'{name}/list_parameters' in offered}
        request = ListParameters.Request(prefixes=args.param_prefixes or [])
        answers = call_all(node, ListParameters, dict.fromkeys(asked, request))
        for service, response in answers.items():
            if response is None:
                print(f"Node '{asked[service]}' did not answer", file=sys.stderr)
                continue
            print(f'{asked[service]}:')
            _print_names(node, asked[service], sorted(response.result.names), args)


def _print_names(node: Node, full_name: str, names: list[str], args: argparse.Namespace) -> None:
    names = [name for name in names if args.filter is None or args.filter.search(name)]
    if not args.param_type:
        for name in names:
            print(f'  {name}')
        return
    for name, descriptor in zip(names, _describe_all(node, full_name, names)):
        print(f'  {name} (type: {KINDS[descriptor.type][0]})')


def _get_arguments(parser: argparse.ArgumentParser) -> None:
    _one_arguments(parser)
    parser.add_argument('--hide-type', action='store_true', help='only the value')


def _get(args: argparse.Namespace) -> None:
    with _remote(args) as (node, full_name):
        _check_known(node, full_name, [args.parameter_name])
        value = _values(node, full_name, [args.parameter_name])[0]
    if value.type == ParameterType.PARAMETER_NOT_SET:
        print('Parameter not set.')
        return
    shown = _python(value)
    print(shown if args.hide_type else f'{KINDS[value.type][1]} {shown}')


def _python(value: ParameterValue) -> object:
    plain = parameter_value_to_python(value)
    return list(plain) if isinstance(plain, (list, tuple)) or hasattr(plain, 'tolist') else plain


def _describe_arguments(parser: argparse.ArgumentParser) -> None:
    _node_arguments(parser)
    parser.add_argument('parameter_names', nargs='+', help='names of the parameters')


def _describe(args: argparse.Namespace) -> None:
    with _remote(args) as (node, full_name):
        _check_known(node, full_name, args.parameter_names)
        for descriptor in _describe_all(node, full_name, args.parameter_names):
            print('\n'.join(_description(descriptor)))


def _description(descriptor: ParameterDescriptor) -> list[str]:
    lines = [f'Parameter name: {descriptor.name}', f'  Type: {KINDS[descriptor.type][0]}']
    if descriptor.description:
        lines.append(f'  Description: {descriptor.description}')
    lines.append('  Constraints:')
    if descriptor.read_only:
        lines.append('    Read only: true')
    for bounds in [*descriptor.integer_range, *descriptor.floating_point_range]:
        lines += [f'    Min value: {bounds.from_value}', f'    Max value: {bounds.to_value}']
        if bounds.step:
            lines.append(f'    Step: {bounds.step}')
    if descriptor.additional_constraints:
        lines.append(f'    Additional constraints: {descriptor.additional_constraints}')
    return lines


def _dump(args: argparse.Namespace) -> None:
    with _remote(args) as (node, full_name):
        names = _names(node, full_name)
        values = _values(node, full_name, names)
    tree: dict = {}
    for name, value in zip(names, values):
        *parents, leaf = name.split('.')
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = _python(value)
    print(yaml.safe_dump({full_name: {'ros__parameters': tree}}, default_flow_style=False))


def _set_arguments(parser: argparse.ArgumentParser) -> None:
    _one_arguments(parser)
    parser.add_argument('value', help="value in YAML, e.g. 1.5, true, '[1, 2]', '!!str 12'")


def _set(args: argparse.Namespace) -> None:
    parameter = Parameter(name=args.parameter_name, value=get_parameter_value(args.value))
    with _remote(args) as (node, full_name):
        result = _set_one(node, full_name, parameter)
        if not result.successful:
            # A node's own words about an unknown name do not name it.
            _check_known(node, full_name, [parameter.name])
    if not result.successful:
        raise CommandError(f'Setting parameter failed: {result.reason}')
    print('Set parameter successful' + (f': {result.reason}' if result.reason else ''))


def _set_one(node: Node, full_name: str, parameter: Parameter) -> object:
    request = SetParameters.Request(parameters=[parameter])
    response = call(node, f'{full_name}/set_parameters', SetParameters, request)
    if not response.results:
        _check_known(node, full_name, [parameter.name])
        raise CommandError(f"Node '{full_name}' gave no answer about '{parameter.name}'")
    return response.results[0]


def _load_arguments(parser: argparse.ArgumentParser) -> None:
    _node_arguments(parser)
    parser.add_argument('parameter_file', help='YAML file with ros__parameters')
    parser.add_argument('--no-use-wildcard', action='store_true', help="leave '/**' entries out")


def _load(args: argparse.Namespace) -> int:
    failed = 0
    with _remote(args) as (node, full_name):
        parameters = parameters_for(args.parameter_file, full_name, not args.no_use_wildcard)
        for parameter in parameters:
            result = _set_one(node, full_name, parameter)
            if result.successful:
                print(f'Set parameter {parameter.name} successful')
            else:
                failed = 1
                print(f'Set parameter {parameter.name} failed: {result.reason}', file=sys.stderr)
    return failed


COMMANDS = {
    'describe': Command('Show what is declared about parameters', _describe_arguments, _describe),
    'dump': Command('Show all parameters of a node as a YAML file', _node_arguments, _dump),
    'get': Command('Show the value of a parameter', _get_arguments, _get),
    'list': Command('List the parameters', _list_arguments, _list),
    'load': Command('Set parameters from a YAML file', _load_arguments, _load),
    'set': Command('Set a parameter', _set_arguments, _set),
}
