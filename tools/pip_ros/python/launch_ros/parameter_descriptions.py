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
        return _typed(context, name, value)
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Substitution):
        return _parse(name, perform_text(context, value))
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        if any(isinstance(item, Substitution) for item in value):
            return _parse(name, perform_text(context, value))
        return _uniform(name, list(value))
    raise TypeError(
        f"parameter '{name}': {value!r} of type {type(value).__name__} is not a parameter value; "
        'expected bool, int, float, str, a list of one of these, or a substitution')


def _typed(context: LaunchContext, name: str, parameter: ParameterValue) -> Value:
    value = parameter.value
    if parameter.value_type is None:
        return _evaluate(context, name, value)
    if not isinstance(value, (bool, int, float)) and not _is_plain_list(value):
        text = perform_text(context, value)
        value = text if parameter.value_type is str else _parse(name, text)
    if not _has_type(value, parameter.value_type):
        raise ValueError(
            f"parameter '{name}': expected {parameter.value_type}, found {value!r} of type "
            f'{type(value).__name__}')
    return float(value) if parameter.value_type is float else value


def _is_plain_list(value: Any) -> bool:
    return (isinstance(value, Sequence) and not isinstance(value, str)
            and not any(isinstance(item, (str, Substitution)) for item in value))


def _has_type(value: Any, kind: Any) -> bool:
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_has_type(v, get_args(kind)[0]) for v in value)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is kind


def _parse(name: str, text: str) -> Value:
    # Only here, so that a launch without substituted parameters starts sooner.
    import yaml
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if isinstance(value, list):
        return _uniform(name, value)
    return value if isinstance(value, (bool, int, float)) else text


def _uniform(name: str, items: list[Any]) -> list[Scalar]:
    kinds = {type(item) for item in items}
    if kinds == {int, float}:
        return [float(item) for item in items]
    if len(kinds) > 1 or not kinds <= {bool, int, float, str}:
        raise TypeError(
            f"parameter '{name}': {items!r}: expected a list of values of one type, bool, int, "
            'float or str')
    return items


__all__ = ['ParameterFile', 'ParameterValue']
__getattr__ = refuse_missing(__name__)
