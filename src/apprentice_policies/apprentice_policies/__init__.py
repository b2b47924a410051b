# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Imitation policies, their processors and checkpoints, interchangeable with LeRobot."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from apprentice_policies.inference import LoadedPolicy

__all__ = ['load']


def load(path: str | Path, device: str | None = None) -> LoadedPolicy:
    """
    Return the policy in a checkpoint with its processors, ready to act on raw observations.

    `path` is a `pretrained_model` folder or one that holds it; `device` is torch's name of one,
    by default the configuration's where it exists here, else the CPU.
    """
    from apprentice_policies.inference import load as load_policy
    return load_policy(path, device)
