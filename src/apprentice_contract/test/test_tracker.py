# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Every sample of a camera within its tolerance gets a slot of its own; each loss shows."""
from __future__ import annotations

import math
import random

from apprentice_contract.tracker import Tracker
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

PERIOD = 1e9 / 30
START = 1_700_000_000_000_000_000


def place(stamps: list[int], tolerance: float = 0.05) -> tuple[list[int], int, int]:
    """Return the stamps that filled a slot, the empty slots, and the second samples."""
    tracker = Tracker(PERIOD, tolerance)
    filled, empty, second = [], 0, 0
    for stamp in stamps:
        while tracker.slot(stamp) > 0:
            tracker.skip()
            empty += 1
        if tracker.slot(stamp) < 0:
            second += 1
        else:
            tracker.fill(stamp)
            filled.append(stamp)
    return filled, empty, second


@settings(max_examples=60)
@given(st.floats(-0.05, 0.05), st.floats(0, 0.4), st.integers(0, 2**32))
def test_neither_drift_nor_jitter_skips_or_repeats(drift: float, jitter: float, seed: int) -> None:
    """A period off by up to the tolerance, jitter up to 40 %: one sample a slot."""
    chance = random.Random(seed)
    stamps = [START + round(PERIOD * ((1 + drift) * k + chance.uniform(-jitter, jitter)))
              for k in range(1500)]
    assert place(stamps) == (stamps, 0, 0)


def test_a_wandering_rate_is_followed() -> None:
    """A rate that swings by 0.5 % within a minute, 1.4 periods either way, loses nothing."""
    stamps, at = [], float(START)
    for k in range(5400):
        at += PERIOD * (1 + 0.005 * math.sin(2 * math.pi * k / 30 / 60))
        stamps.append(round(at))
    assert place(stamps) == (stamps, 0, 0)


@settings(max_examples=30)
@given(st.sets(st.integers(20, 398), max_size=25), st.floats(0, 0.2), st.integers(0, 2**32))
def test_each_missing_sample_is_one_empty_slot(
    missing: set[int], jitter: float, seed: int,
) -> None:
    """What a camera loses is counted, one by one, and nothing else."""
    chance = random.Random(seed)
    stamps = [START + round(PERIOD * (k + chance.uniform(-jitter, jitter)))
              for k in range(400) if k not in missing]
    assert place(stamps) == (stamps, len(missing), 0)


@pytest.mark.parametrize('factor', [0.96, 1.04])
def test_the_tracked_period_stays_within_the_tolerance(factor: float) -> None:
    """A stream at another rate drags the period along to the bound, and then loses slots."""
    tracker = Tracker(PERIOD, 0.02)
    periods = []
    for k in range(600):
        stamp = START + round(PERIOD * factor * k)
        while tracker.slot(stamp) > 0:
            tracker.skip()
        if tracker.slot(stamp) == 0:
            tracker.fill(stamp)
        periods.append(tracker.period_ns / PERIOD - 1)
    bound = 0.02 if factor > 1 else -0.02
    assert max(map(abs, periods)) == pytest.approx(0.02, abs=1e-6)
    assert any(abs(period - bound) < 1e-6 for period in periods)
    assert sum(place([START + round(PERIOD * factor * k) for k in range(600)], 0.02)[1:]) > 5


def test_slots_do_not_follow_one_sample() -> None:
    """A sample off by 0.45 periods moves the next expected stamp by less than a tenth."""
    tracker = Tracker(PERIOD, 0.05)
    for k in range(300):
        tracker.fill(START + round(PERIOD * k))
    tracker.fill(START + round(PERIOD * 300.45))
    assert tracker.is_locked
    assert 0 < tracker.expected_ns - (START + 301 * PERIOD) < 0.1 * PERIOD
