# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Two arm pairs: each a launch of its own, so that the end of one leaves the other alone."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

from launch import Action
from launch import LaunchContext
from launch.actions import ExecuteProcess
from launch.actions import LogInfo
from launch.actions import RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from so100_bringup.hardware import ROLES
from so100_bringup.hardware import SIDES
from so100_bringup.settings import Settings

# The launch of a pair lets its drivers lower their arms, and insists after 5 s and again after 5.
PAIR_SIGTERM_TIMEOUT_S = '12'


def pair_command(
    side: str, settings: Settings, ports: Mapping[str, str], cameras: Iterable[str],
) -> list[str]:
    """
    Return the command that starts one pair in its namespace.

    `ports` are those given as arguments, by `<side>_<role>`; `cameras` those wanted of all, by
    `<side>/<name>`.
    """
    own = [name.removeprefix(f'{side}/') for name in cameras if name.startswith(f'{side}/')]
    values = {
        **vars(settings),
        'namespace': '/'.join(filter(None, (settings.namespace, side))),
        'side': side,
        # Two worlds that look the same would teach that left and right do.
        'seed': settings.seed + SIDES.index(side),
        'cameras': ','.join(own) or 'none',
        'robot_id': f'{settings.robot_id}_{side}' if settings.robot_id else '',
        **{f'{role}_port': ports[f'{side}_{role}'] for role in ROLES},
    }
    return ['ros2', 'launch', 'so100_bringup', 'teleop.launch.py',
            *(f'{name}:={_word(value)}' for name, value in values.items() if value != '')]


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Pairs:
    """Starts the pairs and answers the end of one."""

    def __init__(self, commands: Mapping[str, list[str]]) -> None:
        """Take the command of each side."""
        self._commands = dict(commands)
        self._running = set(commands)

    def actions(self) -> list[Action]:
        """Return what starts the pairs."""
        return [action for side in self._commands for action in self._start(side)]

    def _start(self, side: str) -> list[Action]:
        process = ExecuteProcess(
            cmd=self._commands[side], name=side, output='screen',
            sigterm_timeout=PAIR_SIGTERM_TIMEOUT_S)
        return [RegisterEventHandler(OnProcessExit(
            target_action=process,
            on_exit=lambda event, context: self._ended(side, event, context))), process]

    def _ended(
        self, side: str, event: ProcessExited, context: LaunchContext,
    ) -> Iterable[Action]:
        self._running.discard(side)
        if context.is_shutdown:
            return []
        what = f'the {side} pair has ended (exit code {event.returncode})'
        if not self._running:
            # Only an exception makes upstream's launch return a non-zero exit code.
            raise RuntimeError(f'{what}, and no other runs')
        again = ' '.join(self._commands[side])
        return [LogInfo(msg=f'{what}; the {", ".join(sorted(self._running))} pair keeps running. '
                            f'To start it again: {again}')]
