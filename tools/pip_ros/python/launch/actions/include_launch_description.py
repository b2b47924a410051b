# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A launch description inside another one."""

from __future__ import annotations

from collections.abc import Iterable
import os
from typing import Any
from typing import TYPE_CHECKING

from .pop_locals import PopLocals
from ..launch_description import LaunchDescription
from ..launch_description_entity import Action
from ..launch_description_entity import LaunchDescriptionEntity
from ..launch_description_sources import LaunchDescriptionSource
from ..launch_description_sources import PythonLaunchDescriptionSource
from ..substitution import perform_text
from ..substitution import SomeSubstitutionsType
from ..substitution import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

Argument = tuple[SomeSubstitutionsType, SomeSubstitutionsType]


class IncludeLaunchDescription(Action):
    """Visit another launch description with some of its arguments set."""

    def __init__(self, launch_description_source: LaunchDescriptionSource | SomeSubstitutionsType,
                 *, launch_arguments: Iterable[Argument] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(launch_description_source, LaunchDescriptionSource):
            launch_description_source = PythonLaunchDescriptionSource(launch_description_source)
        self._source = launch_description_source
        self._arguments = list(launch_arguments or [])

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Set the arguments and return the included entities."""
        description = self._source.get_launch_description(context)
        given = {perform_text(context, name): perform_text(context, value)
                 for name, value in self._arguments}
        self._check_required(description, given)
        context.launch_configurations.update(given)
        path = os.path.abspath(self._source.location)
        context.locals.push({'current_launch_file_path': path})
        return [description, PopLocals()]

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the included description if its place is known beforehand."""
        from ..launch_context import LaunchContext
        try:
            return [self._source.get_launch_description(LaunchContext())]
        except SubstitutionFailure:
            return []

    def describe(self) -> str:
        """Return the place of the included description."""
        return f'IncludeLaunchDescription({self._source.location})'

    @staticmethod
    def _check_required(description: LaunchDescription, given: dict[str, str]) -> None:
        for argument in description.required_arguments():
            if argument.name not in given:
                raise RuntimeError(
                    f"Included launch description missing required argument '{argument.name}' "
                    f"(description: '{argument.description}'), given: [{', '.join(given)}]")
