# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A list of entities, as a launch file returns it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .launch_description_entity import as_entities
from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .actions import DeclareLaunchArgument
    from .launch_context import LaunchContext


class LaunchDescription(LaunchDescriptionEntity):
    """Visit a list of entities in order."""

    def __init__(self, initial_entities: Iterable[LaunchDescriptionEntity] | None = None) -> None:
        self.entities = as_entities(initial_entities)

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        """Append one entity."""
        self.entities += as_entities(entity)

    def add_action(self, action: LaunchDescriptionEntity) -> None:
        """Append one action."""
        self.add_entity(action)

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities to visit."""
        return self.entities

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities."""
        return self.entities

    def get_launch_arguments(self) -> list[DeclareLaunchArgument]:
        """Return the declared arguments, those of included files too, each name once."""
        found: dict[str, DeclareLaunchArgument] = {}
        for argument in _declared(self, with_includes=True):
            found.setdefault(argument.name, argument)
        return list(found.values())

    def required_arguments(self) -> list[DeclareLaunchArgument]:
        """Return the arguments that whoever includes this description must give."""
        return [argument for argument in _declared(self, with_includes=False)
                if argument.default_value is None]


def _declared(entity: LaunchDescriptionEntity,
              with_includes: bool) -> Iterator[DeclareLaunchArgument]:
    from .actions import DeclareLaunchArgument
    from .actions import IncludeLaunchDescription
    if isinstance(entity, DeclareLaunchArgument):
        yield entity
    # What stands under a condition may never be reached.
    elif with_includes or not (isinstance(entity, IncludeLaunchDescription)
                               or getattr(entity, 'condition', None)):
        for child in entity.describe_sub_entities():
            yield from _declared(child, with_includes)
