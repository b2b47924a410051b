# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The state that a launch description changes while it runs."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import MutableMapping
import os
from typing import Any
from typing import TYPE_CHECKING

from .event import Event
from .event import EventHandler
from .substitution import Substitution

if TYPE_CHECKING:
    from ._supervisor import Supervisor


class Locals:
    """Give the values that hold during one visit as attributes."""

    def __init__(self) -> None:
        self._frames: list[dict[str, Any]] = [{}]

    def __getattr__(self, name: str) -> Any:
        for frame in reversed(self._frames):
            if name in frame:
                return frame[name]
        raise AttributeError(f"context has no local '{name}'")

    def push(self, values: dict[str, Any]) -> None:
        """Add a frame of values that hides older ones."""
        self._frames.append(values)

    def pop(self) -> None:
        """Take the newest frame away."""
        self._frames.pop()

    def merged(self) -> dict[str, Any]:
        """Return the values that hold now."""
        return {name: value for frame in self._frames for name, value in frame.items()}


class LaunchContext:
    """Hold launch configurations, environment, locals and event handlers."""

    def __init__(self, *, argv: list[str] | None = None, noninteractive: bool = False) -> None:
        self.argv = list(argv or [])
        self.noninteractive = noninteractive
        self.launch_configurations: dict[str, str] = {}
        self.locals = Locals()
        self.known_configurations: set[str] = set()
        self.is_shutdown = False
        self.supervisor: Supervisor | None = None
        self.emit: Callable[[Event], None] | None = None
        self._handlers: list[EventHandler] = []
        self._configuration_stack: list[dict[str, str]] = []
        self._environment_stack: list[dict[str, str]] = []

    @property
    def environment(self) -> MutableMapping[str, str]:
        """Return the environment that processes started from now on inherit."""
        return os.environ

    def perform_substitution(self, substitution: Substitution) -> str:
        """Return the substitution's text in this context."""
        return substitution.perform(self)

    def push_configurations(self) -> None:
        """Remember the launch configurations."""
        self._configuration_stack.append(dict(self.launch_configurations))

    def pop_configurations(self) -> None:
        """Go back to the launch configurations last remembered."""
        self.launch_configurations = self._configuration_stack.pop()

    def push_environment(self) -> None:
        """Remember the environment."""
        self._environment_stack.append(dict(os.environ))

    def pop_environment(self) -> None:
        """Go back to the environment last remembered."""
        restore_environment(self._environment_stack.pop())

    def register_event_handler(self, handler: EventHandler) -> None:
        """Let a handler answer events; the newest handler answers first."""
        self._handlers.insert(0, handler)

    def unregister_event_handler(self, handler: EventHandler) -> None:
        """Take a handler away."""
        self._handlers.remove(handler)

    def handlers_for(self, event: Event) -> list[EventHandler]:
        """Return the handlers that answer the event, newest first."""
        return [handler for handler in self._handlers if handler.matches(event)]

    def emit_event_sync(self, event: Event) -> None:
        """Queue an event; its handlers run once the current visit is over."""
        if self.emit is None:
            raise RuntimeError(f'{event.name} was emitted while no launch service runs')
        self.emit(event)


def restore_environment(saved: dict[str, str]) -> None:
    """Make os.environ equal to a copy taken before."""
    for name in set(os.environ) - set(saved):
        del os.environ[name]
    for name, value in saved.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
