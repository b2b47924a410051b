# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The order of samples follows from seed and position alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

pytest.importorskip('torch')
from apprentice_training.order import Batches  # noqa: E402, I100
from apprentice_training.order import Order  # noqa: E402, I100


def test_epochs() -> None:
    """Each epoch has every sample once, in another order; another seed has another."""
    order = Order([7], [1.0], 3)
    first, second = order.samples(0, 7), order.samples(7, 7)
    assert sorted(first) == sorted(second) == list(range(7))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, Order([7], [1.0], 4).samples(0, 7))


def test_jump() -> None:
    """Any place is reached without those before, over the end of epochs too."""
    whole = Order([5, 8], [1, 2], 0).samples(0, 100)
    for begin in (0, 1, 12, 13, 40, 90):
        assert np.array_equal(Order([5, 8], [1, 2], 0).samples(begin, 10),
                              whole[begin:begin + 10])


def test_mixture() -> None:
    """Samples come by weight; each of a dataset comes as often as the others, but for one."""
    order = Order([10, 30, 5], [2, 1, 1], 1)
    count = 45 * 20
    samples = order.samples(0, count)
    of = [samples[samples < 10], samples[(samples >= 10) & (samples < 40)],
          samples[samples >= 40]]
    assert [len(one) / count for one in of] == pytest.approx([0.5, 0.25, 0.25], abs=0.02)
    for one, length in zip(of, (10, 30, 5)):
        times = Counter(one.tolist())
        assert len(times) == length
        assert max(times.values()) - min(times.values()) <= 1


def test_processes_share_a_batch() -> None:
    """Two processes with half the batch take what one takes; accumulation likewise."""
    order = Order([11], [1.0], 5)
    alone = list(Batches(order, 4, 8, 5))
    ranks = [list(Batches(order, 2, 8, 5, rank, 2)) for rank in (0, 1)]
    assert [one + other for one, other in zip(*ranks)] == alone
    halves = list(Batches(order, 2, 8, 10))
    assert [halves[place] + halves[place + 1] for place in range(0, 10, 2)] == alone
