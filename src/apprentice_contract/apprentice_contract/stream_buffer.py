# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The samples of one stream that a row may still need, in the order of their stamps."""
from __future__ import annotations

from bisect import bisect_left
from bisect import bisect_right
from enum import Enum
from typing import Any
from typing import NamedTuple

JUMP_NS = 500_000_000
"""A stamp that leaves its stream's course by more than this comes from a clock that was set."""

_NEVER = -(1 << 62)
_LONG = 1 << 62


class Role(Enum):
    """How a stream's sample for an instant is chosen."""

    LAST = 'newest sample not later than the instant, within max_age_ms'
    NEXT = 'first sample at or after the instant, within max_lead_ms'
    LATCHED = 'newest sample not later than the instant, of any age'


class Sample(NamedTuple):
    """A sample as it was pushed; the stamp in ns."""

    stamp_ns: int
    sample: Any


class StreamBuffer:
    """Keep and count the samples of a stream. Stamps and receive times are integer ns."""

    def __init__(self, name: str, role: Role, limit_ns: int) -> None:
        """Begin empty; `limit_ns` is the age (LAST) or lead (NEXT) that is still valid."""
        self.name = name
        self.role = role
        self.limit_ns = limit_ns
        self.stamps: list[int] = []
        self.samples: list[Any] = []
        self.newest = _NEVER
        self.first = 0
        self._least_delay = _LONG
        # A row that needed stamps up to here is final.
        self._final = _NEVER
        self.taken = self.distinct = 0
        self.late = self.out_of_order = self.repeated = self.jumps = 0
        self.gaps = self.longest_ns = 0

    def take(self, stamp_ns: int, received_ns: int, sample: object) -> bool:
        """Take a sample in; False when its stamp shows that a clock was set: it is dropped."""
        self.taken += 1
        if stamp_ns <= self.newest:
            return self._take_older(stamp_ns, sample)
        delay = received_ns - stamp_ns
        if delay < self._least_delay:
            if self._least_delay - delay > JUMP_NS and self.distinct \
                    and self.role is not Role.LATCHED:
                self.jumps += 1
                return False
            self._least_delay = delay
        if not self.distinct:
            self.first = stamp_ns
        self.distinct += 1
        if stamp_ns <= self._final:
            self.late += 1
        self.stamps.append(stamp_ns)
        self.samples.append(sample)
        self.newest = stamp_ns
        return True

    def _take_older(self, stamp_ns: int, sample: object) -> bool:
        if self.newest - stamp_ns > JUMP_NS and self.role is not Role.LATCHED:
            self.jumps += 1
            return False
        place = bisect_left(self.stamps, stamp_ns)
        if stamp_ns == self.newest or self.stamps[place:place + 1] == [stamp_ns]:
            self.repeated += 1
            return True
        if stamp_ns <= self._final:
            self.late += 1
        else:
            self.out_of_order += 1
        self.distinct += 1
        self.first = min(self.first, stamp_ns)
        self.stamps.insert(place, stamp_ns)
        self.samples.insert(place, sample)
        return True

    def choose(self, instant_ns: int) -> tuple[Sample | None, bool]:
        """
        Return the sample for an instant and whether it is valid; the instant is final then.

        Too old a sample is returned all the same: it is what a held row repeats.
        """
        if self.role is Role.NEXT:
            return self._choose_next(instant_ns)
        count = bisect_right(self.stamps, instant_ns)
        self._final = max(self._final, instant_ns)
        if not count:
            return None, False
        self.drop(count - 1)
        found = Sample(self.stamps[0], self.samples[0])
        return found, (self.role is Role.LATCHED
                       or instant_ns - found.stamp_ns <= self.limit_ns)

    def _choose_next(self, instant_ns: int) -> tuple[Sample | None, bool]:
        self.drop(bisect_left(self.stamps, instant_ns))
        if self.stamps and self.stamps[0] - instant_ns <= self.limit_ns:
            self._final = max(self._final, self.stamps[0] - 1)
            return Sample(self.stamps[0], self.samples[0]), True
        self._final = max(self._final, instant_ns + self.limit_ns)
        return None, False

    def drop(self, count: int) -> None:
        """Forget the oldest samples."""
        if count > 0:
            del self.stamps[:count]
            del self.samples[:count]

    def drop_before(self, stamp_ns: int) -> None:
        """Forget what is older than the newest sample not later than a stamp."""
        self.drop(bisect_right(self.stamps, stamp_ns) - 1)

    def is_final(self, stamp_ns: int) -> bool:
        """Tell whether a row that needed samples up to this stamp has been decided."""
        return stamp_ns <= self._final

    def begin_anew(self) -> None:
        """Forget the course of the stamps, for its clock was set; latched values stay."""
        if self.role is not Role.LATCHED:
            self.drop(len(self.stamps))
            self.newest = self._final = _NEVER
            self._least_delay = _LONG
            self.distinct = 0

    @property
    def rate_hz(self) -> float:
        """Return the mean rate by the stamps; 0 before there are two."""
        span = self.newest - self.first
        return (self.distinct - 1) * 1e9 / span if self.distinct > 1 and span > 0 else 0.0
