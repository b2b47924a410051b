# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Switch torque on without a jump, and let go of it within a bus loop."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from apprentice_control.calibration import JointCalibration
from apprentice_control.units import ticks_to_rad
from feetech_driver.bus import FeetechBus
from feetech_driver.errors import BusError
from feetech_driver.errors import TransactionError
from feetech_driver.release import RAMP_S

# A servo drives into its limits at full speed; from farther away the arm would jump.
OUTSIDE_TICKS = 46
_ATTEMPTS = 10


class OutsideError(BusError):
    """Report joints that stand outside their calibrated range."""


def energise(
    bus: FeetechBus, joints: Sequence[JointCalibration], limits: Mapping[str, int],
) -> dict[str, int]:
    """
    Switch torque on at the pose in which the arm stands; return it in ticks.

    The goals are written and read back before any torque. `limits` are the torque limits by
    joint. BusError says which motor refused, or stands outside its range.
    """
    present = read_all(bus)
    _check_inside(joints, present)
    for _ in range(_ATTEMPTS):
        bus.write_goals(present)
        if bus.read_many('goal_position') == present:
            break
    else:
        raise TransactionError('the motors do not take over goal positions: check the bus')
    for name, limit in limits.items():
        bus.write(name, 'torque_limit', limit)
    for name in present:
        bus.write(name, 'torque_enable', 1)
    for name in present:
        bus.write(name, 'lock', 1)
    return present


def read_all(bus: FeetechBus) -> dict[str, int]:
    """Return the position of every motor in ticks; TransactionError when one stays silent."""
    states = {}
    for _ in range(_ATTEMPTS):
        states = bus.read_state()
        if len(states) == len(bus.motors):
            return {name: state.position_raw for name, state in states.items()}
    silent = [name for name in bus.motors if name not in states]
    raise TransactionError(
        f"{', '.join(silent)}: no plausible position; check the cable and the supply",
        tuple(bus.motors[name].id for name in silent))


class Fade:
    """Torque limits to 0 over a second, then torque off: one step in each bus cycle."""

    def __init__(self, bus: FeetechBus, limits: Mapping[str, int], now_ns: int) -> None:
        """Begin with these torque limits by motor; none where the model has no such register."""
        self._bus = bus
        self._limits = dict(limits)
        self._begin_ns = now_ns
        self._pending = list(bus.motors)

    def step(self, now_ns: int) -> bool:
        """Do the next step; tell whether torque is off everywhere."""
        rest = 1.0 - (now_ns - self._begin_ns) / (RAMP_S * 1e9)
        if self._limits and rest > 0.0:
            self._bus.write_many('torque_limit', {
                name: int(limit * rest) for name, limit in self._limits.items()})
            return False
        for name in self._pending[:]:
            try:
                self._bus.write(name, 'torque_enable', 0)
            except TransactionError:
                continue  # this motor's turn comes again; the others must not wait for it
            self._pending.remove(name)
        return not self._pending


def _check_inside(joints: Sequence[JointCalibration], present: Mapping[str, int]) -> None:
    outside = []
    for joint in joints:
        ticks = present[joint.name]
        beyond = max(joint.range_min - ticks, ticks - joint.range_max)
        if beyond > OUTSIDE_TICKS:
            outside.append(
                f'{joint.name} stands {ticks_to_rad(beyond):.2f} rad outside its calibrated range '
                f'({ticks} ticks, expected {joint.range_min} to {joint.range_max})')
    if outside:
        raise OutsideError(
            f"{'; '.join(outside)}. Torque on would make it jump: move it inside by hand, or "
            'calibrate again.')
