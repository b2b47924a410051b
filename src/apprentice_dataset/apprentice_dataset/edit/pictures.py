# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Decode the pictures of an episode, for their statistics or to encode them anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.decoding import PictureDecoder
from apprentice_dataset.decoding import to_rgb
from apprentice_dataset.edit.encode import encode
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.video import frames_from
from apprentice_dataset.video import opened
import av
import pyarrow as pa


@dataclass(frozen=True)
class PictureJob:
    """
    Name consecutive frames of an mp4, and what is wanted of them.

    `beside` is the mp4 to encode them into, None where their packets stay.
    """

    path: Path
    first: int
    length: int
    fps: int | float
    feature: Feature
    statistics: bool
    settings: VideoSettings = VideoSettings()
    beside: Path | None = None

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield them."""
        return pictures(self.path, self.first, self.length, self.fps)


def done(job: PictureJob) -> Statistics:
    """
    Encode the frames if that is wanted, and return their statistics, {} if they are not.

    :raises DatasetBroken: the mp4 cannot be decoded or lacks one.
    :raises DatasetError: the disk is full or fails.
    """
    if job.beside is not None:
        encode(job.frames(), job.beside, job.fps, job.feature, job.settings)
    return picture_statistics(job) if job.statistics else {}


def pictures(path: Path, first: int, length: int, fps: int | float) -> Iterator[av.VideoFrame]:
    """
    Yield consecutive frames of an mp4.

    :raises DatasetBroken: it cannot be decoded or lacks one.
    """
    rate = Fraction(fps).limit_denominator(1001)
    wanted = first
    with opened(path) as container:
        stream = container.streams.video[0]
        for number, frame in frames_from(container, stream, first, rate):
            if number == wanted:
                yield frame
                wanted += 1
            if wanted == first + length:
                return
    raise DatasetBroken(str(path), f'no frame {wanted}', f'{length} frames from {first} on',
                        'validate the dataset')


def picture_statistics(job: PictureJob) -> Statistics:
    """Return the statistics of the frames, of a colour camera."""
    sampler = PictureSampler()
    for place, frame in enumerate(job.frames()):
        if sampler.wants(place):
            sampler.take(to_rgb(frame))
    return sampler.statistics()


def decoded(where: str, images: pa.Array, feature: Feature) -> Iterator[av.VideoFrame]:
    """
    Yield the pictures of a column of image files.

    :raises DatasetError: one cannot be decoded or has another size.
    """
    height, width = feature.height_width
    decoder = PictureDecoder(width, height)
    for row, image in enumerate(images):
        try:
            yield decoder.decode(EncodedImage(image.as_py()['bytes'] or b'', 'png'))
        except (BadPicture, TypeError) as error:
            raise DatasetError(f'{where}, row {row}: {error}') from None
