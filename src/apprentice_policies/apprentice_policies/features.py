# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a policy reads and writes: keys, kinds, shapes, and how each kind is normalised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

ACTION = 'action'
STATE = 'observation.state'
ENVIRONMENT = 'observation.environment_state'


class FeatureType(str, Enum):
    """Kinds of features; the values are those in `config.json`."""

    STATE = 'STATE'
    VISUAL = 'VISUAL'
    ENV = 'ENV'
    ACTION = 'ACTION'
    REWARD = 'REWARD'
    LANGUAGE = 'LANGUAGE'


class NormalizationMode(str, Enum):
    """How a kind of feature is normalised; see `processors/normalize.py` for the formulas."""

    MIN_MAX = 'MIN_MAX'
    MEAN_STD = 'MEAN_STD'
    IDENTITY = 'IDENTITY'
    QUANTILES = 'QUANTILES'
    QUANTILE10 = 'QUANTILE10'


@dataclass
class PolicyFeature:
    """One input or output; shape without batch and time, images (3, height, width)."""

    type: FeatureType
    shape: tuple[int, ...]


def from_dataset(features: Mapping[str, Mapping[str, Any]]) -> dict[str, PolicyFeature]:
    """
    Return what a policy may use of the features in a dataset's `info.json`.

    Pictures are turned channel first; keys that are neither observation nor action are left out.
    """
    found = {}
    for key, feature in features.items():
        shape = tuple(feature['shape'])
        if feature['dtype'] in ('image', 'video'):
            names = feature.get('names') or ()
            if len(names) == 3 and names[2] in ('channel', 'channels'):
                shape = (shape[2], shape[0], shape[1])
            found[key] = PolicyFeature(FeatureType.VISUAL, shape)
        elif key == ENVIRONMENT:
            found[key] = PolicyFeature(FeatureType.ENV, shape)
        elif key.startswith('observation'):
            found[key] = PolicyFeature(FeatureType.STATE, shape)
        elif key.startswith(ACTION):
            found[key] = PolicyFeature(FeatureType.ACTION, shape)
    return found
