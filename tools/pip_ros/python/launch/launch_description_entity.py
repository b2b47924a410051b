# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a launch description consists of."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Optional
from typing import TYPE_CHECKING
from typing import Union

from .substitution import describe

if TYPE_CHECKING:
    from .conditions import Condition
    from .launch_context import LaunchContext


class LaunchDescriptionEntity:
    """Something that a launch service can visit."""

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Do the entity's work and return the entities to visit next."""
        raise NotImplementedError

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities inside that are known before the launch runs."""
        return []

    def describe(self) -> str:
        """Return one line for `ros2 launch --print`."""
        return f'{type(self).__name__}()'


class Action(LaunchDescriptionEntity):
    """Do one thing when visited, if its condition holds."""

    def __init__(self, *, condition: Optional[Condition] = None, **unknown: object) -> None:
        if unknown:
            raise TypeError(
                f"{type(self).__name__}: this workspace's stand-in does not know the argument "
                f"'{next(iter(unknown))}'; run with a ROS 2 distribution, or add it under "
                'tools/pip_ros/python')
        self.condition = condition

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Execute the action unless its condition is false."""
        if self.condition is None or self.condition.evaluate(context):
            return self.execute(context)
        return None

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Do the action's work and return the entities to visit next."""
        raise NotImplementedError


SomeEntitiesType = Union[LaunchDescriptionEntity, Iterable[LaunchDescriptionEntity]]


def as_entities(value: SomeEntitiesType | None) -> list[LaunchDescriptionEntity]:
    """Return the entities in a value that is one entity, several, or None."""
    if value is None:
        return []
    entities = [value] if isinstance(value, LaunchDescriptionEntity) else list(value)
    for entity in entities:
        if not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(
                f'expected an action or a launch description, found {entity!r} '
                f'of type {type(entity).__name__}')
    return entities


def describe_tree(entity: LaunchDescriptionEntity, indent: str = '') -> list[str]:
    """Return the lines that show an entity and what is known to be inside it."""
    lines = [indent + entity.describe()]
    for child in entity.describe_sub_entities():
        lines += describe_tree(child, indent + '    ')
    return lines


__all__ = [
    'Action', 'LaunchDescriptionEntity', 'SomeEntitiesType', 'as_entities', 'describe',
    'describe_tree']
