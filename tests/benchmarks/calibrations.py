#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibrate simulated arms of random build, some of them badly, and count what is accepted."""
from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
import random
import sys
import time

from apprentice_control.calibration import JointCalibration
from apprentice_control.joint_travel import Fault
from apprentice_control.joint_travel import Travel
from apprentice_sim.mechanism import calibration_of
from apprentice_sim.mechanism import MechanicHand
from apprentice_sim.mechanism import Mechanism
from apprentice_sim.mechanism import Mount
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import Plan
from feetech_driver.calibration_plan import Refused
from feetech_driver.calibration_plan import Row
from feetech_driver.calibration_procedure import FreshCalibration
from feetech_driver.motors import Motor
from feetech_driver.motors import MotorState
from feetech_driver.registers import Protocol
from feetech_driver.registers import STS_REGISTERS

TURN = 4096
ARMS = (('so100', 'follower'), ('so100', 'leader'), ('so101', 'follower'), ('so101', 'leader'))
CALIBRATED = ('homing_offset', 'min_position_limit', 'max_position_limit')
BAD_SHARE = 0.4


class VirtualTime:
    """A clock that goes on only when somebody pauses."""

    def __init__(self) -> None:
        """Begin at a time that is not zero."""
        self.ns = 1_000_000_000

    def seconds(self) -> float:
        """Return the time in seconds."""
        return self.ns * 1e-9

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.ns += int(seconds * 1e9)


class DirectBus:
    """The registers of simulated servos without a wire; the bytes are those of the wire."""

    is_open = True

    def __init__(self, servos: Mapping[str, Servo], time_now: VirtualTime) -> None:
        """Reach these servos."""
        self.motors = {name: Motor(servo.servo_id) for name, servo in servos.items()}
        self._servos = servos
        self._time = time_now

    def read(self, name: str, register: str) -> int:
        """Return a register's value."""
        entry = STS_REGISTERS[register]
        data = self._servos[name].read(entry.address, entry.size, self._time.ns)
        return entry.decode(data, Protocol.STS)

    def write(self, name: str, register: str, value: int, verify: bool = True) -> bool:
        """Write a register, EEPROM so that it lasts."""
        entry, servo = STS_REGISTERS[register], self._servos[name]
        servo.write(STS_REGISTERS['lock'].address, b'\0', self._time.ns)
        servo.write(entry.address, entry.encode(value, Protocol.STS), self._time.ns)
        if self.read(name, register) != value:
            raise AssertionError(f'{name}: {register} does not take {value}')
        return True

    def read_state(self) -> dict[str, MotorState]:
        """Return where the motors stand."""
        return {name: MotorState(self.read(name, 'present_position'), 0, 0, 7.4, 30, 0,
                                 self._time.ns) for name in self.motors}

    def release(self, ramp_s: float = 1.0) -> tuple[str, ...]:
        """Nothing holds itself here."""
        return ()


@dataclass(frozen=True)
class Case:
    """One arm and how it is moved: what is wrong, by joint, and where the middle was put."""

    arm: str
    role: str
    servos: Mapping[str, Servo]
    mechanism: Mechanism
    middle: Mapping[str, float]
    wrong: Mapping[str, Fault]


def random_case(seed: int) -> Case:
    """Build an arm with horns at any angle; in some, joints are mirrored or moved badly."""
    chance = random.Random(seed)
    arm, role = chance.choice(ARMS)
    travels = Plan('', arm, role, 'x').travels
    bad = chance.random() < BAD_SHARE
    victims = set(chance.sample([*travels], chance.randint(1, 3))) if bad else set()
    servos, mounts, middle, wrong = {}, {}, {}, {}
    for ident, (name, travel) in enumerate(travels.items(), 1):
        width = travel.degrees * chance.uniform(0.85, 1.15) * TURN / 360
        mirrored = False
        if name in victims:
            fault = chance.choice((Fault.MIRRORED,) if travel.full_turn else (
                Fault.MIRRORED, Fault.UNMOVED, Fault.SHORT, Fault.LONG, Fault.TURNED))
            wrong[name] = fault
            mirrored = fault is Fault.MIRRORED
            if fault is Fault.UNMOVED:
                width = chance.uniform(0, 40)
            elif fault is Fault.SHORT:
                width = chance.uniform(60 * 360 / TURN, travel.shortest * 0.97) * TURN / 360
            elif fault is Fault.LONG:
                width = min(travel.longest * chance.uniform(1.03, 1.1) * TURN / 360, 0.94 * TURN)
            elif fault is Fault.TURNED:
                width = chance.uniform(0.96, 1.4) * TURN
        elif travel.full_turn:
            width = 0.9 * TURN
        half = int(width / 2)
        mounts[name] = Mount(chance.randrange(TURN), -half, half, mirrored)
        # A hand finds the middle by eye, sometimes not at all: near a stop the seam is crossed.
        share = 0.3 if travel.full_turn else chance.choice((0.1, 0.3, 0.9))
        middle[name] = float(round(half * share * chance.uniform(-1, 1)))
        if chance.random() < 0.1:
            # The one place from which half a turn cannot be encoded.
            middle[name] = 0.0
            mounts[name] = Mount(TURN - 1, -half, half, mirrored)
        servos[name] = Servo(STS3215, ident, name, settings=_leftovers(chance))
    return Case(arm, role, servos, Mechanism(servos, mounts), middle, wrong)


def _leftovers(chance: random.Random) -> dict[str, int]:
    """Return what an earlier life may have left in a servo."""
    if chance.random() < 0.5:
        return {}
    low = chance.randrange(2000)
    return {'homing_offset': chance.randint(-2047, 2047), 'min_position_limit': low,
            'max_position_limit': low + chance.randrange(1, 2000),
            'phase': chance.choice((12, 28))}


class Operator:
    """A Front whose hand does what every prompt says, then confirms."""

    def __init__(self, case: Case, travels: Mapping[str, Travel], now: VirtualTime) -> None:
        """Hold the arm."""
        self._case, self._travels, self._time = case, travels, now
        self._hand = MechanicHand(case.mechanism)

    def tell(self, text: str) -> None:
        """Listen."""

    def warn(self, text: str) -> None:
        """Listen."""

    def begin(self, phase: Phase, prompt: str) -> None:
        """Begin to move as the phase wants it."""
        case = self._case
        if phase is Phase.MIDDLE:
            self._hand.lead(case.middle)
        elif phase is Phase.RANGE:
            self._hand.sweep(*case.mechanism.mounts)
        elif phase is Phase.DIRECTION:
            self._hand.lead({
                name: case.middle[name] + travel.side * 700 if travel.full_turn
                else travel.side * case.mechanism.mounts[name].upper * 0.8
                for name, travel in self._travels.items()})

    def show(self, rows: Sequence[Row]) -> None:
        """Move on."""
        self._hand.move(self._time.ns)

    def confirmed(self) -> bool:
        """Confirm when the hand has arrived."""
        return self._hand.done

    def stopped(self) -> bool:
        """Never stop."""
        return False


@dataclass(frozen=True)
class Result:
    """What came of one case: faults said and done to joints, and how far off the rest was."""

    wrong: Mapping[str, Fault]
    refused: Mapping[str, str]
    off_ticks: int
    kept_registers: bool


def calibrate(case: Case) -> Result:
    """Calibrate one case and compare with what the mechanism's builder knows."""
    now = VirtualTime()
    plan = Plan('virtual', case.arm, case.role, 'benchmark', redo=False,
                calibration_file='/nonexistent/benchmark.json')
    bus = DirectBus(case.servos, now)
    before = _registers(bus)
    try:
        found = FreshCalibration(
            bus, plan, Operator(case, plan.travels, now), clock=now.seconds,
            pause=now.pause).run({}, lambda joints: None)
    except Refused as error:
        return Result(case.wrong, error.verdicts, 0, _registers(bus) == before)
    off = max(_off(case, bus, joint) for joint in found.values())
    return Result(case.wrong, {}, off, True)


def _registers(bus: DirectBus) -> dict[tuple[str, str], int]:
    return {(name, register): bus.read(name, register)
            for name in bus.motors for register in (*CALIBRATED, 'phase')}


def _off(case: Case, bus: DirectBus, joint: JointCalibration) -> int:
    """Return by how many ticks a joint differs from the reference, its registers included."""
    mount = case.mechanism.mounts[joint.name]
    right = calibration_of(joint.id, mount, case.middle[joint.name])
    in_servo = tuple(bus.read(joint.name, register) for register in CALIBRATED)
    if in_servo != (joint.homing_offset, joint.range_min, joint.range_max):
        raise AssertionError(f'{joint.name}: the servo holds {in_servo}, the file {joint}')
    if (joint.range_min, joint.range_max) == (0, TURN - 1):
        # A whole turn: where it begins depends on the middle alone.
        return abs((mount.horn + round(case.middle[joint.name]) - joint.homing_offset - 2047
                    + TURN // 2) % TURN - TURN // 2)
    ends = sorted((mount.encoder(mount.lower), mount.encoder(mount.upper)))
    seen = (joint.range_min + joint.homing_offset, joint.range_max + joint.homing_offset)
    physical = [abs((round(end) - tick + TURN // 2) % TURN - TURN // 2)
                for end, tick in zip(ends, seen)]
    fields = (joint.homing_offset - right.homing_offset, joint.range_min - right.range_min,
              joint.range_max - right.range_max)
    return max(*physical, *map(abs, fields))


def verdict(result: Result) -> str:
    """Name the kind of a result; only `good` and `bad, refused` are as they should be."""
    if not result.wrong:
        if result.refused:
            return 'good, but refused'
        return 'good' if result.off_ticks <= 1 else 'good, but off by more than a tick'
    if not result.refused:
        return 'bad, but accepted'
    if not result.kept_registers:
        return 'bad, refused, but registers changed'
    missing = result.wrong.keys() - result.refused.keys()
    blamed = result.refused.keys() - result.wrong.keys()
    return 'bad, but another joint blamed' if missing or blamed else 'bad, refused'


def main() -> int:
    """Print n and counts; fail unless all are as they should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--n', type=int, default=1000)
    parser.add_argument('--seed', type=int, default=0)
    arguments = parser.parse_args()
    began = time.monotonic()
    verdicts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    worst = seams = 0
    for seed in range(arguments.seed, arguments.seed + arguments.n):
        case = random_case(seed)
        result = calibrate(case)
        verdicts[verdict(result)] += 1
        faults.update(fault.value for fault in case.wrong.values())
        worst = max(worst, result.off_ticks)
        seams += _crosses(case)
        if verdict(result) not in ('good', 'bad, refused'):
            print(f'  seed {seed}: {verdict(result)}: wrong {dict(case.wrong)}, '
                  f'refused {result.refused}')
    print(f'{arguments.n} calibrations in {time.monotonic() - began:.1f} s: '
          + ', '.join(f'{kind} {count}' for kind, count in sorted(verdicts.items())))
    print(f'  greatest difference {worst} ticks; joints over the seam {seams}; bad joints: '
          + ', '.join(f'{kind} {count}' for kind, count in sorted(faults.items())))
    return 0 if set(verdicts) <= {'good', 'bad, refused'} else 1


def _crosses(case: Case) -> int:
    """Count the joints whose range, homed in this middle, crosses the seam of the encoder."""
    count = 0
    for name, mount in case.mechanism.mounts.items():
        low = 2047 - (mount.upper + abs(case.middle[name]))
        count += low < 0 and name != 'wrist_roll' and name not in case.wrong
    return count


if __name__ == '__main__':
    sys.exit(main())
