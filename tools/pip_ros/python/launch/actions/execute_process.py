# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A process of the launch."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
import os
from typing import Any
from typing import TYPE_CHECKING

from .._console import Output
from .._processes import ProcessSpec
from ..event import Handler
from ..event_handlers import OnProcessExit
from ..launch_description_entity import Action
from ..substitution import describe
from ..substitution import perform_text
from ..substitution import SomeSubstitutionsType
from ..substitutions import LaunchConfiguration

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

Variables = Mapping[SomeSubstitutionsType, SomeSubstitutionsType]
DEFAULT_TIMEOUT_S = '5'


class ExecuteProcess(Action):
    """Start a process and keep an eye on it."""

    def __init__(self, *, cmd: Iterable[SomeSubstitutionsType],
                 name: SomeSubstitutionsType | None = None,
                 cwd: SomeSubstitutionsType | None = None, env: Variables | None = None,
                 additional_env: Variables | None = None,
                 output: SomeSubstitutionsType = 'log', on_exit: Handler | None = None,
                 sigterm_timeout: SomeSubstitutionsType | None = None,
                 sigkill_timeout: SomeSubstitutionsType | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cmd = list(cmd)
        self._name = name
        self._cwd = cwd
        self._env = env
        self._additional_env = additional_env
        self._output = output
        self._on_exit = on_exit
        self._sigterm_timeout = _timeout('sigterm_timeout', sigterm_timeout)
        self._sigkill_timeout = _timeout('sigkill_timeout', sigkill_timeout)

    def execute(self, context: LaunchContext) -> None:
        """Queue the start of the process."""
        spec = self._spec(context)
        if self._on_exit is not None:
            context.register_event_handler(
                OnProcessExit(target_action=self, on_exit=self._on_exit))
        assert context.supervisor is not None
        context.supervisor.start(self, spec)

    def command(self, context: LaunchContext) -> list[str]:
        """Return the program and its arguments."""
        return [perform_text(context, part) for part in self.cmd]

    def describe(self) -> str:
        """Return the command with its substitutions."""
        return f"{type(self).__name__}(cmd=[{', '.join(describe(part) for part in self.cmd)}])"

    def _spec(self, context: LaunchContext) -> ProcessSpec:
        cmd = self.command(context)
        name = os.path.basename(cmd[0]) if self._name is None else perform_text(
            context, self._name)
        output = os.environ.get('OVERRIDE_LAUNCH_PROCESS_OUTPUT') or perform_text(
            context, self._output)
        assert context.supervisor is not None
        return ProcessSpec(
            name=context.supervisor.next_name(name), cmd=tuple(cmd),
            cwd=None if self._cwd is None else perform_text(context, self._cwd),
            env=self._environment(context), output=Output.parse(output),
            sigterm_timeout=_seconds(context, 'sigterm_timeout', self._sigterm_timeout),
            sigkill_timeout=_seconds(context, 'sigkill_timeout', self._sigkill_timeout))

    def _environment(self, context: LaunchContext) -> dict[str, str]:
        variables = dict(context.environment) if self._env is None else {}
        # A Python process would otherwise keep back what it prints while it writes to a pipe.
        variables.setdefault('PYTHONUNBUFFERED', '1')
        for more in (self._env or {}), (self._additional_env or {}):
            for name, value in more.items():
                variables[perform_text(context, name)] = perform_text(context, value)
        return variables


def _timeout(name: str, value: SomeSubstitutionsType | None) -> SomeSubstitutionsType:
    if value is None:
        return LaunchConfiguration(name, default=DEFAULT_TIMEOUT_S)
    return value


def _seconds(context: LaunchContext, name: str, value: SomeSubstitutionsType) -> str:
    text = perform_text(context, value)
    try:
        float(text)
    except ValueError:
        raise ValueError(f"{name} '{text}': expected a number of seconds") from None
    return text
