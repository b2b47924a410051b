# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The end of the launch."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from .._console import Level
from ..events import Shutdown as ShutdownEvent
from ..events.process import ProcessExited
from ..launch_description_entity import Action
from ..substitution import perform_text
from ..substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class Shutdown(Action):
    """End all processes, then the launch."""

    def __init__(self, *, reason: SomeSubstitutionsType = 'reason not given',
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reason = reason

    def execute(self, context: LaunchContext) -> None:
        """Emit the event that begins the end."""
        event = getattr(context.locals, 'event', None)
        if isinstance(event, ProcessExited):
            assert context.supervisor is not None
            context.supervisor.console.log(
                Level.INFO, 'launch', f'process[{event.process_name}] was required: shutting down '
                                      'launched system')
        context.emit_event_sync(ShutdownEvent(reason=perform_text(context, self._reason)))
