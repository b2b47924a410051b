# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The cyclic read of all motors: one sync read, partial results, retries within a deadline."""

from __future__ import annotations

import struct
import time
from typing import Mapping

from feetech_driver import codec
from feetech_driver.counters import BusCounters
from feetech_driver.counters import MotorCounters
from feetech_driver.group_reader import GroupReader
from feetech_driver.motors import Motor
from feetech_driver.motors import MotorState
from feetech_driver.packets import PacketHandler
from feetech_driver.plausible import StepFilter
from feetech_driver.port import DeadlinePort
from feetech_driver.registers import Protocol
from feetech_driver.registers import REGISTERS

_SILENT_AFTER = 3
_PROBE_EVERY = 20
_PROBE_S = 0.005


class StateReader:
    """
    Read position, velocity, load, voltage and temperature of every motor in one exchange.

    A motor silent three times in a row leaves the common read, so that it does not slow the
    loop down, and is asked again every 20th time.
    """

    def __init__(
        self, port: DeadlinePort, handler: PacketHandler, reader: GroupReader,
        motors: Mapping[str, Motor], protocol: Protocol, counters: BusCounters,
        max_ticks_per_s: float, slack_ticks: int,
    ) -> None:
        """Read motors on port; refuse steps beyond max_ticks_per_s and slack_ticks."""
        table = REGISTERS[protocol]
        self._port = port
        self._handler = handler
        self._reader = reader
        self._counters = counters
        self._names = {motor.id: name for name, motor in motors.items()}
        self._address = table['present_position'].address
        self._layout = struct.Struct(('<' if protocol is Protocol.STS else '>') + '3H2B')
        self._signs = tuple(
            table[name].sign_bit
            for name in ('present_position', 'present_velocity', 'present_load'))
        self._cycle = 0
        self.motors = {ident: MotorCounters() for ident in self._names}
        self.filters = {
            ident: StepFilter(max_ticks_per_s, slack_ticks) for ident in self._names}

    def reset(self) -> None:
        """Forget positions and silences, as after a reconnect."""
        for ident, counters in self.motors.items():
            counters.misses_in_a_row = 0
            self.filters[ident].reset()

    def read(self, budget_s: float) -> dict[str, MotorState]:
        """Return the states of the motors that answered plausibly within budget_s."""
        start_ns = time.monotonic_ns()
        states: dict[int, MotorState] = {}
        wanted = tuple(
            ident for ident, counters in self.motors.items()
            if counters.misses_in_a_row < _SILENT_AFTER)
        silent = tuple(ident for ident in self.motors if ident not in wanted)
        self._cycle += 1
        probe = bool(silent) and self._cycle % _PROBE_EVERY == 0
        pending = wanted
        if pending:
            # The probe's time is part of the budget: a read never lasts longer.
            main_s = budget_s - _PROBE_S if probe else budget_s
            for ends_ns in self._handler.attempts(
                    self._port, self._address, self._layout.size, main_s):
                pending = self._attempt(pending, ends_ns, states)
                # Who was silent the last time too gets one attempt, not the whole budget.
                if all(self.motors[ident].misses_in_a_row for ident in pending):
                    break
        if probe:
            self._attempt(silent, min(
                time.monotonic_ns() + int(_PROBE_S * 1e9), start_ns + int(budget_s * 1e9)), states)
        for ident in wanted:
            if ident not in states:
                self.motors[ident].missing += 1
                self.motors[ident].misses_in_a_row += 1
        return {name: states[ident] for ident, name in self._names.items() if ident in states}

    def _attempt(
        self, idents: tuple[int, ...], ends_ns: int, states: dict[int, MotorState],
    ) -> tuple[int, ...]:
        sent_ns = time.monotonic_ns()
        replies = self._reader.read(idents, self._address, self._layout.size, ends_ns)
        now_ns = time.monotonic_ns()
        stamp_ns = (sent_ns + now_ns) // 2
        if len(replies) == len(idents):
            self._counters.reply_ns = now_ns - sent_ns
        position_bit, velocity_bit, load_bit = self._signs
        signed = codec.from_sign_magnitude
        for ident, (error, data) in replies.items():
            position, velocity, load, voltage, temperature = self._layout.unpack(data)
            position = signed(position, position_bit)
            counters = self.motors[ident]
            if not self.filters[ident].accept(position, stamp_ns):
                self._counters.implausible = sum(f.rejected for f in self.filters.values())
                counters.implausible = self.filters[ident].rejected
                continue
            states[ident] = MotorState(
                position, signed(velocity, velocity_bit), signed(load, load_bit),
                voltage / 10, temperature, error, stamp_ns)
            counters.replies += 1
            counters.misses_in_a_row = 0
            counters.seen_ns = now_ns
            counters.alarms += error & ~counters.error != 0
            counters.error = error
        return tuple(ident for ident in idents if ident not in states)
