# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Decide which numbers of a row are drawn, and which of them together."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import math
from typing import NamedTuple

from apprentice_dataset.features import Feature
from apprentice_dataset.features import NUMERIC
from apprentice_dataset.features import RESERVED
import numpy as np

# Curves that can still be told apart in one plot.
_TOGETHER = 8
# A feature of more values is a picture rather than curves.
_MOST_VALUES = 64


class Line(NamedTuple):
    """
    Name one number of a row: its feature, its place in the flattened value, its name there.

    `name` is '' for a scalar; `label` is what tells the line from others of its plot.
    """

    feature: str
    place: int
    name: str
    label: str


class Plot(NamedTuple):
    """Hold the lines of one diagram."""

    title: str
    lines: tuple[Line, ...]


def drawn(features: Mapping[str, Feature]) -> dict[str, Feature]:
    """Return the features that are drawn: numbers that are not counted by the library itself."""
    return {name: feature for name, feature in features.items()
            if feature.dtype in NUMERIC and name not in RESERVED
            and math.prod(feature.shape) <= _MOST_VALUES}


def too_large(features: Mapping[str, Feature]) -> list[str]:
    """Return the numeric features that have too many values to be drawn."""
    return [name for name, feature in features.items() if feature.dtype in NUMERIC
            and name not in RESERVED and math.prod(feature.shape) > _MOST_VALUES]


def dimension_names(feature: Feature) -> tuple[list[str], bool]:
    """Return a name for each value of a feature, and whether the dataset gives these names."""
    count, names = math.prod(feature.shape), feature.names
    if isinstance(names, dict):
        lists = [value for value in names.values() if isinstance(value, list)]
        # {"motors": [...]}, or each name with its place.
        names = lists[0] if len(lists) == 1 else sorted(names, key=lambda name: str(
            names[name]).zfill(9)) if len(names) == count else None
    if isinstance(names, list) and len(names) == count \
            and all(isinstance(name, (str, int)) for name in names):
        return [str(name) for name in names], True
    if count == 1:
        return [''], False
    if len(feature.shape) == 1:
        return [str(place) for place in range(count)], False
    places = (np.unravel_index(place, feature.shape) for place in range(count))
    return [','.join(map(str, place)) for place in places], False


def plots(features: Mapping[str, Feature]) -> list[Plot]:
    """
    Return the diagrams of a dataset.

    A name that both an observation and an action give to a value has a diagram of its own, with
    all that bear it: command and state lie over each other. The rest are drawn feature by feature.
    """
    lines = list(_named(features))
    shared: dict[str, list[tuple[str, int]]] = {}
    for feature, place, name, given in lines:
        if given and feature.startswith(('observation', 'action')):
            shared.setdefault(name, []).append((feature, place))
    shared = {name: found for name, found in shared.items()
              if len({feature.startswith('action') for feature, _ in found}) == 2}
    together = {one for found in shared.values() for one in found}
    alone: dict[str, list[Line]] = {}
    for feature, place, name, _ in lines:
        if (feature, place) not in together:
            alone.setdefault(feature, []).append(Line(feature, place, name, name or feature))
    found = [Plot(name, tuple(
        Line(feature, place, name, feature) for feature, place in places))
             for name, places in shared.items()]
    for feature, of_one in alone.items():
        found += _in_parts(feature, of_one)
    return found


def _named(features: Mapping[str, Feature]) -> Iterator[tuple[str, int, str, bool]]:
    for feature, one in drawn(features).items():
        names, given = dimension_names(one)
        for place, name in enumerate(names):
            yield feature, place, name, given


def _in_parts(feature: str, lines: list[Line]) -> Iterator[Plot]:
    for begin in range(0, len(lines), _TOGETHER):
        part = lines[begin:begin + _TOGETHER]
        title = feature if len(part) == len(lines) \
            else f'{feature} ({begin + 1} to {begin + len(part)} of {len(lines)})'
        yield Plot(title, tuple(part))
