# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Demonstrated episodes as a dataset, without ROS and faster than real time."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.images import RawImage
from apprentice_dataset.writer import DatasetWriter
from apprentice_sim.cameras import SceneRenderer
from apprentice_sim.demonstrator import Demonstrator
from apprentice_sim.demonstrator import NoGraspError
from apprentice_sim.demonstrator import NotFollowingError
from apprentice_sim.workcell import CUBE_NAMES
from apprentice_sim.workcell import FPS
from apprentice_sim.workcell import PICK_PLACE_TASK
from apprentice_sim.workcell import Workcell
import numpy as np

__all__ = ['Attempt', 'DatasetError', 'Demonstrations']

STATE = 'observation.state'
ENVIRONMENT = 'observation.environment_state'
IMAGES = 'observation.images.'
ACTION = 'action'
LONGEST_S = 20.0
_CHANNELS = ['height', 'width', 'channels']


@dataclass(frozen=True)
class Attempt:
    """One demonstration: seed of its world, rows, and why it was not kept (empty: it was)."""

    seed: int
    length: int
    failure: str


class Demonstrations:
    """Write demonstrations of the SO arm's pick and place; for one thread."""

    def __init__(
        self, root: Path, arm: str = 'so100', cameras: Sequence[str] = (), size: int = 96,
        environment_state: bool = True,
    ) -> None:
        """
        Begin a dataset in an empty folder, or go on with one of the same features.

        :param cameras: which of `front` and `wrist` to record, `size` pixels square.
        :param environment_state: whether to record the cube's pose.
        :raises DatasetError: the folder holds something else.
        """
        self._cell = Workcell(arm)
        self._arm, self._cameras, self._size = arm, tuple(cameras), size
        self._with_cube = environment_state
        self._writer = DatasetWriter.open_or_create(root, self._spec())
        self._renderer = SceneRenderer(arm, size, size) if cameras else None

    @property
    def kept(self) -> int:
        """Return how many episodes the dataset has."""
        return self._writer.total_episodes

    def close(self) -> None:
        """End writing."""
        self._writer.close()
        if self._renderer is not None:
            self._renderer.close()

    def demonstrate(self, seed: int) -> Attempt:
        """Do one demonstration in the world of a seed; keep it if the cube is in the bin."""
        cell = self._cell
        cell.reset(seed)
        episode = self._writer.begin_episode()
        failure = 'the cube is not in the bin'
        try:
            for action in self._actions(seed):
                episode.add(self._values(action), self._pictures(), PICK_PLACE_TASK)
                cell.step(action)
                if cell.physics.cube_in_bin():
                    failure = ''
                    break
        except (NoGraspError, NotFollowingError) as error:
            failure = str(error)
        except BaseException:
            episode.discard()
            raise
        length = episode.length
        if failure:
            episode.discard()
        else:
            episode.save()
        return Attempt(seed, length, failure)

    def _actions(self, seed: int) -> Iterator[np.ndarray]:
        cell = self._cell
        demonstrator = Demonstrator(self._arm, cell.sight().follower, seed)
        demonstrator.begin()
        for _ in range(round(LONGEST_S * FPS)):
            hand = demonstrator.step(1.0 / FPS, cell.sight())
            if demonstrator.done:
                return
            # What the guard lets through, as `action` over ROS is what was sent.
            yield cell.units.from_radians(cell.units.to_radians(cell.units.from_radians(hand)))

    def _values(self, action: np.ndarray) -> dict[str, np.ndarray]:
        values = {STATE: self._cell.joints(), ACTION: action}
        return {**values, ENVIRONMENT: self._cell.cube()} if self._with_cube else values

    def _pictures(self) -> dict[str, RawImage]:
        if self._renderer is None:
            return {}
        self._renderer.show(self._cell.seed, self._cell.physics.qpos())
        size = self._size
        return {
            IMAGES + camera: RawImage(
                self._renderer.picture(camera).tobytes(), size, size, 'rgb8', 3 * size)
            for camera in self._cameras}

    def _spec(self) -> DatasetSpec:
        joints = self._cell.units.names
        cube = {ENVIRONMENT: Feature('float32', (len(CUBE_NAMES),), CUBE_NAMES)}
        features = {
            STATE: Feature('float32', (len(joints),), joints),
            **(cube if self._with_cube else {}),
            **{IMAGES + camera: Feature('video', (self._size, self._size, 3), _CHANNELS)
               for camera in self._cameras},
            ACTION: Feature('float32', (len(joints),), joints)}
        return DatasetSpec(FPS, f'{self._arm}_follower', features)
