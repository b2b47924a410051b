# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Compare statistics with a plain reading of the format's algorithm."""

from __future__ import annotations

from typing import Any

from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.image_statistics import spatial_stride
from apprentice_dataset.statistics import combine
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.statistics import QUANTILES
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
from numpy.typing import NDArray

NUMBERS = st.floats(-1000, 1000, width=32)


def plain_quantile(column: NDArray[Any], share: float) -> float:
    """Read section 9.1 of the format line by line."""
    if len(column) < 2 or column.min() == column.max():
        # NumPy refuses bins that are narrower than the numbers' precision.
        return float(column.mean())
    left, right = column.min() - 1e-10, column.max() + 1e-10
    counts, edges = np.histogram(column, bins=5000, range=(left, right))
    target = share * len(column)
    cumulative = 0
    for place in range(5000):
        if cumulative + counts[place] >= target:
            if place == 0:
                return float(edges[0])
            part = (target - cumulative) / counts[place]
            return float(edges[place] + part * (edges[place + 1] - edges[place]))
        cumulative += counts[place]
    raise AssertionError('no bin')


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 60), st.integers(1, 4)), elements=NUMBERS))
def test_numbers_agree_with_a_plain_reading(values: NDArray[np.float32]) -> None:
    """Every statistic of every column is what the format's algorithm gives."""
    found = numeric_statistics(values)
    wide = values.astype(np.float64)
    assert np.array_equal(found['min'], wide.min(axis=0))
    assert np.array_equal(found['max'], wide.max(axis=0))
    assert np.allclose(found['mean'], wide.mean(axis=0), atol=1e-9)
    assert np.allclose(found['std'], wide.std(axis=0), atol=1e-9)
    assert found['count'].tolist() == [len(values)]
    width = (wide.max(axis=0) - wide.min(axis=0) + 2e-10) / 5000
    for name, share in QUANTILES.items():
        expected = [plain_quantile(column, share) for column in wide.T]
        # A value on an edge may be rounded into either bin.
        assert (np.abs(found[name] - expected) <= 2 * width + 1e-9).all(), name


def test_axes_before_the_last_are_pooled() -> None:
    """A matrix gives one statistic a column, from one row or many."""
    values = np.arange(24.0).reshape(4, 2, 3)
    assert numeric_statistics(values)['mean'].tolist() == [10.5, 11.5, 12.5]
    assert numeric_statistics(values[:1])['max'].tolist() == [3.0, 4.0, 5.0]


def test_one_row() -> None:
    """Of one row, every quantile is the mean and the deviation 0."""
    found = numeric_statistics(np.array([7.0]))
    assert [found[name].tolist() for name in ('q01', 'q99', 'std')] == [[7.0], [7.0], [0.0]]


def test_a_large_constant_is_its_own_quantile() -> None:
    """Where the margin of the bins is lost in rounding, nothing becomes NaN."""
    found = numeric_statistics(np.full(10, 1e9))
    assert all(np.array_equal(found[name], [1e9]) for name in QUANTILES)


def test_unknown_values_are_left_out() -> None:
    """A gap of a bookkeeping column does not spoil the others."""
    found = numeric_statistics(np.array([[1.0, np.nan], [3.0, np.nan]]))
    assert found['mean'].tolist() == [2.0, 0.0] and found['count'].tolist() == [2]


@given(st.lists(hnp.arrays(np.float64, st.tuples(st.integers(2, 20), st.just(2)),
                           elements=NUMBERS), min_size=1, max_size=4))
def test_combining_is_pooling(parts: list[NDArray[np.float64]]) -> None:
    """Count, extremes, mean and deviation of parts are those of the whole."""
    found = combine([{'x': numeric_statistics(part)} for part in parts])['x']
    whole = np.concatenate(parts)
    assert found['count'].tolist() == [len(whole)]
    assert np.array_equal(found['min'], whole.min(axis=0))
    assert np.array_equal(found['max'], whole.max(axis=0))
    assert np.allclose(found['mean'], whole.mean(axis=0), atol=1e-6)
    assert np.allclose(found['std'], whole.std(axis=0), atol=1e-5)


def test_combined_quantiles_are_weighted_means() -> None:
    """Quantiles are averaged by count, and absent where one input lacks them."""
    short, long = (numeric_statistics(np.array(rows)) for rows in ([0.0, 2.0], [8.0] * 6))
    found = combine([{'x': short}, {'x': long}])['x']
    expected = (2 * short['q50'] + 6 * long['q50']) / 8
    assert np.allclose(found['q50'], expected)
    del short['q50']
    assert 'q50' not in combine([{'x': short}, {'x': long}])['x']


@given(hnp.arrays(np.uint8, (6, 5, 4, 3)))
def test_pictures_agree_with_a_plain_reading(pictures: NDArray[np.uint8]) -> None:
    """Statistics of pictures are those of all their pixels, in [0, 1]."""
    sampler = PictureSampler()
    for picture in pictures:
        sampler.take(picture)
    found = sampler.statistics()
    flat = pictures.reshape(-1, 3).astype(np.float64)
    for name, expected in (('min', flat.min(axis=0)), ('max', flat.max(axis=0)),
                           ('mean', flat.mean(axis=0)), ('std', flat.std(axis=0))):
        assert found[name].shape == (3, 1, 1)
        assert np.allclose(found[name].ravel() * 255, expected, atol=1e-9), name
    for name, share in QUANTILES.items():
        expected = np.array([plain_quantile(column, share) for column in flat.T])
        assert np.allclose(found[name].ravel() * 255, expected, atol=0.12), name
    assert found['count'].tolist() == [6]


def test_long_episodes_are_sampled_evenly() -> None:
    """However many pictures pass, 128 to 256 of them count, evenly spaced."""
    sampler = PictureSampler()
    taken = []
    for number in range(3000):
        if sampler.wants(number):
            taken.append(number)
            sampler.take(np.full((4, 4, 3), number % 256, np.uint8))
    count = int(sampler.statistics()['count'][0])
    assert 128 <= count <= 256
    assert len(set(np.diff(taken[-20:]))) == 1


def test_spatial_stride() -> None:
    """Pictures from 300 pixels on are thinned to about 150."""
    sizes = ((48, 64), (299, 100), (480, 640), (720, 1280), (1080, 1920))
    assert [spatial_stride(*size) for size in sizes] == [1, 1, 4, 8, 12]
