# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Things that happen during a launch, and what reacts to them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Union

from .launch_description_entity import as_entities
from .launch_description_entity import LaunchDescriptionEntity
from .launch_description_entity import SomeEntitiesType

if TYPE_CHECKING:
    from .launch_context import LaunchContext

Handler = Union[
    SomeEntitiesType, Callable[['Event', 'LaunchContext'], Union[SomeEntitiesType, None]]]


class Event:
    """Something that happened."""

    name = 'launch.Event'


class EventHandler:
    """Answer each matching event with entities to visit."""

    def __init__(self, *, matcher: Callable[[Event], bool], entities: Handler | None = None,
                 handle_once: bool = False) -> None:
        self._matcher = matcher
        self._entities = entities
        self.handle_once = handle_once

    def matches(self, event: Event) -> bool:
        """Tell whether this handler answers the event."""
        return self._matcher(event)

    def handle(self, event: Event, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities that answer the event."""
        if self.handle_once:
            context.unregister_event_handler(self)
        if callable(self._entities):
            return as_entities(self._entities(event, context))
        return as_entities(self._entities)

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the answering entities that are known beforehand."""
        return [] if callable(self._entities) else as_entities(self._entities)
