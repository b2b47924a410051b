# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An answer to later events."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from ..event import EventHandler
from ..launch_description_entity import Action
from ..launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class RegisterEventHandler(Action):
    """Let a handler answer events from now on."""

    def __init__(self, event_handler: EventHandler, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.event_handler = event_handler

    def execute(self, context: LaunchContext) -> None:
        """Register the handler."""
        context.register_event_handler(self.event_handler)

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the answering entities that are known beforehand."""
        return self.event_handler.describe_sub_entities()
