# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Drive an arm that takes lines of text on a serial port."""
from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
import math
import re
import time

from apprentice_control.guard import CommandGuard
from apprentice_control.guard import Goal
from apprentice_control.guard import GuardState
from apprentice_control.guard import JointLimit
from apprentice_node.arm.health import arm_health
from apprentice_node.arm.parameters import guard_config
from apprentice_node.arm.parameters import GUARD_SPECS
from apprentice_node.arm.topics import ArmTopics
from apprentice_node.diagnostics import Health
from apprentice_node.loop import Loop
from apprentice_node.loop import LoopError
from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import ParameterSpec
from apprentice_node.runner import run
import serial

RANGES = {'base': (-2.9, 2.9), 'shoulder': (-1.6, 1.6), 'elbow': (-2.2, 2.2)}  # rad
UNIT = math.radians(0.01)
REPLY = re.compile(rb'OK (-?\d{1,5}) (-?\d{1,5}) (-?\d{1,5})\r?\n')
RATE_HZ = 100.0
MISSES = 5  # in a row; after 0.5 s without a line the firmware lets go by itself
SPECS = (ParameterSpec('port', '', 'Serial port of the arm.'), *GUARD_SPECS)


class MyArmDriver(ManagedNode):
    """Publish the arm's pose, and move it behind a command guard."""

    expected_errors = (OSError, LoopError, ValueError)

    def __init__(self) -> None:
        super().__init__('my_arm_driver', SPECS)
        self._held = ExitStack()
        self._loop: Loop | None = None

    def configure(self) -> None:
        """Open the port and publish states from now on; torque stays as it is."""
        values, self._torque, self._misses = self.values, False, 0
        caps = values['max_velocity'], values['max_acceleration']
        limits = [JointLimit(name, *ends, *caps) for name, ends in RANGES.items()]
        self._guard = CommandGuard(guard_config(values, limits))
        self._port = serial.Serial(
            values['port'], 115200, timeout=0.05, write_timeout=0.05, exclusive=True)
        self._held.callback(self._port.close)
        self._pose = self._ask('POSE')
        self._topics = ArmTopics(self, RANGES, RATE_HZ, self._guard, values['source_names'])
        self._held.callback(self._topics.destroy)
        self._held.callback(self._set_torque, False)
        self._loop = Loop(round(1e9 / RATE_HZ), self._cycle, self.thread_failed)
        self._held.callback(self._loop.stop)
        self._loop.start()

    def activate(self) -> None:
        """Take over the measured pose, with torque on."""
        self._loop.call(lambda: self._set_torque(True))
        self._loop.call(lambda: self._guard.activate(time.monotonic_ns(), self._pose))
        self._topics.expect_commands(RATE_HZ)

    def deactivate(self) -> None:
        """Decelerate and hold; torque stays on."""
        self._loop.call(lambda: self._guard.deactivate(time.monotonic_ns()))
        while self._loop.running and self._guard.state is not GuardState.INACTIVE:
            time.sleep(0.005)
        self._topics.expect_commands(0.0)

    def release(self) -> None:
        """End the loop, switch torque off, withdraw the topics and close the port."""
        self._loop = None
        self._held.close()

    def health(self) -> Iterable[Health]:
        """Return what diagnostics show beside rates and lifecycle."""
        return () if self._loop is None else arm_health(self._loop, self._guard)

    def _cycle(self, now_ns: int) -> None:
        self._topics.poll(now_ns)
        try:
            self._move(self._guard.step(now_ns, self._pose))
            self._misses = 0
        except OSError:
            self._misses += 1
            if self._misses > MISSES:
                raise
        self._topics.publish_guard()

    def _move(self, goal: Goal) -> None:
        stamp_ns = time.monotonic_ns()
        if goal.active:
            self._set_torque(not goal.released)
        if goal.active and not goal.released:
            units = [round(angle / UNIT) for angle in goal.position]
            self._pose = self._ask('GOAL', *units)
            self._guard.written(stamp_ns)
            written = [unit * UNIT for unit in units]
            self._topics.publish_commands(stamp_ns, written, goal.velocity)
        else:
            self._pose = self._ask('POSE')
        self._topics.publish_states(time.monotonic_ns(), self._pose)

    def _set_torque(self, on: bool) -> None:
        if on is not self._torque:
            self._ask('TORQUE', int(on))
            self._torque = on

    def _ask(self, *words: object) -> list[float]:
        line = ' '.join(map(str, words))
        self._port.read(self._port.in_waiting)  # a reply that came late is not the next one's
        self._port.write(f'{line}\n'.encode())
        reply = self._port.read_until()
        angles = REPLY.fullmatch(reply)
        if angles is None:
            raise OSError(f'{self._port.port}: {line!r} was answered by {reply!r}, expected OK '
                          'and three angles: check cable and supply of the arm')
        return [int(angle) * UNIT for angle in angles.groups()]


def main() -> int:
    """Run the driver."""
    return run(MyArmDriver)
