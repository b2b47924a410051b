# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Handlers for the events of a launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Union

from ._missing import refuse_missing
from .event import Event
from .event import EventHandler
from .event import Handler
from .events import Shutdown
from .events.process import ProcessEvent
from .events.process import ProcessExited
from .events.process import ProcessStarted
from .launch_description_entity import Action

Target = Union[Action, Callable[[Action], bool], None]


class OnProcessExit(EventHandler):
    """Answer the end of a process; without target, of any process."""

    def __init__(self, *, target_action: Target = None, on_exit: Handler,
                 handle_once: bool = False) -> None:
        super().__init__(
            matcher=_process_matcher(ProcessExited, target_action), entities=on_exit,
            handle_once=handle_once)


class OnProcessStart(EventHandler):
    """Answer the start of a process; without target, of any process."""

    def __init__(self, *, target_action: Target = None, on_start: Handler,
                 handle_once: bool = False) -> None:
        super().__init__(
            matcher=_process_matcher(ProcessStarted, target_action), entities=on_start,
            handle_once=handle_once)


class OnShutdown(EventHandler):
    """Answer the beginning of the launch's shutdown."""

    def __init__(self, *, on_shutdown: Handler, handle_once: bool = False) -> None:
        super().__init__(
            matcher=lambda event: isinstance(event, Shutdown), entities=on_shutdown,
            handle_once=handle_once)


def _process_matcher(kind: type[ProcessEvent], target: Target) -> Callable[[Event], bool]:
    if target is not None and not isinstance(target, Action) and not callable(target):
        raise TypeError(f'target_action={target!r}: expected an action, a function or None')

    def matches(event: Event) -> bool:
        if not isinstance(event, kind):
            return False
        if target is None or event.action is target:
            return True
        return not isinstance(target, Action) and target(event.action)
    return matches


__all__ = ['OnProcessExit', 'OnProcessStart', 'OnShutdown']
__getattr__ = refuse_missing(__name__)
