# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An arm fresh from the workshop on a pseudo-terminal, a hand that moves it, and a user."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
import fcntl
import json
import os
from pathlib import Path
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time

from ament_index_python.packages import get_package_prefix
from apprentice_sim.mechanism import calibration_of
from apprentice_sim.mechanism import MechanicHand
from apprentice_sim.mechanism import Mechanism
from apprentice_sim.mechanism import Mount
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
from apprentice_sim.testing import servo_bus
from apprentice_sim.testing import SimArm

DEADLINE_S = 30.0
TICKS_PER_S = 6000.0
STEP_TICKS = 60.0
CALIBRATED = ('homing_offset', 'min_position_limit', 'max_position_limit')
# Horns at any angle; the encoder's seam lies within the travel of half of the joints.
MOUNTS = {
    'shoulder_pan': Mount(3900, -1250, 1250), 'shoulder_lift': Mount(120, -1140, 1140),
    'elbow_flex': Mount(2048, -1100, 1100), 'wrist_flex': Mount(700, -1080, 1080),
    'wrist_roll': Mount(4000, -1850, 1850), 'gripper': Mount(3000, -620, 620)}
# Where the hand thinks that the middle is.
MIDDLE = {'shoulder_pan': 40.0, 'shoulder_lift': -60.0, 'elbow_flex': 25.0, 'wrist_flex': 0.0,
          'wrist_roll': -30.0, 'gripper': 10.0}
# The sides that the check of directions asks for.
SIDES = {'shoulder_pan': -900.0, 'shoulder_lift': -800.0, 'elbow_flex': 800.0,
         'wrist_flex': 700.0, 'wrist_roll': 900.0, 'gripper': -500.0}


class Workbench:
    """A simulated arm and the hand on it."""

    def __init__(self, arm: SimArm, mounts: Mapping[str, Mount]) -> None:
        """Mount the servos."""
        self.arm = arm
        self.mechanism = Mechanism(arm.servos, mounts)
        self._hand = MechanicHand(self.mechanism, TICKS_PER_S)
        self._open = True
        self._thread = threading.Thread(target=self._move, daemon=True)
        self._thread.start()

    def lead(self, *poses: Mapping[str, float]) -> None:
        """Move through poses, and wait until the hand is there."""
        with self.arm.bus.lock:
            self._hand.lead(*poses)
        until(lambda: self._hand.done, 'the hand does not arrive')

    def sweep(self, *names: str) -> None:
        """Move joints, all of them by default, from stop to stop and back, never unobserved."""
        mounts = self.mechanism.mounts
        names = names or tuple(mounts)
        back = dict(self.mechanism.angles)
        for ends in ({name: mounts[name].lower for name in names},
                     {name: mounts[name].upper for name in names}, back):
            while any(self.mechanism.angles[name] != ends[name] for name in names):
                self._observed(1)
                with self.arm.bus.lock:
                    for name in names:
                        at = self.mechanism.angles[name]
                        step = min(max(ends[name] - at, -STEP_TICKS), STEP_TICKS)
                        self.mechanism.put(name, at + step, time.monotonic_ns())
            self._observed(6)

    def _observed(self, times: int) -> None:
        """Wait until the host has asked so many times: a busy host must not miss a movement."""
        counters = self.arm.bus.counters
        enough = counters.requests + times
        until(lambda: counters.requests >= enough, 'nobody reads the arm', pause_s=0.001)

    def registers(self) -> dict[str, tuple[int, ...]]:
        """Return offset and limits of every servo."""
        return {name: tuple(self.arm.register(name, register) for register in CALIBRATED)
                for name in self.arm.servos}

    def truth(self, middle: Mapping[str, float] = MIDDLE) -> dict[str, dict[str, int]]:
        """Return what a flawless calibration of this arm writes into the file."""
        members = {}
        for ident, (name, mount) in enumerate(self.mechanism.mounts.items(), 1):
            joint = calibration_of(ident, mount, middle[name])
            whole = name == 'wrist_roll'
            members[name] = {
                'id': ident, 'drive_mode': 0, 'homing_offset': joint.homing_offset,
                'range_min': 0 if whole else joint.range_min,
                'range_max': 4095 if whole else joint.range_max}
        return members

    def close(self) -> None:
        """Take the hand away."""
        self._open = False
        self._thread.join()

    def _move(self) -> None:
        while self._open:
            with self.arm.bus.lock:
                self._hand.move(time.monotonic_ns())
            time.sleep(0.003)


@contextmanager
def workbench(
    folder: Path, mounts: Mapping[str, Mount] | None = None, **settings: int,
) -> Iterator[Workbench]:
    """Serve a fresh arm; `settings` are registers of all its servos."""
    mounts = {**MOUNTS, **(mounts or {})}
    servos = [Servo(STS3215, ident, name, settings=settings)
              for ident, name in enumerate(mounts, 1)]
    with servo_bus(servos, folder / 'port') as arm:
        bench = Workbench(arm, mounts)
        try:
            yield bench
        finally:
            bench.close()


class User:
    """A terminal on which `calibrate` runs, and somebody who reads and types."""

    def __init__(self, bench: Workbench, home: Path, *arguments: str) -> None:
        """Start the program in a terminal of 100 columns."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 100, 0, 0))
        self.text = ''
        self._from = 0
        self._open = True
        program = Path(get_package_prefix('feetech_driver'), 'lib', 'feetech_driver', 'calibrate')
        self.process = subprocess.Popen(
            [str(program), '--port', bench.arm.port, '--id', 'my_arm', *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env=environment(home))
        os.close(slave)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def sees(self, pattern: str) -> None:
        """Wait until something new on the screen matches."""
        def found() -> bool:
            match = re.search(pattern, self.text[self._from:])
            if match is not None:
                self._from += match.end()
            return match is not None
        until(lambda: found() or self.process.poll() is not None,
              f'{pattern!r} never came; the screen said: {self.text[-3000:]}')
        assert re.search(pattern, self.text), f'it ended without {pattern!r}: {self.text[-3000:]}'

    def types(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(DEADLINE_S)
        self._thread.join(DEADLINE_S)
        return code

    def hang_up(self) -> None:
        """Close the terminal's window."""
        self._open = False
        self._thread.join()
        os.close(self._master)

    def _read(self) -> None:
        while self._open:
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self._master, 4096)
            except OSError:
                return
            self.text += data.decode(errors='replace')


def home(user: User, bench: Workbench, middle: Mapping[str, float] = MIDDLE) -> None:
    """Go through the middle pose, up to the ranges."""
    user.sees('MIDDLE POSE')
    bench.lead(middle)
    user.types('\n')
    user.sees('RANGES')


def home_and_record(user: User, bench: Workbench) -> None:
    """Go through the middle pose and the ranges."""
    home(user, bench)
    bench.sweep()
    user.types('\n')


def calibrate(user: User, bench: Workbench) -> None:
    """Go through a calibration that asks for everything."""
    home_and_record(user, bench)
    user.sees('DIRECTIONS')
    bench.lead(SIDES)
    user.types('\n')


def calibrated(bench: Workbench, home: Path) -> Path:
    """Make the arm one that was calibrated before."""
    path = file_of(home)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(bench.truth(), indent=4))
    for name, joint in bench.truth().items():
        bench.arm.set(name, 'homing_offset', joint['homing_offset'])
        bench.arm.set(name, 'min_position_limit', joint['range_min'])
        bench.arm.set(name, 'max_position_limit', joint['range_max'])
    return path


def environment(home: Path) -> dict[str, str]:
    """Return an environment whose calibrations lie below a folder."""
    return {**os.environ, 'HF_LEROBOT_CALIBRATION': str(home), 'TERM': 'xterm'}


def file_of(home: Path, role: str = 'follower') -> Path:
    """Return where the arm's calibration belongs."""
    kind = 'robots/so_follower' if role == 'follower' else 'teleoperators/so_leader'
    return home / kind / 'my_arm.json'


def read(path: Path) -> dict[str, dict[str, int]]:
    """Return a calibration file's content."""
    return json.loads(path.read_text())


def assert_close(found: Mapping[str, Mapping[str, int]],
                 right: Mapping[str, Mapping[str, int]]) -> None:
    """Check that two calibrations agree within a tick, members and fields in the same order."""
    assert [(name, *fields) for name, fields in found.items()] == [
        (name, *fields) for name, fields in right.items()]
    off = {(name, field): (value, right[name][field])
           for name, fields in found.items() for field, value in fields.items()
           if abs(value - right[name][field]) > (0 if field in ('id', 'drive_mode') else 1)}
    assert not off


def until(condition: Callable[[], bool], what: str, pause_s: float = 0.01) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(pause_s)
