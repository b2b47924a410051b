# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Filter for positions that no motor can have reached since it was last read."""

from __future__ import annotations


class StepFilter:
    """
    Refuse a position farther from the last one than the motor can turn in between.

    A corrupt reply passes the 8-bit checksum once in 256. A second reading that agrees with
    the refused one is accepted, so a real jump (a new homing offset, the seam of a turn) costs
    one more reading. The first reading of all needs a second one too.
    """

    __slots__ = ('rejected', '_per_ns', '_slack', '_last', '_last_ns', '_suspect', '_suspect_ns')

    def __init__(self, ticks_per_s: float, slack_ticks: int) -> None:
        """Allow a speed in ticks a second beyond a slack in ticks for noise and jitter."""
        self.rejected = 0
        self._per_ns = ticks_per_s / 1e9
        self._slack = slack_ticks
        self.reset()

    def reset(self) -> None:
        """Forget the last position, as after a reconnect."""
        self._last: int | None = None
        self._last_ns = 0
        self._suspect: int | None = None
        self._suspect_ns = 0

    def accept(self, position: int, now_ns: int) -> bool:
        """Tell whether to believe a position in ticks, read at now_ns."""
        known = self._last is not None
        if known and self._near(position, self._last, now_ns - self._last_ns):
            pass
        elif self._suspect is not None and self._near(
                position, self._suspect, now_ns - self._suspect_ns):
            pass
        else:
            self.rejected += known
            self._suspect, self._suspect_ns = position, now_ns
            return False
        self._last, self._last_ns = position, now_ns
        self._suspect = None
        return True

    def _near(self, position: int, other: int, elapsed_ns: int) -> bool:
        return abs(position - other) <= self._slack + self._per_ns * elapsed_ns
