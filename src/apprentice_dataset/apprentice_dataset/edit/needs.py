# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Say which statistics of an episode are taken over, and which must be computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

from apprentice_dataset.edit.plan import Piece
from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.features import Feature
from apprentice_dataset.features import RESERVED
from apprentice_dataset.statistics import NAMES
from apprentice_dataset.statistics import Statistics


@dataclass(frozen=True)
class Need:
    """Hold the features to compute, in the order of info.json, and what is known of the others."""

    computed: tuple[str, ...]
    known: Mapping[str, Statistics]
    partly: Mapping[str, Statistics]

    def merged(
        self, features: Mapping[str, Feature], computed: Mapping[str, Statistics],
    ) -> dict[str, Statistics]:
        """Return all statistics; where one kind was missing, those that were there stay."""
        found: dict[str, Statistics] = {}
        for name in features:
            if name in computed:
                old, new = self.partly.get(name, {}), computed[name]
                same = 'mean' in old and old['mean'].shape == new['mean'].shape
                found[name] = {**new, **{key: value for key, value in old.items()
                                         if same and value.shape == new[key].shape}}
            elif name in self.known:
                found[name] = self.known[name]
        return found


def need_of(plan: Plan, piece: Piece) -> Need:
    """
    Return what a piece needs: what changes and what is not whole.

    :raises DatasetBroken: the statistics of its source cannot be read.
    """
    stored = plan.sources[piece.source].episode_stats(piece.episode)
    computed, known, partly = [], {}, {}
    for name, feature in plan.info.features.items():
        if feature.dtype in ('string', 'language'):
            continue
        old = stored.get(plan.names.get(name, ''), {})
        stays = name not in RESERVED and name not in plan.recompute and plan.is_whole(piece)
        if stays and _is_sound(old, feature):
            known[name] = old
        elif feature.dtype in ('video', 'image') and feature.shape[-1] == 1:
            # Depth is not decoded here: what the whole episode had comes nearest.
            if _is_sound(old, feature):
                known[name] = old
        else:
            computed.append(name)
            if stays:
                partly[name] = old
    return Need(tuple(computed), known, partly)


def _is_sound(stats: Statistics, feature: Feature) -> bool:
    """Return whether all statistics are there in the shape that the format asks for."""
    if any(name not in stats for name in NAMES):
        return False
    camera = feature.dtype in ('video', 'image')
    size = 3 * math.prod(feature.height_width) if camera and feature.shape[-1] != 1 else 0
    channels = 3 if size == math.prod(feature.shape) else 1
    shape = (channels, 1, 1) if camera else feature.shape[-1:]
    return stats['count'].shape == (1,) and all(
        stats[name].shape == shape for name in NAMES if name != 'count')
