# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Describe a node's parameters and refuse every value that the description does not allow."""
from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
import math
from typing import Any


class ParameterError(ValueError):
    """A parameter is unknown, of the wrong type or out of range."""


class Kind(Enum):
    """Types a parameter can have; the value is what a user reads."""

    BOOL = 'true or false'
    INTEGER = 'an integer'
    DOUBLE = 'a number'
    STRING = 'a string'
    BOOL_ARRAY = 'a list of true or false'
    INTEGER_ARRAY = 'a list of integers'
    DOUBLE_ARRAY = 'a list of numbers'
    STRING_ARRAY = 'a list of strings'

    @property
    def element(self) -> Kind:
        """Return the kind of one element; the kind itself for a scalar."""
        return _ELEMENTS.get(self, self)

    @property
    def is_array(self) -> bool:
        """Tell whether the value is a list."""
        return self in _ELEMENTS


_ELEMENTS = {
    Kind.BOOL_ARRAY: Kind.BOOL,
    Kind.INTEGER_ARRAY: Kind.INTEGER,
    Kind.DOUBLE_ARRAY: Kind.DOUBLE,
    Kind.STRING_ARRAY: Kind.STRING,
}
_ARRAYS = {element: array for array, element in _ELEMENTS.items()}
_SCALARS = ((bool, Kind.BOOL), (int, Kind.INTEGER), (float, Kind.DOUBLE), (str, Kind.STRING))

Value = bool | int | float | str | tuple


@dataclass(frozen=True)
class ParameterSpec:
    """
    Describe one parameter.

    Bounds and choices hold for each element of a list. `kind` is needed only where the default
    is an empty list. `dynamic` parameters may change while the node is configured.
    """

    name: str
    default: Value
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    kind: Kind | None = None
    dynamic: bool = False

    def __post_init__(self) -> None:
        """Infer the kind and check the default against the description itself."""
        if self.kind is None:
            object.__setattr__(self, 'kind', _kind_of(self.default))
        object.__setattr__(self, 'default', self.parse(self.default))

    @property
    def expected(self) -> str:
        """Say in words what the parameter accepts."""
        words = self.kind.value
        if self.choices:
            words += ' out of ' + ', '.join(self.choices)
        if self.minimum is not None and self.maximum is not None:
            words += f' from {self.minimum:g} to {self.maximum:g}'
        elif self.minimum is not None:
            words += f' of at least {self.minimum:g}'
        elif self.maximum is not None:
            words += f' of at most {self.maximum:g}'
        return words

    def parse(self, value: Any) -> Value:
        """
        Return the value in its final type, lists as tuples and integers as numbers.

        Raises ParameterError, which says what was found and what would be right.
        """
        if self.kind.is_array:
            # An empty list in a parameter file carries no type and arrives as None.
            items = () if value is None else value
            if isinstance(items, (str, bytes)) or not isinstance(items, Iterable):
                raise self._error(value)
            return tuple(self._scalar(item, value) for item in items)
        return self._scalar(value, value)

    def _scalar(self, item: Any, found: Any) -> Value:
        kind = self.kind.element
        if kind is Kind.DOUBLE and isinstance(item, int) and not isinstance(item, bool):
            item = float(item)
        if not _is_of(kind, item) or (kind is Kind.DOUBLE and not math.isfinite(item)):
            raise self._error(found)
        if self.choices and item not in self.choices:
            raise self._error(found)
        if self.minimum is not None and item < self.minimum:
            raise self._error(found)
        if self.maximum is not None and item > self.maximum:
            raise self._error(found)
        return item

    def _error(self, found: Any) -> ParameterError:
        return ParameterError(
            f"parameter '{self.name}': found {_show(found)}, expected {self.expected}")


def parse_parameters(
    specs: Sequence[ParameterSpec], found: Mapping[str, Any], node: str,
) -> dict[str, Value]:
    """
    Return the value of every parameter of the node, defaults filled in.

    Raises one ParameterError that lists everything wrong, one line each.
    """
    table = {spec.name: spec for spec in specs}
    values: dict[str, Value] = {}
    problems = [unknown_parameter(name, table) for name in found if name not in table]
    for spec in specs:
        try:
            values[spec.name] = spec.parse(found[spec.name]) if spec.name in found \
                else spec.default
        except ParameterError as error:
            problems.append(str(error))
    if problems:
        raise ParameterError('\n'.join(f'{node}: {problem}' for problem in problems))
    return values


def unknown_parameter(name: str, known: Iterable[str]) -> str:
    """Say that a parameter does not exist and which one was probably meant."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean '{close[0]}'?" if close else 'known are: ' + ', '.join(names)
    return f"parameter '{name}' does not exist; {hint}"


def _kind_of(value: Value) -> Kind:
    if isinstance(value, (list, tuple)):
        if not value:
            raise ParameterError('an empty default needs its kind')
        return _ARRAYS[_kind_of(value[0])]
    for python_type, kind in _SCALARS:
        if isinstance(value, python_type):
            return kind
    raise ParameterError(f'no parameter can hold {value!r}')


def _is_of(kind: Kind, item: Any) -> bool:
    if kind is Kind.INTEGER:
        return isinstance(item, int) and not isinstance(item, bool)
    return isinstance(item, {Kind.BOOL: bool, Kind.DOUBLE: float, Kind.STRING: str}[kind])


def _show(value: Any) -> str:
    if value is None:
        return 'nothing'
    if isinstance(value, (str, bool, int, float)):
        return f'{value!r} ({type(value).__name__})'
    return repr(list(value)) if isinstance(value, Iterable) else repr(value)
