# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make of one camera of one episode an mp4 that browsers play and that begins at 0."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
import os
from pathlib import Path
import shutil
from typing import Any

from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.columns import IMAGE
from apprentice_dataset.columns import in_one_form
from apprentice_dataset.depth import from_codes
from apprentice_dataset.depth import from_recorded
from apprentice_dataset.depth import is_depth
from apprentice_dataset.edit.encode import encode
from apprentice_dataset.edit.packets import cut
from apprentice_dataset.edit.packets import Joiner
from apprentice_dataset.edit.pictures import decoded
from apprentice_dataset.edit.pictures import pictures
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.pictures import decode_picture
from apprentice_dataset.pictures import reason
from apprentice_dataset.reader import Dataset
from apprentice_dataset.video import opened
from apprentice_dataset.video import to_codes
import av
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa

# What every browser of today decodes.
_PLAYED = {('h264', 'yuv420p'), ('h264', 'yuvj420p'), ('av1', 'yuv420p'), ('vp9', 'yuv420p'),
           ('vp8', 'yuv420p')}
_SETTINGS = VideoSettings('h264', crf=20)
# Every so many-th pixel, and every so many-th frame, shows between which distances most lie.
_STEP, _SAMPLED = 4, 10


def film(dataset: Dataset, episode: int, camera: str, path: Path) -> str:
    """
    Write the mp4 and return what was done to the pictures, '' where they are the recorded ones.

    :raises DatasetBroken: the camera's files cannot be read.
    """
    feature, fps = dataset.info.features[camera], dataset.info.fps
    if is_depth(feature):
        return _grey(dataset, episode, camera, path)
    if not feature.is_video:
        where = f'{dataset.root}: episode {episode}: {camera}'
        _encode(decoded(where, _cells(dataset, episode, camera), feature), path, fps, feature)
        return 'stored as images; encoded as H.264 to be shown'
    source, first, length = source_of(dataset, episode, camera)
    codec = _codec(source)
    why = f'recorded as {" ".join(codec)}'
    if codec in _PLAYED:
        with cut(source, first, length, fps) as packets:
            if packets is not None:
                _join(packets, path, fps)
                return ''
        why = 'begins between two key frames'
    _encode(pictures(source, first, length, fps), path, fps, feature)
    return f'{why}; encoded anew as H.264 to be shown'


def source_of(dataset: Dataset, episode: int, camera: str) -> tuple[Path, int, int]:
    """Return the mp4 of an episode, the first of its frames there, and how many there are."""
    entry = dataset.episodes[episode]
    place = entry.videos[camera]
    path = dataset.root / place.number.path(str(dataset.info.video_path), camera)
    return path, round(place.begin_s * dataset.info.fps), entry.length


def _codec(path: Path) -> tuple[str, str]:
    with opened(path) as container:
        context = container.streams.video[0].codec_context
        return context.codec.canonical_name, context.pix_fmt


def _join(packets: Any, path: Path, fps: int | float) -> None:
    work = path.with_name(f'{path.name}.parts')
    joiner = Joiner(work, 'film', fps, limit=1, chunks_size=1000)
    joiner.append(packets)
    joiner.close()
    found, = work.rglob('*.mp4')
    os.rename(found, path)
    shutil.rmtree(work)


def _encode(
    frames: Iterable[av.VideoFrame], path: Path, fps: int | float, feature: Feature,
) -> None:
    # yuv420p halves both.
    height, width = (size - size % 2 for size in feature.height_width)
    shown = Feature('video', (height, width, 3), ['height', 'width', 'channels'])
    fitting = frames if (height, width) == feature.height_width else (
        frame.reformat(width=width, height=height) for frame in frames)
    encode(fitting, path, fps, shown, _SETTINGS)


def _cells(dataset: Dataset, episode: int, camera: str) -> pa.Array:
    return in_one_form(f'{dataset.root}: episode {episode}: {camera}',
                       dataset.rows(episode, [camera])[camera],
                       dataset.info.features[camera], IMAGE)


def stored_pictures(dataset: Dataset, episode: int, camera: str) -> list[bytes]:
    """Return the files of a camera that is stored as images, b'' for one that is missing."""
    return [(cell.as_py() or {}).get('bytes') or b''
            for cell in _cells(dataset, episode, camera)]


def distances(dataset: Dataset, episode: int, camera: str) -> Iterator[NDArray[np.float32]]:
    """
    Yield the pictures of a depth camera, (height, width), in mm where the dataset says the unit.

    :raises DatasetBroken: one cannot be read.
    """
    feature, fps = dataset.info.features[camera], dataset.info.fps
    if feature.is_video:
        for frame in pictures(*source_of(dataset, episode, camera), fps):
            yield from_codes(to_codes(frame), feature.info)[:, :, 0]
        return
    for number, data in enumerate(stored_pictures(dataset, episode, camera)):
        try:
            yield from_recorded(decode_picture(data, feature), feature.info)[:, :, 0]
        except BadPicture as error:
            raise DatasetBroken(f'{dataset.root}: episode {episode}: {camera}, frame {number}',
                                reason(error), 'a whole PNG or TIFF', 'validate the dataset'
                                ) from None


def unit_of(feature: Feature) -> str:
    """Return the unit of a depth camera's distances, '' where the dataset does not say it."""
    return 'mm' if feature.is_video or (feature.info or {}).get('depth_unit') else ''


def _grey(dataset: Dataset, episode: int, camera: str, path: Path) -> str:
    """Write a depth camera with near pixels light and far ones dark; black: no distance."""
    feature = dataset.info.features[camera]
    near, far = _range(distances(dataset, episode, camera))
    scale = 220 / max(far - near, 1e-9)

    def shown() -> Iterator[av.VideoFrame]:
        for picture in distances(dataset, episode, camera):
            light = np.where(picture > 0, 255 - np.clip((picture - near) * scale, 0, 220), 0)
            yield av.VideoFrame.from_ndarray(
                np.ascontiguousarray(light.astype(np.uint8)), format='gray')

    _encode(shown(), path, dataset.info.fps, feature)
    ends = [f'{end:.0f} mm' if unit_of(feature) else f'{end:.4g}' for end in (near, far)]
    return (f'distances: light {ends[0]}, dark {ends[1]} and more, black none; encoded as H.264 '
            'to be shown')


def _range(frames: Iterator[NDArray[np.float32]]) -> tuple[float, float]:
    samples = [picture[::_STEP, ::_STEP] for picture in islice(frames, 0, None, _SAMPLED)]
    known = np.concatenate([picture[picture > 0] for picture in samples])
    if not known.size:
        return 0.0, 1.0
    near, far = np.percentile(known, [1, 99])
    return float(near), float(far)


def middles_ns(length: int, fps: int | float) -> NDArray[np.int64]:
    """Return the middle of the time that each frame is shown for, ns: rounding stays within."""
    rate = Fraction(fps).limit_denominator(1001)
    return np.array([round(1_000_000_000 * (number + Fraction(1, 2)) / rate)
                     for number in range(length)], np.int64)
