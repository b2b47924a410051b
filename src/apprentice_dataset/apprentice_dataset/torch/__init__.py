# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Datasets for PyTorch, drop-in for LeRobot's; the rest of the library does without torch."""

from apprentice_dataset.torch.batches import collate
from apprentice_dataset.torch.dataset import LeRobotDataset
from apprentice_dataset.torch.samplers import EpisodeBlockSampler
from apprentice_dataset.torch.streaming import StreamingLeRobotDataset

__all__ = ['EpisodeBlockSampler', 'LeRobotDataset', 'StreamingLeRobotDataset', 'collate']
