# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Answer as the arm would, on a pseudo-terminal: what its firmware does, without the arm."""
from __future__ import annotations

import os
from pathlib import Path
import select
import sys
import time
import tty

LIMIT = 18_000  # hundredths of a degree
SPEED = 40_000  # hundredths of a degree a second: the motors' own
SILENCE_S = 0.5


class SimulatedArm:
    """Three joints that run to their goals; every OK carries the pose."""

    def __init__(self, link: Path) -> None:
        """Open a port, and a link that leads to it."""
        self.torque = False
        self.pose = [0.0, 0.0, 0.0]
        self.goals = [0.0, 0.0, 0.0]
        self.lines: list[tuple[float, str]] = []
        self.mute = False
        self._moved_s = self._heard_s = time.monotonic()
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self._link = link
        link.symlink_to(os.ttyname(self._near))

    def serve(self, seconds: float) -> None:
        """Answer what comes in for some seconds."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            if select.select([self._far], [], [], min(left, 0.05))[0]:
                for line in os.read(self._far, 4096).decode('ascii', 'replace').splitlines():
                    reply = self.answer(line, time.monotonic())
                    if not self.mute:
                        os.write(self._far, f'{reply}\n'.encode())
            self._move(time.monotonic())

    def answer(self, line: str, now_s: float) -> str:
        """Return the reply to a line."""
        self.lines.append((now_s, line))
        self._move(now_s)
        self._heard_s = now_s
        word, *numbers = line.split() or ['']
        try:
            values = [int(number) for number in numbers]
        except ValueError:
            return f'ERR {line}: not a number'
        if word == 'TORQUE' and len(values) == 1:
            self.torque = bool(values[0])
            self.goals = list(self.pose)
        elif word == 'GOAL' and len(values) == 3 and self.torque:
            self.goals = [max(-LIMIT, min(LIMIT, value)) for value in values]
        elif line != 'POSE':
            return f'ERR {line}: ' + ('no torque' if word == 'GOAL' else 'unknown')
        return 'OK ' + ' '.join(str(round(angle)) for angle in self.pose)

    def close(self) -> None:
        """Take the port away."""
        self._link.unlink()
        os.close(self._near)
        os.close(self._far)

    def _move(self, now_s: float) -> None:
        reach, self._moved_s = SPEED * (now_s - self._moved_s), now_s
        if now_s - self._heard_s > SILENCE_S:
            self.torque = False
        if self.torque:
            self.pose = [angle + max(-reach, min(reach, goal - angle))
                         for angle, goal in zip(self.pose, self.goals)]


def main() -> int:
    """Simulate the arm until Ctrl-C; the argument is where its port shall appear."""
    if len(sys.argv) != 2:
        print('usage: simulator PATH, where the port shall appear', file=sys.stderr)
        return 2
    arm = SimulatedArm(Path(sys.argv[1]))
    try:
        while True:
            arm.serve(1.0)
            arm.lines.clear()
    except KeyboardInterrupt:
        return 0
    finally:
        arm.close()
