# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read an arm that somebody moves by hand, and let go of one that holds itself."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import statistics

from apprentice_control.homing import wrapped
from apprentice_control.units import TICKS_PER_TURN
from feetech_driver.calibration_plan import Front
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import Row
from feetech_driver.calibration_servos import CalibrationBus
from feetech_driver.calibration_servos import persistent
from feetech_driver.connection import Interrupted
from feetech_driver.errors import BusError
from feetech_driver.errors import TransactionError

PERIOD_S = 0.01
SILENT_S = 0.5
LOST_S = 3.0
STILL_TICKS = 30
_SAMPLES = 11


class ArmReader:
    """Read where the joints stand, patient with single replies that are lost."""

    def __init__(
        self, bus: CalibrationBus, front: Front, clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        """Read nothing yet."""
        self._bus = bus
        self._front = front
        self._clock = clock
        self._pause = pause
        self._seen: dict[str, float] = {}

    def read(self) -> dict[str, int]:
        """
        Return the positions that were read, in ticks of 0..4095.

        Interrupted when the user stops, TransactionError when a motor stays silent.
        """
        if self._front.stopped():
            raise Interrupted('stopped by the user')
        asked = self._clock()
        states = self._bus.read_state()
        now = self._clock()
        if now - asked > SILENT_S:
            # The port was away meanwhile, so nobody can be blamed for having been silent.
            self._seen.clear()
        for name in self._bus.motors:
            if name in states:
                self._seen[name] = now
        lost = [name for name in self._bus.motors
                if now - self._seen.setdefault(name, now) > LOST_S]
        if lost:
            ids = ', '.join(f'{name} (id {self._bus.motors[name].id})' for name in lost)
            raise TransactionError(
                f'{ids}: no answer for {LOST_S:.0f} s; check the cable and the supply of the '
                'motors')
        return {name: state.position_raw % TICKS_PER_TURN for name, state in states.items()}

    def is_silent(self, name: str) -> bool:
        """Tell whether a motor has not answered lately."""
        return self._clock() - self._seen.get(name, 0.0) > SILENT_S

    def watch(self, take: Callable[[dict[str, int]], Sequence[Row]]) -> None:
        """Hand readings on and show what comes back until the user confirms."""
        while True:
            self._front.show(take(self.read()))
            if self._front.confirmed():
                return
            self._pause(PERIOD_S)

    def still(self, names: Iterable[str]) -> tuple[dict[str, int], list[str]]:
        """Return steady positions of these joints, and the names of those that moved."""
        samples: dict[str, list[int]] = {name: [] for name in names}
        while any(len(values) < _SAMPLES for values in samples.values()):
            positions = self.read()
            for name in samples.keys() & positions.keys():
                samples[name].append(positions[name])
            self._pause(PERIOD_S)
        steady, moved = {}, []
        for name, values in samples.items():
            steps = [wrapped(value - values[0]) for value in values]
            steady[name] = (values[0] + int(statistics.median_low(steps))) % TICKS_PER_TURN
            if max(steps) - min(steps) > STILL_TICKS:
                moved.append(name)
        return steady, moved


def loosen(bus: CalibrationBus, front: Front, reader: ArmReader) -> None:
    """Let go of motors that hold themselves, after the user has said that the arm is held."""
    holding = [name for name in bus.motors if persistent(
        lambda n=name: bus.read(n, 'torque_enable'))]
    if not holding:
        return
    front.begin(Phase.SUPPORT, (
        f'torque is on at {", ".join(holding)}. Support the arm with a hand, then confirm: the '
        'torque fades within a second'))
    reader.watch(lambda positions: [
        Row(name, ticks, ticks, ticks, 'torque on' if name in holding else '')
        for name, ticks in positions.items()])
    failed = bus.release()
    if failed:
        raise BusError(f'{", ".join(failed)}: torque does not go off; switch the supply of the '
                       'motors off and on, then start again')
