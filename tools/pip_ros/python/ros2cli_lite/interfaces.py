# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Load message, service and action types by name, and fill them from YAML."""
from __future__ import annotations

from collections.abc import Mapping
import importlib
import re
import sys

from ros2cli_lite.common import CommandError
from rosidl_parser.definition import AbstractNestedType
from rosidl_parser.definition import AbstractString
from rosidl_parser.definition import AbstractWString
from rosidl_parser.definition import NamespacedType
import yaml

NAME = re.compile(r'([a-z][a-z0-9_]*)/(?:(msg|srv|action)/)?([A-Z][A-Za-z0-9_]*)')
KINDS = {'msg': 'message', 'srv': 'service', 'action': 'action'}


def load_type(name: str, kind: str) -> type:
    """Import the interface `package/kind/Name`, where the middle part may be left out."""
    match = NAME.fullmatch(name)
    if match is None or match[2] not in (None, kind):
        raise CommandError(f"'{name}' is not the name of a {KINDS[kind]} type: expected "
                           f"'package/{kind}/Name'")
    package, _, base = match.groups()
    try:
        found = getattr(importlib.import_module(f'{package}.{kind}'), base, None)
    except ModuleNotFoundError as error:
        if error.name not in (package, f'{package}.{kind}'):
            raise
        raise CommandError(f"The package of type '{name}' has no {KINDS[kind]}s here: is it "
                           'installed and the workspace sourced?') from error
    if not isinstance(found, type):
        raise CommandError(f"Package '{package}' has no {KINDS[kind]} type '{base}'")
    return found


def parse_values(text: str | None, from_stdin: bool = False) -> dict:
    """Read field values from YAML; nothing at all means no values."""
    if from_stdin:
        text = sys.stdin.read()
    try:
        values = yaml.safe_load(text or '{}')
    except yaml.YAMLError as error:
        raise CommandError(f'The values are not YAML: {" ".join(str(error).split())}') from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise CommandError(f"The values must be a YAML map such as '{{field: value}}', "
                           f'found {values!r}; a space follows each colon')
    return values


def fill(message: object, values: Mapping, where: str = '') -> list[tuple[object, str]]:
    """
    Set fields of a message from parsed YAML, and convert numbers where nothing is lost.

    :returns: the places `(message, field)` of stamps to refresh: values `now` and `auto`.
    """
    fields = dict(zip(message.get_fields_and_field_types(), message.SLOT_TYPES))
    stamps: list[tuple[object, str]] = []
    for name, value in values.items():
        path = f'{where}.{name}' if where else str(name)
        if name not in fields:
            raise CommandError(f"{type_name(type(message))} has no field '{path}'; it has: "
                               f'{", ".join(fields) or "none"}')
        if _is_stamp(fields[name], value):
            stamps.append((message, name))
        elif isinstance(fields[name], NamespacedType):
            stamps += fill(getattr(message, name), _map(value, path), path)
        else:
            _set(message, name, _convert(value, fields[name], path, stamps), path)
    return stamps


def _is_stamp(kind: object, value: object) -> bool:
    names = getattr(kind, 'namespaced_name', tuple)()
    return (value == 'now' and names == ('builtin_interfaces', 'msg', 'Time')
            or value == 'auto' and names == ('std_msgs', 'msg', 'Header'))


def refresh(stamps: list[tuple[object, str]], now: object) -> None:
    """Write the time (a Time message) to every place that `fill` found."""
    for message, name in stamps:
        place = getattr(message, name)
        if hasattr(place, 'frame_id'):
            place.stamp = now
        else:
            setattr(message, name, now)


def _set(message: object, name: str, value: object, path: str) -> None:
    try:
        setattr(message, name, value)
    except (AssertionError, TypeError, ValueError, OverflowError) as error:
        reason = ' '.join(str(error).split())
        raise CommandError(f"Field '{path}' of {type_name(type(message))}: {reason}") from error


def _map(value: object, path: str) -> Mapping:
    if not isinstance(value, dict):
        raise CommandError(f"Field '{path}': expected a map of fields, found {value!r}")
    return value


def _convert(value: object, kind: object, path: str, stamps: list[tuple[object, str]]) -> object:
    if isinstance(kind, AbstractNestedType):
        if not isinstance(value, list):
            raise CommandError(f"Field '{path}': expected a list, found {value!r}")
        return [_convert(item, kind.value_type, f'{path}[{i}]', stamps)
                for i, item in enumerate(value)]
    if isinstance(kind, NamespacedType):
        package, _, name = kind.namespaced_name()
        message = load_type(f'{package}/msg/{name}', 'msg')()
        stamps += fill(message, _map(value, path), path)
        return message
    if isinstance(kind, (AbstractString, AbstractWString)):
        return _check(value, str, 'text', path)
    return _number(value, kind.typename, path)


def _number(value: object, typename: str, path: str) -> object:
    if typename == 'boolean':
        return _check(value, bool, 'true or false', path)
    if typename == 'octet':
        if isinstance(value, bytes) and len(value) == 1:
            return value
        number = _check(value, int, 'a number from 0 to 255', path)
        if not 0 <= number <= 255:
            raise CommandError(f"Field '{path}': expected a number from 0 to 255, found {value!r}")
        return bytes([number])
    if typename in ('float', 'double', 'long double'):
        return float(_check(value, (int, float), 'a number', path))
    return _check(value, int, 'a whole number', path)


def _check(value: object, kind: type | tuple[type, ...], expected: str, path: str) -> object:
    # bool is an int to Python, not to ROS.
    if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
        raise CommandError(f"Field '{path}': expected {expected}, found {value!r}")
    return value


def type_name(kind: type) -> str:
    """Return the full name of a type, `package/kind/Name`."""
    package, middle = kind.__module__.split('.')[:2]
    return f'{package}/{middle}/{kind.__name__}'
