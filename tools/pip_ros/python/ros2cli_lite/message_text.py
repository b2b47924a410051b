# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn messages into YAML and CSV text."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
import sys

from rosidl_parser.definition import AbstractNestedType
from rosidl_parser.definition import Array
import yaml

ELLIPSIS = '...'


@dataclass(frozen=True)
class TextStyle:
    """Say how much of a message is shown."""

    truncate: int | None = None
    arrays: bool = True
    strings: bool = True
    flow: bool = False


class _Dumper(yaml.SafeDumper):
    """Write lists of numbers and text in one line where flow style is asked for."""


class _FlowList(list):
    pass


_Dumper.add_representer(_FlowList, lambda dumper, value: dumper.represent_sequence(
    'tag:yaml.org,2002:seq', value, flow_style=True))


def to_yaml(message: object, style: TextStyle = TextStyle()) -> str:
    """Write a message as block YAML that ends with a newline."""
    return yaml.dump(
        to_plain(message, style), Dumper=_Dumper, sort_keys=False, width=sys.maxsize,
        allow_unicode=True, default_flow_style=False)


def to_plain(value: object, style: TextStyle, kind: object = None) -> object:
    """Turn a message or a value of a field into maps, lists, numbers and text."""
    if hasattr(value, 'SLOT_TYPES'):
        return {name: to_plain(getattr(value, name), style, slot) for name, slot in _fields(value)}
    if isinstance(value, bytes):
        return value.decode('latin-1')
    if isinstance(value, str):
        return _shown_text(value, style)
    if is_list(value):
        return _plain_list(value, style, kind)
    return value.item() if hasattr(value, 'item') else value


def is_list(value: object) -> bool:
    """Tell whether a field's value is an array or a sequence: list, array or NumPy array."""
    # A NumPy number has `tolist` too, but no length.
    return hasattr(value, 'tolist') and hasattr(value, '__len__') or isinstance(value, list)


def _fields(message: object) -> Iterator[tuple[str, object]]:
    yield from zip(message.get_fields_and_field_types(), message.SLOT_TYPES)


def _plain_list(value: Sequence, style: TextStyle, kind: object) -> object:
    if not style.arrays and isinstance(kind, AbstractNestedType):
        return _summary(value, kind)
    shown = list(value if style.truncate is None else value[:style.truncate])
    items = [to_plain(item, style) for item in shown]
    if len(shown) < len(value):
        items.append(ELLIPSIS)
    return _FlowList(items) if style.flow else items


def _summary(value: Sequence, kind: AbstractNestedType) -> str:
    base = kind.value_type
    name = ('/'.join(base.namespaced_name()) if hasattr(base, 'namespaced_name')
            else getattr(base, 'typename', None) or type(base).__name__)
    name = {'UnboundedString': 'string', 'BoundedString': 'string', 'UnboundedWString': 'wstring',
            'BoundedWString': 'wstring'}.get(name, name)
    if isinstance(kind, Array):
        return f'<array type: {name}[{kind.size}]>'
    return f'<sequence type: {name}, length: {len(value)}>'


def _shown_text(text: str, style: TextStyle) -> str:
    if not style.strings:
        return f'<string length: <{len(text)}>>'
    if style.truncate is not None and len(text) > style.truncate:
        return text[:style.truncate] + ELLIPSIS
    return text


def to_csv(message: object, style: TextStyle = TextStyle()) -> str:
    """Write the leaves of a message in one line, separated by commas."""
    return ','.join(_leaves(message, style))


def _leaves(value: object, style: TextStyle, kind: object = None) -> Iterator[str]:
    if hasattr(value, 'SLOT_TYPES'):
        for name, slot in _fields(value):
            yield from _leaves(getattr(value, name), style, slot)
    elif isinstance(value, bytes):
        yield str(value)
    elif isinstance(value, str):
        yield _shown_text(value, style)
    elif not is_list(value):
        yield str(value)
    elif not style.arrays:
        yield _summary(value, kind)
    else:
        yield from _list_leaves(value, style)


def _list_leaves(value: Sequence, style: TextStyle) -> Iterator[str]:
    shown = list(value if style.truncate is None else value[:style.truncate])
    if not shown:
        yield ''
    for item in shown:
        yield from _leaves(item, style)
    if len(shown) < len(value):
        yield ELLIPSIS
