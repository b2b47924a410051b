# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Give metadata under the names that LeRobot's users know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from apprentice_dataset.depth import is_depth
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata


class LeRobotDatasetMetadata(Metadata):
    """Hold everything below meta/; `stats` are NumPy arrays, `tasks` strings by number."""

    @classmethod
    def read(cls, root: Path) -> LeRobotDatasetMetadata:
        """Read meta/ of a dataset; DatasetBroken where it contradicts itself."""
        found = read_metadata(root)
        return cls(**{one.name: getattr(found, one.name) for one in fields(found)})

    @property
    def features(self) -> dict[str, dict[str, Any]]:
        """Return the features as info.json has them, each shape a tuple."""
        return {name: {**feature.to_json(), 'shape': feature.shape}
                for name, feature in self.info.features.items()}

    @property
    def fps(self) -> int | float:
        """Return the rate in frames/s."""
        return self.info.fps

    @property
    def robot_type(self) -> str | None:
        """Return the kind of robot."""
        return self.info.robot_type

    @property
    def camera_keys(self) -> list[str]:
        """Return the names of all cameras."""
        return self._of('video', 'image')

    @property
    def video_keys(self) -> list[str]:
        """Return the names of the cameras that are mp4s."""
        return self._of('video')

    @property
    def image_keys(self) -> list[str]:
        """Return the names of the cameras that lie in the tables."""
        return self._of('image')

    @property
    def depth_keys(self) -> list[str]:
        """Return the names of the cameras that give distances."""
        return [name for name in self.camera_keys if is_depth(self.info.features[name])]

    @property
    def names(self) -> Mapping[str, Any]:
        """Return what the dimensions of each feature are called."""
        return {name: feature.names for name, feature in self.info.features.items()}

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each feature."""
        return {name: feature.shape for name, feature in self.info.features.items()}

    @property
    def total_episodes(self) -> int:
        """Return the number of episodes."""
        return self.info.total_episodes

    @property
    def total_frames(self) -> int:
        """Return the number of rows."""
        return self.info.total_frames

    @property
    def total_tasks(self) -> int:
        """Return the number of tasks."""
        return self.info.total_tasks

    def _of(self, *kinds: str) -> list[str]:
        return [name for name, feature in self.info.features.items() if feature.dtype in kinds]
