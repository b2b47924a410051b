# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters of nodes, before and after substitution."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import os
from typing import Any
from typing import get_args
from typing import get_origin
from typing import TYPE_CHECKING
from typing import Union

from launch._missing import refuse_missing
from launch.substitution import perform_text
from launch.substitution import SomeSubstitutionsType
from launch.substitution import Substitution

if TYPE_CHECKING:
    from launch import LaunchContext

Scalar = Union[bool, int, float, str]
Value = Union[Scalar, list[Scalar]]


class ParameterValue:
    """A parameter whose type is said, instead of read from its text."""

    def __init__(self, value: Any, *, value_type: Any = None,
                 description: SomeSubstitutionsType | None = None) -> None:
        self.value = value
        self.value_type = value_type
        self.description = description


class ParameterFile:
    """A YAML file of parameters."""

    def __init__(self, param_file: SomeSubstitutionsType) -> None:
        self.param_file = param_file

    def evaluate(self, context: LaunchContext) -> str:
        """Return the file's path."""
        return perform_text(context, self.param_file)


def evaluate_parameters(context: LaunchContext, values: Mapping[Any, Any],
                        prefix: str = '') -> dict[str, Value]:
    """Return a dictionary's parameters with dotted names for nested ones."""
    result: dict[str, Value] = {}
    for key, value in values.items():
        name = prefix + perform_text(context, key)
        if isinstance(value, Mapping):
            result.update(evaluate_parameters(context, value, f'{name}.'))
        else:
            result[name] = _evaluate(context, name, value)
    return result


def _evaluate(context: LaunchContext, name: str, value: Any) -> Value:
    if isinstance(value, ParameterValue):
        return _evaluate_typed(context, name, value)
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if _holds_substitution(value):
        return parse_text(name, perform_text(context, value))
    if isinstance(value, Sequence):
        items = list(value)
        if {type(item) for item in items} == {int, float}:
            return [float(item) for item in items]
        return _uniform(name, items)
    raise _unusable(name, value)


def _evaluate_typed(context: LaunchContext, name: str, parameter: ParameterValue) -> Value:
    value, kind = parameter.value, parameter.value_type
    if kind is None:
        return _evaluate(context, name, value)
    if isinstance(value, str) or _holds_substitution(value):
        text = perform_text(context, value)
        value = text if kind is str else parse_text(name, text)
    if kind is float and type(value) is int:
        return float(value)
    if not _has_type(value, kind):
        raise ValueError(
            f"parameter '{name}': expected {getattr(kind, '__name__', kind)}, found {value!r}")
    return value


def _holds_substitution(value: Any) -> bool:
    return isinstance(value, Substitution) or (
        isinstance(value, Sequence) and any(isinstance(item, Substitution) for item in value))


def _has_type(value: Any, kind: Any) -> bool:
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_has_type(v, get_args(kind)[0]) for v in value)
    return type(value) is kind


def parse_text(name: str, text: str) -> Value:
    """Return the value that YAML reads from a parameter's text."""
    # Only here, so that a launch without substituted parameters starts sooner.
    import yaml
    if not text:
        return text
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(
            f"parameter '{name}': '{text}' is no YAML value; for a plain text, wrap it in "
            'ParameterValue(..., value_type=str)') from error
    if isinstance(value, list):
        return _uniform(name, value)
    if isinstance(value, (bool, int, float, str)):
        return value
    raise _unusable(name, value)


def _uniform(name: str, items: list[Any]) -> list[Scalar]:
    kinds = {type(item) for item in items}
    if len(kinds) != 1 or not kinds <= {bool, int, float, str}:
        raise _unusable(name, items)
    return items


def _unusable(name: str, value: Any) -> TypeError:
    return TypeError(
        f"parameter '{name}': found {value!r} of type {type(value).__name__}, expected bool, int, "
        'float, str or a non-empty list of values of one of these; for a plain text, wrap it in '
        'ParameterValue(..., value_type=str)')


__all__ = ['ParameterFile', 'ParameterValue']
__getattr__ = refuse_missing(__name__)
