# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Bring a camera's mp4s into the result: whole files linked, episodes cut, or encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
import errno
import os
from pathlib import Path
import shutil
from typing import Any

from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.edit.encode import encode
from apprentice_dataset.edit.packets import cut
from apprentice_dataset.edit.packets import Joiner
from apprentice_dataset.edit.pictures import decoded
from apprentice_dataset.edit.pictures import done
from apprentice_dataset.edit.pictures import PictureJob
from apprentice_dataset.edit.plan import Piece
from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.files import sync_path
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.metadata import VideoPlace
import pyarrow as pa

_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}


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


class CameraFiles:
    """Place the pictures of one camera, piece by piece."""

    def __init__(self, plan: Plan, folder: Path, camera: str) -> None:
        """Take the plan, the folder that is built, and the camera's name in the result."""
        self._plan, self._folder = plan, folder
        self._name, self._number = plan.names[camera], list(plan.info.cameras).index(camera)
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
        return self._appended(position)

    def job(self, position: int, statistics: bool) -> PictureJob | None:
        """
        Return what is to be done before a piece is brought in, if anything.

        :param statistics: whether those of its pictures are wanted.
        """
        if self.from_images or self._settings is None and not statistics:
            return None
        return self._job(position, statistics, self._settings is not None)

    def _job(self, position: int, statistics: bool, encoded: bool) -> PictureJob:
        piece = self._plan.pieces[position]
        path, first = self.source(piece)
        return PictureJob(path, first, piece.end - piece.begin, self._fps, self._feature,
                          statistics, self._settings or VideoSettings(),
                          self._beside(position) if encoded else None)

    def _beside(self, position: int) -> Path:
        return self._folder / f'encoded-{self._number}-{position}.mp4'

    def _appended(self, position: int) -> VideoPlace:
        """Append the packets of a piece, or what was encoded, now if need be, of its frames."""
        piece, at = self._plan.pieces[position], None
        length = piece.end - piece.begin
        if self._settings is None:
            path, first = self.source(piece)
            with cut(path, first, length, self._fps) as packets:
                at = self._joiner.append(packets) if packets is not None else None
            if at is None:
                done(self._job(position, False, True))
        number, begin = at or self._encoded(position, length)
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

    def place_images(self, where: str, position: int, images: pa.Array) -> VideoPlace:
        """Encode the pictures of the next piece, stored as image files, and return their place."""
        encode(decoded(where, images, self._feature), self._beside(position), self._fps,
               self._feature, self._settings or VideoSettings())
        number, begin = self._encoded(position, len(images))
        return VideoPlace(number, begin / self._fps, (begin + len(images)) / self._fps)

    def _encoded(self, position: int, length: int) -> tuple[FileNumber, int]:
        beside = self._beside(position)
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
