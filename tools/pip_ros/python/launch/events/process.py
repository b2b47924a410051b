# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Events of a process."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from .._missing import refuse_missing
from ..event import Event
from ..launch_description_entity import Action


class ProcessEvent(Event):
    """Something happened to a process of the launch."""

    name = 'launch.events.process.ProcessEvent'

    def __init__(self, *, action: Action, name: str, cmd: Sequence[str], cwd: str | None,
                 env: Mapping[str, str], pid: int) -> None:
        self.action = action
        self.process_name = name
        self.cmd = list(cmd)
        self.cwd = cwd
        self.env = env
        self.pid = pid


class ProcessStarted(ProcessEvent):
    """A process has started."""

    name = 'launch.events.process.ProcessStarted'


class ProcessExited(ProcessEvent):
    """A process has ended."""

    name = 'launch.events.process.ProcessExited'

    def __init__(self, *, returncode: int, action: Action, name: str, cmd: Sequence[str],
                 cwd: str | None, env: Mapping[str, str], pid: int) -> None:
        super().__init__(action=action, name=name, cmd=cmd, cwd=cwd, env=env, pid=pid)
        self.returncode = returncode


__all__ = ['ProcessExited', 'ProcessStarted']
__getattr__ = refuse_missing(__name__)
