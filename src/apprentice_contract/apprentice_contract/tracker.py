# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Phase and period of a stream, tracked from its stamps alone.

A two-state Kalman filter (an alpha-beta tracker whose gains begin high and settle) predicts the
stamp of the next sample. Noise is given in periods and assumes the worst that is served: a jitter
uniform over +-40 % of a period.
"""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence

# Variance of the worst jitter, (0.8 / sqrt(12))^2 periods^2.
_NOISE = 0.053
# The gains settle when the phase is known, but not before: 4 s of memory at 30 Hz follow a rate
# that wanders by 0.5 % in a minute, and no single sample moves the slots.
_MEMORY = 128
# With the worst jitter the phase is known by now.
_MOST = 512
# Before this many samples nothing is known of the jitter.
_LEAST = 8
# Four standard errors of the predicted stamp must lie within a tenth of a period, the room that
# the worst jitter leaves; the standard error is twice the jitter's deviation over sqrt(n).
_CERTAIN = (0.1 / (4 * 2)) ** 2
# Samples with a slot each spread over 0.8 periods at the worst jitter, over at least 0.95 with a
# slot left out.
_SPREAD = 0.9
# So seldom may a sample be taken for one beyond a gap, only because all before it lay close.
_SELDOM = 1e-5
_SEARCH_STEPS = 24


class Tracker:
    """
    Place stamps (integer ns) in slots of one period around the expected stamps.

    Until the phase is known well enough, a sample also fills the next slot where any phase and
    period within the tolerance give each sample so far a slot of its own.
    """

    def __init__(self, period_ns: float, tolerance: float) -> None:
        """Expect a period, right within a fraction `tolerance`."""
        self._nominal = period_ns
        self._least, self._most = period_ns * (1 - tolerance), period_ns * (1 + tolerance)
        self._origin: int | None = None
        self._expected = 0.0
        self.period_ns = period_ns
        self._index = 0
        self._count = 0
        self._errors = 0.0
        self._seen: list[tuple[int, int]] = []
        self._phase_variance = _NOISE
        self._cross = 0.0
        self._period_variance = max(tolerance, 1e-6) ** 2 / 3
        self._gains = 0.0, 0.0
        self.is_locked = False

    @property
    def expected_ns(self) -> int:
        """Return the centre of the slot that is next."""
        return round(self._expected) + (self._origin or 0)

    def offset(self, stamp_ns: int) -> float:
        """Return how far a stamp lies from the centre of the next slot, in periods."""
        if self._origin is None:
            return 0.0
        return (stamp_ns - self._origin - self._expected) / self.period_ns

    def slot(self, stamp_ns: int) -> int:
        """Return the slot that the oldest open sample fills; 0 is next, negative is over."""
        offset = self.offset(stamp_ns)
        if -0.5 <= offset < 0.5:
            return 0
        if not self.is_locked and -1.0 < offset < 1.0 and self._fits(stamp_ns):
            return 0
        return int((offset + 0.5) // 1)

    def fill(self, stamp_ns: int) -> None:
        """Take the sample of the next slot in and go on to the slot after it."""
        if self._origin is None:
            self._origin = stamp_ns
            self._remember(0)
            self._step(0.0)
            return
        error = self.offset(stamp_ns)
        self._count += 1
        if not self.is_locked:
            self._remember(stamp_ns - self._origin)
            self._errors += error * error
        if not self.is_locked or self._count < _MEMORY:
            self._settle()
        self._step(error)

    def skip(self) -> None:
        """Leave the next slot empty."""
        self._expected += self.period_ns
        self._index += 1

    def _step(self, error: float) -> None:
        alpha, beta = self._gains
        self._expected += alpha * error * self.period_ns
        self.period_ns = min(self._most, max(
            self._least, self.period_ns + beta * error * self._nominal))
        self.skip()

    def _settle(self) -> None:
        phase = self._phase_variance + 2 * self._cross + self._period_variance
        cross = self._cross + self._period_variance
        alpha, beta = phase / (phase + _NOISE), cross / (phase + _NOISE)
        self._gains = alpha, beta
        self._phase_variance = (1 - alpha) * phase
        self._cross = (1 - alpha) * cross
        self._period_variance -= beta * cross

    def _remember(self, since_origin: int) -> None:
        self._seen.append((self._index, since_origin))
        n = len(self._seen)
        if n >= _MOST or n >= _LEAST and self._errors < n * n * _CERTAIN:
            self.is_locked = True
            self._seen = []

    def _fits(self, stamp_ns: int) -> bool:
        room = _SPREAD * self._nominal
        if len(self._seen) >= _LEAST:
            room = min(room, self._spread(self._seen) * _widening(len(self._seen)))
        new = self._index, stamp_ns - (self._origin or 0)
        return self._spread([*self._seen, new]) <= room

    def _spread(self, seen: Sequence[tuple[int, int]]) -> float:
        """Return how far samples lie apart, each in its slot, at the period that suits best."""
        def spread(period: float) -> float:
            left = [stamp - index * period for index, stamp in seen]
            return max(left) - min(left)

        return _least(spread, self._least, self._most)


def _widening(count: int) -> float:
    """
    Return by how much one more sample may widen the spread of `count` with an even jitter.

    All of n values lie within 1/f of their range with a probability of about n f^(1 - n); the
    period, which is fitted, costs another one.
    """
    return (count / _SELDOM) ** (1.0 / (count - 2))


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Return about the least value of a convex function between two bounds."""
    for _ in range(_SEARCH_STEPS):
        third = (high - low) / 3
        if function(low + third) <= function(high - third):
            high -= third
        else:
            low += third
    return function((low + high) / 2)
