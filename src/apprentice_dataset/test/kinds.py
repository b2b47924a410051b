# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make small recordings of every kind of camera, whose pictures say which row they are of."""

from __future__ import annotations

from typing import Any

from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.images import RawImage
from apprentice_dataset.reader import Dataset
from apprentice_dataset.writer import DatasetWriter
import numpy as np
from numpy.typing import NDArray
from recording import CAMERA
from recording import FPS
from recording import FRONT
from recording import HEIGHT
from recording import jpeg
from recording import number_in
from recording import pixels
from recording import TASK
from recording import WIDTH

COLOUR, COLOURS = CAMERA, Feature('image', CAMERA.shape, CAMERA.names)
STILL = 'observation.images.still'
VIDEO_DEPTH, IMAGE_DEPTH = 'observation.images.depth', 'observation.images.distance'
METRES = 'observation.images.metres'


def kinds_spec() -> DatasetSpec:
    """Return a colour video, colour images, depth as video and as images, and one number."""
    depth = (HEIGHT, WIDTH, 1)
    return DatasetSpec(FPS, 'test_arm', {
        FRONT: COLOUR, STILL: COLOURS, VIDEO_DEPTH: Feature('video', depth, CAMERA.names),
        IMAGE_DEPTH: Feature('image', depth, CAMERA.names), 'action': Feature('float32', (1,))})


def millimetres(number: int) -> NDArray[np.uint16]:
    """Return distances that tell a number, none of them so far that 12 bits round by much."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (400 + 3 * number + rows + 2 * columns).astype(np.uint16)


def depth_picture(number: int) -> RawImage:
    """Return those distances as a camera sends them."""
    return RawImage(millimetres(number), WIDTH, HEIGHT, '16UC1', 2 * WIDTH)


def pictures(number: int, noise: bool = False) -> dict[str, Any]:
    """Return the pictures of a row; with `noise` the still one is large and tells nothing."""
    shown = np.random.default_rng(number).integers(0, 256, CAMERA.shape, np.uint8) \
        if noise else pixels(number)
    still = RawImage(shown, WIDTH, HEIGHT, 'rgb8', 3 * WIDTH)
    return {FRONT: jpeg(number), STILL: still, VIDEO_DEPTH: depth_picture(number),
            IMAGE_DEPTH: depth_picture(number)}


def add(writer: DatasetWriter, length: int, first: int, noise: bool = False) -> None:
    """Record an episode whose rows are numbered from `first` on."""
    episode = writer.begin_episode()
    for number in range(first, first + length):
        episode.add({'action': number}, pictures(number, noise), TASK)
    episode.save()


def check_kinds(dataset: Dataset, episode: int, count: int, first: int = 0) -> None:
    """Hold every picture of every camera to the row it stands in."""
    wanted = [first + number for number in range(count)]
    assert dataset.rows(episode)['action'].to_pylist() == wanted
    assert [number_in(one) for one in dataset.frames(episode, FRONT)] == wanted
    still, image, video = (dataset.frames(episode, name)
                           for name in (STILL, IMAGE_DEPTH, VIDEO_DEPTH))
    for place, number in enumerate(wanted):
        assert np.array_equal(still[place], pixels(number)), number
        assert np.array_equal(image[place, :, :, 0], millimetres(number)), number
        # Neighbours are 3 mm apart, codes at this distance about 1 mm.
        assert np.abs(video[place, :, :, 0] - millimetres(number)).max() <= 1, number
