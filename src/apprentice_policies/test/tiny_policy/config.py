# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Configure the tiny policy."""

from __future__ import annotations

from dataclasses import dataclass

from apprentice_policies.config import normalization
from apprentice_policies.config import PolicyConfig
from apprentice_policies.features import NormalizationMode
from apprentice_policies.optimization import AdamWConfig
from apprentice_policies.optimization import Preset


@PolicyConfig.register_subclass('tiny')
@dataclass
class TinyConfig(PolicyConfig):
    """One linear map from the state to a chunk of actions."""

    TITLE = 'Tiny (Nobody, 2026)'

    chunk_size: int = 4
    n_action_steps: int = 2
    scale: float = 1.0
    normalization_mapping: dict[str, NormalizationMode] = normalization(
        VISUAL='MEAN_STD', STATE='MEAN_STD', ACTION='MIN_MAX')
    pretrained_backbone_weights: str | None = 'Somewhere.ELSE'

    @property
    def action_delta_indices(self) -> list[int]:
        """Return the frames of the chunk."""
        return list(range(self.chunk_size))

    def preset(self) -> Preset:
        """Return AdamW."""
        return Preset(AdamWConfig(lr=1e-2))

    def check(self) -> None:
        """Refuse to use more of a chunk than there is."""
        self.demand(1 <= self.n_action_steps <= self.chunk_size, 'n_action_steps',
                    f'1 to chunk_size ({self.chunk_size})')
