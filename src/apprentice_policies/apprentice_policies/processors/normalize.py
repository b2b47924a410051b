# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Normalise inputs and actions by the dataset's statistics, and undo it.

=========  ==========================  ========================  =========
mode       normalise                   undo                      reads
=========  ==========================  ========================  =========
MEAN_STD   (x - mean) / (std + eps)    x std + mean              mean, std
MIN_MAX    2 (x - min) / d - 1         (x + 1) / 2 d + min       min, max
QUANTILES  2 (x - q01) / d - 1         (x + 1) / 2 d + q01       q01, q99
QUANTILE10 2 (x - q10) / d - 1         (x + 1) / 2 d + q10       q10, q90
IDENTITY   x                           x
=========  ==========================  ========================  =========

d is the upper minus the lower value, eps where that is 0. Nothing is clipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import InitVar
from typing import Any
from typing import ClassVar

from apprentice_policies.errors import PolicyError
from apprentice_policies.features import ACTION
from apprentice_policies.features import FeatureType
from apprentice_policies.features import NormalizationMode
from apprentice_policies.features import PolicyFeature
from apprentice_policies.processors.step import Batch
from apprentice_policies.processors.step import Step
import numpy as np
import torch
from torch import Tensor

Statistics = Mapping[str, Mapping[str, Any]]
"""By feature and name of the statistic: what numpy makes an array of."""
_BOUNDS = {NormalizationMode.MIN_MAX: ('min', 'max'), NormalizationMode.QUANTILES: ('q01', 'q99'),
           NormalizationMode.QUANTILE10: ('q10', 'q90')}


@dataclass
class _Scaling(Step):
    """What both directions share: features, modes, and statistics kept in float32."""

    eps: float = 1e-8
    features: dict[str, PolicyFeature] = field(default_factory=dict)
    norm_map: dict[FeatureType, NormalizationMode] = field(default_factory=dict)
    normalize_observation_keys: list[str] | None = None
    stats: InitVar[Statistics | None] = None

    def __post_init__(self, stats: Statistics | None) -> None:
        """Parse what a file holds; statistics given here win over those of the state file."""
        self.features = {key: _feature(key, value) for key, value in self.features.items()}
        self.norm_map = {_member(FeatureType, 'norm_map', key):
                         _member(NormalizationMode, f'norm_map {key}', mode)
                         for key, mode in self.norm_map.items()}
        self._given = stats is not None
        self._tensors = tensors_of(stats or {})
        self._cache: dict[tuple[str, torch.device, torch.dtype], list[Tensor] | None] = {}

    def config(self) -> dict[str, Any]:
        """Return the fields with enums as their values."""
        found: dict[str, Any] = {
            'eps': self.eps,
            'features': {key: {'type': feature.type.value, 'shape': list(feature.shape)}
                         for key, feature in self.features.items()},
            'norm_map': {key.value: mode.value for key, mode in self.norm_map.items()}}
        if self.normalize_observation_keys is not None:
            found['normalize_observation_keys'] = sorted(self.normalize_observation_keys)
        return found

    def state(self) -> dict[str, Tensor]:
        """Return every statistic as `feature.name`."""
        return dict(self._tensors)

    def load_state(self, tensors: Mapping[str, Tensor], where: str) -> None:
        """Take the statistics, unless others were given."""
        wrong = [key for key in tensors if '.' not in key]
        if wrong:
            raise PolicyError(f'{where}: found tensor {wrong[0]!r}, expected FEATURE.STATISTIC')
        if not self._given:
            self._tensors = {key: value.to('cpu', torch.float32)
                             for key, value in tensors.items()}
            self._cache.clear()

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with every feature that has statistics scaled."""
        out = dict(batch)
        for key, feature in self.features.items():
            value = batch.get(key)
            if isinstance(value, Tensor) and self._concerns(key):
                out[key] = self._scaled(key, feature, value)
        return out

    def _concerns(self, key: str) -> bool:
        chosen = self.normalize_observation_keys
        return key == ACTION or chosen is None or key in chosen

    def _scaled(self, key: str, feature: PolicyFeature, value: Tensor) -> Tensor:
        mode = self.norm_map.get(feature.type, NormalizationMode.IDENTITY)
        if mode == NormalizationMode.IDENTITY:
            return value
        dtype = value.dtype if value.is_floating_point() else torch.float32
        place = (key, value.device, dtype)
        if place not in self._cache:
            found = self._statistics(key, feature, mode)
            self._cache[place] = found and [one.to(value.device, dtype) for one in found]
        pair = self._cache[place]
        if pair is None:
            return value
        try:
            return self._mean_std(value, *pair) if mode == NormalizationMode.MEAN_STD \
                else self._bounds(value, *pair)
        except RuntimeError:
            raise PolicyError(
                f'{key}: found shape {list(value.shape)}, expected {list(pair[0].shape)} at its '
                'end, as the statistics have; the policy was trained on other data') from None

    def _statistics(self, key: str, feature: PolicyFeature,
                    mode: NormalizationMode) -> list[Tensor] | None:
        """Return the two statistics of a mode; None where the feature has none at all."""
        own = {name.rpartition('.')[2]: value for name, value in self._tensors.items()
               if name.rpartition('.')[0] == key}
        if not own:
            return None
        needed = _BOUNDS.get(mode, ('mean', 'std'))
        missing = [name for name in needed if name not in own]
        if missing:
            raise PolicyError(f'{key}: found statistics {", ".join(sorted(own))}, expected '
                              f'{" and ".join(needed)} for {mode.value}; compute them for the '
                              'dataset or choose another mode')
        pair = [own[name] for name in needed]
        # Of a picture's channels.
        if feature.type == FeatureType.VISUAL:
            pair = [one.reshape(-1, 1, 1) if one.ndim == 1 else one for one in pair]
        return pair

    def _range(self, low: Tensor, high: Tensor) -> Tensor:
        span = high - low
        return torch.where(span == 0, torch.full_like(span, self.eps), span)

    def _mean_std(self, value: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        raise NotImplementedError

    def _bounds(self, value: Tensor, low: Tensor, high: Tensor) -> Tensor:
        raise NotImplementedError


@dataclass
class Normalize(_Scaling):
    """Scale what goes into the policy."""

    NAME: ClassVar[str] = 'normalizer_processor'

    def _mean_std(self, value: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        return (value - mean) / (std + self.eps)

    def _bounds(self, value: Tensor, low: Tensor, high: Tensor) -> Tensor:
        return 2 * (value - low) / self._range(low, high) - 1


@dataclass
class Unnormalize(_Scaling):
    """Scale what comes out back to the dataset's units."""

    NAME: ClassVar[str] = 'unnormalizer_processor'

    def _mean_std(self, value: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        return value * std + mean

    def _bounds(self, value: Tensor, low: Tensor, high: Tensor) -> Tensor:
        return (value + 1) / 2 * self._range(low, high) + low


def tensors_of(stats: Statistics) -> dict[str, Tensor]:
    """Return statistics as float32 tensors by `feature.name`, as a state file has them."""
    return {f'{key}.{name}': torch.as_tensor(np.asarray(value), dtype=torch.float32)
            for key, own in stats.items() for name, value in own.items()}


def _feature(key: str, value: Any) -> PolicyFeature:
    if isinstance(value, PolicyFeature):
        return value
    if not isinstance(value, Mapping) or set(value) != {'type', 'shape'}:
        raise PolicyError(f'features {key}: found {value!r}, expected type and shape')
    return PolicyFeature(_member(FeatureType, f'features {key}', value['type']),
                         tuple(int(size) for size in value['shape']))


def _member(kind: Any, where: str, value: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise PolicyError(f'{where}: found {value!r}, expected one of '
                          f'{", ".join(one.value for one in kind)}') from None
