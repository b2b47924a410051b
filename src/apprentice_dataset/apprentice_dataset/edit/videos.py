# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Bring a camera's mp4s into the result: whole files linked, episodes cut, or encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
import errno
from fractions import Fraction
import os
from pathlib import Path
import shutil
from typing import Any

from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.decoding import PictureDecoder
from apprentice_dataset.decoding import to_rgb
from apprentice_dataset.edit.encode import encode
from apprentice_dataset.edit.packets import cut
from apprentice_dataset.edit.packets import Joiner
from apprentice_dataset.edit.plan import Piece
from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.files import sync_path
from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.metadata import VideoPlace
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.video import frame_number
from apprentice_dataset.video import opened
import av
import pyarrow as pa

_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
# With B-frames a key frame's decoding time lies before the time it is shown.
_STEP_BACK = 64


def link_or_copy(source: Path, target: Path) -> None:
    """Link a file, or copy it where another file system or its rights forbid a link."""
    try:
        os.link(os.path.realpath(source), target)
    except FileNotFoundError:
        raise DatasetBroken(str(source), 'no such file', 'the file that meta/episodes names',
                            'restore it from a copy') from None
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copyfile(source, target)
        sync_path(target)


def pictures(path: Path, first: int, length: int, fps: int | float) -> Iterator[av.VideoFrame]:
    """
    Yield consecutive frames of an mp4.

    :raises DatasetBroken: it cannot be decoded or lacks one.
    """
    rate = Fraction(fps).limit_denominator(1001)
    wanted = first
    with opened(path) as container:
        stream = container.streams.video[0]
        time = Fraction(max(0, first - _STEP_BACK)) / rate / stream.time_base
        container.seek(int(time), stream=stream, backward=True)
        for frame in container.decode(stream):
            if frame_number(frame.pts, stream.time_base, rate) == wanted:
                yield frame
                wanted += 1
            if wanted == first + length:
                return
    raise DatasetBroken(str(path), f'no frame {wanted}', f'{length} frames from {first} on',
                        'validate the dataset')


def picture_statistics(
    path: Path, first: int, length: int, fps: int | float,
) -> Statistics:
    """Return the statistics of consecutive frames of a colour camera."""
    sampler = PictureSampler()
    for place, frame in enumerate(pictures(path, first, length, fps)):
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


class CameraFiles:
    """Place the pictures of one camera, piece by piece."""

    def __init__(self, plan: Plan, folder: Path, camera: str) -> None:
        """Take the plan, the folder that is built, and the camera's name in the result."""
        self._plan, self._folder = plan, folder
        self._name = plan.names[camera]
        self._feature: Feature = plan.info.features[camera]
        self._fps = plan.info.fps
        limit = int((plan.info.extra or {}).get('video_files_size_in_mb', 200)) << 20
        self._joiner = Joiner(folder, camera, self._fps, limit, plan.info.chunks_size)
        self.from_images = any(not source.info.features[self._name].is_video
                               for source in plan.sources)
        self._runs = [] if self.from_images else [
            {run.episodes.start: run for run in _unique_runs(source, self._name)}
            for source in plan.sources]
        self._alone = self._packed(limit) if plan.join else None
        self._settings = plan.encode.get(camera)
        self._link_end = 0
        self._linked = FileNumber(0, 0)

    def source(self, piece: Piece) -> tuple[Path, int]:
        """Return the mp4 that holds a piece, and the first of its frames there."""
        metadata = self._plan.sources[piece.source]
        place = metadata.episodes[piece.episode].videos[self._name]
        path = metadata.root / place.number.path(str(metadata.info.video_path), self._name)
        return path, round(place.begin_s * self._fps) + piece.begin

    def place(self, position: int) -> VideoPlace:
        """Bring the next piece in and return where it lies."""
        piece = self._plan.pieces[position]
        if self._settings is None and position >= self._link_end:
            count = self._whole_file(position)
            if count and (self._alone is None or position in self._alone):
                self._linked, target = self._joiner.next_path()
                link_or_copy(self.source(piece)[0], target)
                self._link_end = position + count
        if position < self._link_end:
            place = self._plan.sources[piece.source].episodes[piece.episode].videos[self._name]
            return VideoPlace(self._linked, place.begin_s, place.end_s)
        path, first = self.source(piece)
        length = piece.end - piece.begin
        at = None
        if self._settings is None:
            with cut(path, first, length, self._fps) as packets:
                at = self._joiner.append(packets) if packets is not None else None
        number, begin = at or self._encoded(pictures(path, first, length, self._fps), length)
        return VideoPlace(number, begin / self._fps, (begin + length) / self._fps)

    def _whole_file(self, position: int) -> int:
        """Return how many pieces from here on are a whole mp4 in its order; 0: they are not."""
        pieces = self._plan.pieces
        source, episode, _, _ = pieces[position]
        run = self._runs[source].get(episode)
        if run is None or position + len(run.episodes) > len(pieces):
            return 0
        for place, wanted in enumerate(run.episodes):
            piece = pieces[position + place]
            if piece[:2] != (source, wanted) or not self._plan.is_whole(piece):
                return 0
        return len(run.episodes)

    def _packed(self, limit: int) -> set[int]:
        """Return the positions of whole files that fit together with no neighbour."""
        groups: list[list[int]] = []
        size = position = 0
        while position < len(self._plan.pieces):
            count = self._whole_file(position)
            path, _ = self.source(self._plan.pieces[position])
            bytes_here = path.stat().st_size if count and path.exists() else limit
            if groups and size + bytes_here < limit:
                groups[-1].append(position)
                size += bytes_here
            else:
                groups.append([position])
                size = bytes_here
            position += count or 1
        return {group[0] for group in groups if len(group) == 1}

    def place_images(self, where: str, images: pa.Array) -> VideoPlace:
        """Encode the pictures of the next piece, stored as image files, and return their place."""
        number, begin = self._encoded(decoded(where, images, self._feature), len(images))
        return VideoPlace(number, begin / self._fps, (begin + len(images)) / self._fps)

    def _encoded(
        self, frames: Iterator[av.VideoFrame], length: int,
    ) -> tuple[FileNumber, int]:
        beside = self._folder / 'encoded.mp4'
        encode(frames, beside, self._fps, self._feature, self._settings or VideoSettings())
        with cut(beside, 0, length, self._fps) as packets:
            assert packets is not None
            found = self._joiner.append(packets)
        beside.unlink()
        return found

    def close(self) -> None:
        """Finish the open file."""
        self._joiner.close()


def _unique_runs(metadata: Any, camera: str) -> Iterator[Any]:
    runs = metadata.episodes.file_runs(camera)
    numbers = [run.number for run in runs]
    # Where the episodes of a file do not follow each other it is cut, never taken whole.
    once = {number for number, count in _counted(numbers).items() if count == 1}
    return (run for run in runs if run.number in once)


def _counted(numbers: list[FileNumber]) -> dict[FileNumber, int]:
    found: dict[FileNumber, int] = {}
    for number in numbers:
        found[number] = found.get(number, 0) + 1
    return found
