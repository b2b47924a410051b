# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The substitutions that launch files use."""

from __future__ import annotations

from collections.abc import Iterable
import math
import os
from typing import TYPE_CHECKING

from ._missing import refuse_missing
from .substitution import describe
from .substitution import normalize_to_list_of_substitutions
from .substitution import perform_substitutions
from .substitution import perform_text
from .substitution import SomeSubstitutionsType
from .substitution import Substitution
from .substitution import SubstitutionFailure
from .substitution import TextSubstitution

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class LaunchConfiguration(Substitution):
    """Stand for the value of a launch argument or configuration."""

    def __init__(self, variable_name: SomeSubstitutionsType, *,
                 default: SomeSubstitutionsType | None = None) -> None:
        self.variable_name = normalize_to_list_of_substitutions(variable_name)
        self._default = default

    def perform(self, context: LaunchContext) -> str:
        """Return the configuration's value, or the default."""
        name = perform_substitutions(context, self.variable_name)
        context.known_configurations.add(name)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self._default is None:
            raise SubstitutionFailure(f"launch configuration '{name}' does not exist")
        return perform_text(context, self._default)

    def describe(self) -> str:
        """Return the name of the configuration."""
        return f'LaunchConfig({describe(self.variable_name)})'


class EnvironmentVariable(Substitution):
    """Stand for the value of an environment variable."""

    def __init__(self, name: SomeSubstitutionsType, *,
                 default_value: SomeSubstitutionsType | None = None) -> None:
        self.name = normalize_to_list_of_substitutions(name)
        self._default_value = default_value

    def perform(self, context: LaunchContext) -> str:
        """Return the variable's value, or the default."""
        name = perform_substitutions(context, self.name)
        if name in context.environment:
            return context.environment[name]
        if self._default_value is None:
            raise SubstitutionFailure(f"environment variable '{name}' does not exist")
        return perform_text(context, self._default_value)

    def describe(self) -> str:
        """Return the name of the variable."""
        return f'EnvVar({describe(self.name)})'


class PathJoinSubstitution(Substitution):
    """Join path components, each a text or a substitution."""

    def __init__(self, substitutions: Iterable[str | Substitution]) -> None:
        self.substitutions = normalize_to_list_of_substitutions(substitutions)

    def perform(self, context: LaunchContext) -> str:
        """Return the joined path."""
        return os.path.join(*(part.perform(context) for part in self.substitutions))

    def describe(self) -> str:
        """Return the components."""
        return f"PathJoin({', '.join(part.describe() for part in self.substitutions)})"


class ThisLaunchFileDir(Substitution):
    """Stand for the folder of the current launch file."""

    def perform(self, context: LaunchContext) -> str:
        """Return the absolute path."""
        return os.path.dirname(current_launch_file(context))


def current_launch_file(context: LaunchContext) -> str:
    """Return the path of the launch file whose entities are being visited."""
    try:
        return context.locals.current_launch_file_path
    except AttributeError:
        raise SubstitutionFailure('no launch file is being run') from None


class EqualsSubstitution(Substitution):
    """Tell whether two values are equal as truth values, numbers or texts."""

    def __init__(self, left: SomeSubstitutionsType | bool | float,
                 right: SomeSubstitutionsType | bool | float) -> None:
        self.left = normalize_to_list_of_substitutions(_as_text(left))
        self.right = normalize_to_list_of_substitutions(_as_text(right))

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _word(self.holds(context))

    def holds(self, context: LaunchContext) -> bool:
        """Tell whether both sides are equal."""
        left = perform_substitutions(context, self.left)
        right = perform_substitutions(context, self.right)
        if left == right or _truth(left) is not None and _truth(left) is _truth(right):
            return True
        try:
            return math.isclose(float(left), float(right))
        except ValueError:
            return False

    def describe(self) -> str:
        """Return both sides."""
        return f'{type(self).__name__}({describe(self.left)}, {describe(self.right)})'


class NotEqualsSubstitution(EqualsSubstitution):
    """Tell whether two values differ."""

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _word(not self.holds(context))


def _as_text(value: object) -> SomeSubstitutionsType:
    if isinstance(value, (bool, int, float)):
        return str(value)
    return value  # type: ignore[return-value]


def _truth(text: str) -> bool | None:
    return {'true': True, '1': True, 'false': False, '0': False}.get(text.lower())


def _word(value: bool) -> str:
    return 'true' if value else 'false'


__all__ = [
    'EnvironmentVariable', 'EqualsSubstitution', 'LaunchConfiguration', 'NotEqualsSubstitution',
    'PathJoinSubstitution', 'SubstitutionFailure', 'TextSubstitution', 'ThisLaunchFileDir']
__getattr__ = refuse_missing(__name__)
