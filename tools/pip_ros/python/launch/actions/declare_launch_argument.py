# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An argument of a launch file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from typing import TYPE_CHECKING

from .._console import Level
from ..launch_description_entity import Action
from ..substitution import describe
from ..substitution import normalize_to_list_of_substitutions
from ..substitution import perform_substitutions
from ..substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class DeclareLaunchArgument(Action):
    """Declare an argument, with a default unless it is required."""

    def __init__(self, name: str, *, default_value: SomeSubstitutionsType | None = None,
                 description: str | None = None, choices: Iterable[str] | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.choices = None if choices is None else list(choices)
        self.default_value = (
            None if default_value is None else normalize_to_list_of_substitutions(default_value))
        self.description = _describe_argument(description, self.choices)
        if isinstance(default_value, str) and self.choices and default_value not in self.choices:
            raise RuntimeError(
                f'Provided default_value "{default_value}" is not in provided choices '
                f'"{self.choices}".')

    def execute(self, context: LaunchContext) -> None:
        """Set the launch configuration to its default, or check the value given."""
        configurations = context.launch_configurations
        context.known_configurations.add(self.name)
        if self.name not in configurations:
            if self.default_value is None:
                raise RuntimeError(
                    f"Required launch argument '{self.name}' (description: "
                    f"'{self.description}') was not provided")
            configurations[self.name] = perform_substitutions(context, self.default_value)
        value = configurations[self.name]
        if self.choices is not None and value not in self.choices:
            message = (f'Argument "{self.name}" provided value "{value}" is not valid. '
                       f'Valid options are: {self.choices}')
            assert context.supervisor is not None
            context.supervisor.console.log(
                Level.ERROR, 'launch.actions.declare_launch_argument', message)
            raise RuntimeError(message)

    def describe(self) -> str:
        """Return the name and the default."""
        default = '' if self.default_value is None else f', default={describe(self.default_value)}'
        return f"DeclareLaunchArgument('{self.name}'{default})"


def _describe_argument(description: str | None, choices: list[str] | None) -> str:
    text = description or 'no description given'
    if choices is None:
        return text
    return f"{text.rstrip('.')}. Valid choices are: {choices}"
