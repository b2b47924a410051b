# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Actions after some time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from typing import TYPE_CHECKING

from .pop_locals import PopLocals
from ..event import Event
from ..event import EventHandler
from ..launch_description_entity import Action
from ..launch_description_entity import as_entities
from ..launch_description_entity import LaunchDescriptionEntity
from ..substitution import perform_text
from ..substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class TimerEvent(Event):
    """A timer is due."""

    name = 'launch.events.TimerEvent'

    def __init__(self, timer: TimerAction) -> None:
        self.timer = timer


class TimerAction(Action):
    """Visit actions once a period in seconds has passed."""

    def __init__(self, *, period: float | SomeSubstitutionsType,
                 actions: Iterable[LaunchDescriptionEntity], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._period = period
        self._actions = as_entities(actions)

    def execute(self, context: LaunchContext) -> None:
        """Start the timer."""
        period = self._period
        seconds = float(
            period if isinstance(period, (int, float)) else perform_text(context, period))
        # What was current when the timer started is current again when it is due.
        saved = context.locals.merged()

        def visit_actions(event: Event, context: LaunchContext) -> list[LaunchDescriptionEntity]:
            context.locals.push(saved)
            return [*self._actions, PopLocals()]

        context.register_event_handler(EventHandler(
            matcher=lambda event: isinstance(event, TimerEvent) and event.timer is self,
            entities=visit_actions, handle_once=True))
        assert context.supervisor is not None
        context.supervisor.call_later(
            seconds, lambda: context.emit_event_sync(TimerEvent(self)))

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the actions."""
        return self._actions
