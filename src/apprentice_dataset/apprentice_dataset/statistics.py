# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Compute an episode's statistics and combine them into a dataset's."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from apprentice_dataset.errors import DatasetError
import numpy as np
from numpy.typing import NDArray

Statistics = dict[str, NDArray[Any]]
QUANTILES = {'q01': 0.01, 'q10': 0.10, 'q50': 0.50, 'q90': 0.90, 'q99': 0.99}
NAMES = ('min', 'max', 'mean', 'std', 'count', *QUANTILES)
_BINS = 5000
_MARGIN = 1e-10


def numeric_statistics(values: NDArray[Any]) -> Statistics:
    """
    Return min, max, mean, std, count and quantiles of a feature over an episode.

    :param values: (rows,) or (rows, ..., D); bool counts as 0 and 1.
    :returns: float64 arrays of shape (D,), or (1,) for a scalar; all axes but the last are
        pooled with the rows. `count` is the number of rows. Values that are not finite, which
        only bookkeeping columns may hold, are left out; a column of nothing else gives zeros.
    """
    rows = len(values)
    width = values.shape[-1] if values.ndim > 1 else 1
    flat = values.reshape(-1, width).astype(np.float64)
    found = _of_columns(flat) if np.isfinite(flat).all() else _of_gappy_columns(flat)
    return {**found, 'count': np.array([rows], np.int64)}


def _of_gappy_columns(flat: NDArray[np.float64]) -> Statistics:
    columns = []
    for column in flat.T:
        kept = column[np.isfinite(column)]
        columns.append(_of_columns((kept if kept.size else np.zeros(1))[:, None]))
    return {name: np.concatenate([column[name] for column in columns]) for name in columns[0]}


def _of_columns(flat: NDArray[np.float64]) -> Statistics:
    low, high, mean = flat.min(axis=0), flat.max(axis=0), flat.mean(axis=0)
    found = {'min': low, 'max': high, 'mean': mean, 'std': flat.std(axis=0)}
    if len(flat) < 2:
        return {**found, **{name: mean for name in QUANTILES}}
    left = low - _MARGIN
    width = (high + _MARGIN - left) / _BINS
    # Where the margin is lost in the value's precision, all of the column is one number.
    flatline = width <= 0
    width[flatline] = 1.0
    bins = np.clip((flat - left) / width, 0, _BINS - 1).astype(np.int64)
    bins += np.arange(flat.shape[1]) * _BINS
    counts = np.bincount(bins.ravel(), minlength=_BINS * flat.shape[1])
    return {**found, **histogram_quantiles(
        counts.reshape(flat.shape[1], _BINS), left, np.where(flatline, 0.0, width))}


def histogram_quantiles(
    counts: NDArray[Any], left: NDArray[np.float64], width: NDArray[np.float64],
) -> Statistics:
    """
    Return the quantiles of histograms, (columns, bins) each, linear inside a bin.

    :param left: left edge of the first bin, (columns,).
    :param width: width of a bin, (columns,).
    """
    cumulative = np.cumsum(counts, axis=1)
    columns = np.arange(len(counts))
    found = {}
    for name, share in QUANTILES.items():
        target = share * cumulative[:, -1]
        place = np.argmax(cumulative >= target[:, None], axis=1)
        before = np.where(place > 0, cumulative[columns, place - 1], 0)
        part = (target - before) / np.maximum(counts[columns, place], 1)
        found[name] = left + width * np.where(place > 0, place + part, 0)
    return found


def combine(inputs: Sequence[Mapping[str, Statistics]]) -> dict[str, Statistics]:
    """
    Combine statistics by feature, weighted by count, as LeRobot up to 0.6.1 does.

    A statistic is given where all inputs that know the feature have it; quantiles become
    weighted means.

    :raises DatasetError: those of a feature have different shapes.
    """
    names = dict.fromkeys(name for one in inputs for name in one)
    # What is not finite stays so, for `validate` to tell.
    with np.errstate(all='ignore'):
        return {name: _combined(name, [one[name] for one in inputs if name in one])
                for name in names}


def _combined(name: str, inputs: Sequence[Statistics]) -> Statistics:
    shapes = {np.shape(one[key]) for one in inputs for key in ('min', 'max', 'mean', 'std')}
    if len(shapes) != 1 or any(np.size(one['count']) != 1 for one in inputs):
        raise DatasetError(f'statistics of {name}: found shapes {sorted(shapes)} in different '
                           'places, expected one; dataset recompute-stats DIR --in-place')
    counts = np.array([np.reshape(one['count'], -1)[0] for one in inputs], np.float64)
    weights = counts.reshape(len(inputs), *[1] * np.ndim(inputs[0]['mean']))
    total = weights.sum(axis=0)
    mean = _weighted(inputs, 'mean', weights, total)
    deviations = np.stack([np.square(one['std']) + np.square(one['mean'] - mean)
                           for one in inputs])
    found: Statistics = {
        'min': np.min(np.stack([one['min'] for one in inputs]), axis=0),
        'max': np.max(np.stack([one['max'] for one in inputs]), axis=0),
        'mean': mean,
        'std': np.sqrt((weights * deviations).sum(axis=0) / total),
        'count': np.sum([np.reshape(one['count'], 1) for one in inputs], axis=0).astype(np.int64)}
    for key in QUANTILES:
        if all(key in one and np.shape(one[key]) == np.shape(mean) for one in inputs):
            found[key] = _weighted(inputs, key, weights, total)
    return found


def _weighted(
    inputs: Sequence[Statistics], name: str, weights: NDArray[Any], total: NDArray[Any],
) -> NDArray[Any]:
    return (weights * np.stack([one[name] for one in inputs])).sum(axis=0) / total
