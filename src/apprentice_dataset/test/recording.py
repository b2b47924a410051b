# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make small recordings whose every row and picture says which one it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apprentice_dataset.episode import EpisodeWriter
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.reader import Dataset
from apprentice_dataset.writer import DatasetWriter
import numpy as np
from numpy.typing import NDArray
import simplejpeg

WIDTH, HEIGHT, FPS = 64, 48, 30
FRONT, WRIST = 'observation.images.front', 'observation.images.wrist'
CAMERAS = (FRONT, WRIST)
BITS = 12
TASK = 'pick the cube'
CAMERA = Feature('video', (HEIGHT, WIDTH, 3), ['height', 'width', 'channels'])
JOINTS = ['a.pos', 'b.pos', 'c.pos']


def spec(**extra: Feature) -> DatasetSpec:
    """Two cameras, a state and an action of three joints, and what else is asked for."""
    features = {FRONT: CAMERA, WRIST: CAMERA,
                'observation.state': Feature('float32', (3,), JOINTS),
                'action': Feature('float32', (3,), JOINTS), **extra}
    return DatasetSpec(FPS, 'test_arm', features)


def plain_spec() -> DatasetSpec:
    """One number a row and no camera."""
    return DatasetSpec(FPS, None, {'action': Feature('float32', (1,))})


def pixels(number: int, bright: int = 220) -> NDArray[np.uint8]:
    """Draw a number as 4 x 3 black and white blocks."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    blocks = np.array(bits, np.uint8).reshape(3, 4) * bright
    grey = np.kron(blocks, np.ones((HEIGHT // 3, WIDTH // 4), np.uint8))
    return np.repeat(grey[:, :, None], 3, axis=2)


def number_in(picture: NDArray[np.uint8]) -> int:
    """Read the number drawn into a picture."""
    blocks = picture.mean(axis=2).reshape(3, HEIGHT // 3, 4, WIDTH // 4).mean(axis=(1, 3))
    return sum(1 << bit for bit, light in enumerate(blocks.ravel()) if light > 110)


def jpeg(number: int) -> EncodedImage:
    """Return the drawn number as a camera sends it."""
    return EncodedImage(
        simplejpeg.encode_jpeg(np.ascontiguousarray(pixels(number)), quality=90), 'jpeg')


def row(number: int) -> dict[str, Any]:
    """Return the values of a row."""
    return {'observation.state': [number, number + 0.25, -number],
            'action': np.array([number, 0.5, 1.0], np.float32)}


def record(
    episode: EpisodeWriter, count: int, first: int = 0, task: str = TASK,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Add rows numbered from `first` on; the wrist camera counts from 1000."""
    for number in range(first, first + count):
        episode.add({**row(number), **(extra or {})},
                    {FRONT: jpeg(number), WRIST: jpeg(1000 + number)}, task)


def make(root: Path, *lengths: int, **extra: Feature) -> DatasetSpec:
    """Create a dataset with episodes of these lengths and close it."""
    kind = spec(**extra)
    with DatasetWriter.create(root, kind) as writer:
        for length in lengths:
            episode = writer.begin_episode()
            record(episode, length)
            episode.save()
    return kind


def check_counters(dataset: Dataset, episode: int, count: int, first: int = 0) -> None:
    """Hold every picture of both cameras to the row it stands in."""
    for camera, offset in ((FRONT, 0), (WRIST, 1000)):
        found = [number_in(picture) for picture in dataset.frames(episode, camera)]
        assert found == [(offset + first + number) % 2 ** BITS for number in range(count)], camera
    states = dataset.rows(episode)['observation.state'].to_pylist()
    assert [state[0] for state in states] == [first + number for number in range(count)]
