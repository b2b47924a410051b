# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the probe."""

from __future__ import annotations

from dataclasses import dataclass

from apprentice_policies.config import normalization
from apprentice_policies.config import PolicyConfig
from apprentice_policies.features import NormalizationMode
from apprentice_policies.optimization import AdamConfig
from apprentice_policies.optimization import DiffuserSchedulerConfig
from apprentice_policies.optimization import Preset


@PolicyConfig.register_subclass('probe')
@dataclass
class ProbeConfig(PolicyConfig):
    """
    A linear policy.

    `noise` on the state; `poison`: the batch whose loss is no number; `hoard`: floats to ask for.
    """

    n_action_steps: int = 1
    noise: float = 0.0
    poison: int = 0
    hoard: int = 0
    drop_n_last_frames: int = 0
    normalization_mapping: dict[str, NormalizationMode] = normalization(
        STATE='MEAN_STD', ACTION='MEAN_STD', VISUAL='IDENTITY')
    optimizer_lr: float = 1e-2

    @property
    def action_delta_indices(self) -> list[int]:
        """Return the frame itself."""
        return [0]

    def preset(self) -> Preset:
        """Return Adam with a cosine."""
        return Preset(AdamConfig(lr=self.optimizer_lr), DiffuserSchedulerConfig())
