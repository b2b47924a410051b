# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read the parameters of one node from a YAML file."""
from __future__ import annotations

from collections.abc import Iterator
import re

from rcl_interfaces.msg import Parameter as ParameterMsg
from rclpy.parameter import Parameter
from ros2cli_lite.common import CommandError
import yaml

KEY = 'ros__parameters'


def parameters_for(path: str, full_name: str, wildcards: bool = True) -> list[ParameterMsg]:
    """Read what a file sets on a node; entries with wildcards give way to those with its name."""
    try:
        with open(path, encoding='utf-8') as file:
            content = yaml.safe_load(file)
    except OSError as error:
        raise CommandError(f"Parameter file '{path}' cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CommandError(f"Parameter file '{path}' is not YAML: "
                           f'{" ".join(str(error).split())}') from error
    sections = dict(_sections(content, '', path))
    if not sections:
        raise CommandError(f"Parameter file '{path}' has no '{KEY}': expected "
                           f"'{full_name}: {{{KEY}: {{name: value}}}}'")
    matching = sorted((name for name in sections if _matches(name, full_name, wildcards)),
                      key=lambda name: '*' not in name)
    if not matching:
        raise CommandError(f"Parameter file '{path}' says nothing about node '{full_name}', only "
                           f'about {", ".join(sections)}')
    values: dict[str, object] = {}
    for name in matching:
        values.update(_leaves(sections[name]))
    return [_message(path, name, value) for name, value in values.items()]


def _sections(content: object, space: str, path: str) -> Iterator[tuple[str, dict]]:
    if not isinstance(content, dict):
        raise CommandError(f"Parameter file '{path}', {space or 'top level'}: expected a map, "
                           f'found {content!r}')
    for key, value in content.items():
        if key == KEY:
            if not isinstance(value, dict):
                raise CommandError(f"Parameter file '{path}', {space}: '{KEY}' must be a map")
            yield space or '/**', value
        else:
            yield from _sections(value, f'{space}/{str(key).strip("/")}', path)


def _matches(pattern: str, full_name: str, wildcards: bool) -> bool:
    if '*' not in pattern:
        return pattern == full_name
    # '**' stands for any number of names, '*' for one.
    expression = re.escape(pattern).replace(r'/\*\*', '(?:/[^/]+)*').replace(r'\*', '[^/]+')
    return wildcards and re.fullmatch(expression, full_name) is not None


def _leaves(tree: dict, prefix: str = '') -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


def _message(path: str, name: str, value: object) -> ParameterMsg:
    try:
        return Parameter(name, value=value).to_parameter_msg()
    except TypeError as error:
        raise CommandError(f"Parameter file '{path}': '{name}' has the value {value!r}; expected "
                           'one truth value, number or text, or a list of one kind') from error
