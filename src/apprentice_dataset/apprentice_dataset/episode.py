# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Take the rows and pictures of one episode."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
import shutil
from typing import Any

from apprentice_dataset.boxes import scan
from apprentice_dataset.camera_forms import camera_plan
from apprentice_dataset.camera_forms import CameraPlan
from apprentice_dataset.encoder import EncoderThread
from apprentice_dataset.errors import BadRow
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import EpisodeFailed
from apprentice_dataset.files import storage_errors
from apprentice_dataset.files import translated
from apprentice_dataset.images import CHANNELS
from apprentice_dataset.images import DEPTHS
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import KINDS
from apprentice_dataset.images import Picture
from apprentice_dataset.images import RawImage
from apprentice_dataset.journal import EpisodeHeader
from apprentice_dataset.journal import Journal
from apprentice_dataset.picture_files import size_of
from apprentice_dataset.publication import check_extra
from apprentice_dataset.publication import FinishedEpisode
from apprentice_dataset.spool import SpoolWriter
from apprentice_dataset.staging import Staging
from apprentice_dataset.transaction import Step

Publish = Callable[[FinishedEpisode], None]


@dataclass(frozen=True)
class Backlog:
    """Say what a camera's encoder has still to do, in frames and in bytes on disk."""

    frames: int
    bytes: int


@dataclass(frozen=True)
class SavedEpisode:
    """Say what was published: number of the episode, rows, bytes of its pictures."""

    index: int
    length: int
    bytes: int


class _Camera:
    def __init__(self, plan: CameraPlan, staging: Staging, on_start: Callable[[], None] | None,
                 ) -> None:
        self.plan, self.path = plan, staging.video(plan.name)
        self.spool = SpoolWriter(staging.spool(plan.name), plan.encoding.g)
        self.encoder = EncoderThread(plan, staging.spool(plan.name), self.path, on_start)

    def backlog(self) -> Backlog:
        # The encoder's figures first: it may go on in between, never back.
        frames, size = self.encoder.encoded
        return Backlog(self.spool.frames - frames, self.spool.bytes - size)

    def encoded(self) -> tuple[int, int] | None:
        """Return frames and bytes of the finished file; None once an mp4 is published."""
        if not self.plan.encoding.is_video:
            return size_of(self.path)
        return (scan(self.path).frames, self.path.stat().st_size) if self.path.exists() else None

    def takes(self, picture: Picture) -> bool:
        depth = self.plan.depth
        if isinstance(picture, EncodedImage):
            return picture.kind in (KINDS if depth is None else ('png',) * (depth.unit == 'mm'))
        return isinstance(picture, RawImage) and (
            picture.encoding in CHANNELS if depth is None
            else picture.encoding == DEPTHS[depth.unit])

    def kinds(self) -> str:
        depth = self.plan.depth
        if depth is None:
            return f'EncodedImage of {" | ".join(KINDS)} or RawImage of {" | ".join(CHANNELS)}'
        more = ' or EncodedImage of png, 16 bits' if depth.unit == 'mm' else ''
        return f'RawImage of {DEPTHS[depth.unit]}{more}: distances in {depth.unit}'


class EpisodeWriter:
    """
    Take rows until the episode is saved or discarded; DatasetWriter.begin_episode makes one.

    Methods are for one thread; `backlog` may be read from others. When the encoder or the disk
    has failed, every call raises that error, and `discard` remains.
    """

    def __init__(
        self, staging: Staging, index: int, header: EpisodeHeader, publish: Publish, step: Step,
        on_thread_start: Callable[[], None] | None,
    ) -> None:
        """Open the journal, the spools and the encoders."""
        self.index = index
        self._staging, self._publish, self._step = staging, publish, step
        self._layout = header.layout
        self._failure: DatasetError | None = None
        self._is_open, self._is_ending = True, False
        staging.make()
        self._journal = Journal(staging.journal, header)
        self._cameras: dict[str, _Camera] = {}
        self._sizes: dict[str, int] = {}
        try:
            for plan in plans(header):
                self._cameras[plan.name] = _Camera(plan, staging, on_thread_start)
        except BaseException:
            self.abandon()
            raise

    @property
    def length(self) -> int:
        """Return the number of rows taken."""
        return len(self._journal.rows)

    @property
    def is_open(self) -> bool:
        """Return whether it is neither saved nor discarded."""
        return self._is_open

    @property
    def backlog(self) -> Mapping[str, Backlog]:
        """Return what each camera's encoder has still to do; {} once it is closed."""
        if not self._is_open:
            return {}
        self._check()
        return {name: camera.backlog() for name, camera in self._cameras.items()}

    def add(
        self, values: Mapping[str, Any], images: Mapping[str, Picture | None], task: str,
    ) -> int:
        """
        Take one row and return its frame index; the encoders are never waited for.

        :param values: every feature that is no camera, in its shape; a scalar may be bare.
            Language is a list of dicts, see language.packed; the persistent one is the same in
            every row.
        :param images: every camera; None repeats its last picture. The bytes must not change
            any more. Those of depth are RawImage of images.DEPTHS; 0 is what was not measured.
        :raises BadRow: a key, shape, type or value does not fit; the row was not taken.
        :raises DatasetFull: the disk is full; the episode can only be discarded.
        :raises EpisodeFailed: a picture taken earlier could not be encoded.
        """
        self._check()
        if self._is_ending:
            raise DatasetError('the episode is being saved; begin another')
        numbers, strings = self._layout.pack(values)
        self._journal.rows.check(strings)
        self._check_images(images)
        if not isinstance(task, str):
            raise BadRow(f'row: task: found {type(task).__name__}, expected a string')
        try:
            for name, camera in self._cameras.items():
                camera.spool.append(images[name])
            self._journal.append(numbers, strings, task)
        except OSError as error:
            self._failure = translated(error, self._staging.episode)
            raise self._failure from error
        for camera in self._cameras.values():
            camera.encoder.notify(camera.spool.frames)
        return self.length - 1

    def relabel(self, task: str) -> None:
        """Give every row so far another task."""
        self._check()
        if not isinstance(task, str):
            raise BadRow(f'task: found {type(task).__name__}, expected a string')
        with storage_errors(self._staging.episode):
            self._journal.relabel(task)

    def save(self, files: Mapping[str, bytes] | None = None) -> SavedEpisode:
        """
        Publish the episode; when this returns it is on disk and part of the dataset.

        :param files: contents of extra files by path below meta/apprentice, published with it.
        :raises DatasetFull: the disk is full; free space and save again, or discard.
        :raises EpisodeFailed: a picture could not be encoded, or a camera's file does not hold
            one frame a row; nothing is published.
        """
        self._check()
        if not self.length:
            raise DatasetError('the episode has no rows; discard it')
        check_extra(files or {})
        self._step('encode')
        self._is_ending = True
        rows = self._journal.rows
        for camera in self._cameras.values():
            camera.spool.close()
            camera.encoder.end(len(rows))
        cameras = {}
        for name, camera in self._cameras.items():
            statistics = camera.encoder.result()
            # Gone once the episode is committed, when an interrupted save is repeated.
            if (encoded := camera.encoded()) is not None:
                frames, self._sizes[name] = encoded
                _check_frames(name, frames, len(rows))
            cameras[name] = (camera.path, statistics)
        with storage_errors(self._staging.root):
            self._publish(FinishedEpisode(rows, cameras, dict(files or {})))
        self._journal.close()
        self._is_open = False
        return SavedEpisode(self.index, len(rows), sum(self._sizes.values()))

    def discard(self) -> None:
        """Give the episode up; nothing of it remains. Refused once save has committed it."""
        if not self._is_open:
            return
        if self._staging.intent.exists():
            raise DatasetError('the episode is committed and will be part of the dataset; '
                               'save again to complete it')
        self.abandon()
        with storage_errors(self._staging.root):
            self._staging.sweep()

    def abandon(self) -> None:
        """Stop; what was taken stays in staging and is saved by the next opening."""
        if not self._is_open:
            return
        self._is_open = False
        for camera in self._cameras.values():
            camera.encoder.abandon()
            camera.spool.close()
        self._journal.close()

    def _check(self) -> None:
        if not self._is_open:
            raise DatasetError('the episode is closed; begin another')
        if self._failure is not None:
            raise self._failure
        for camera in self._cameras.values():
            camera.encoder.check()

    def _check_images(self, images: Mapping[str, Picture | None]) -> None:
        if images.keys() != self._cameras.keys():
            raise BadRow(f'row: found cameras {sorted(images)}, expected exactly '
                         f'{sorted(self._cameras)}')
        for name, picture in images.items():
            if picture is None:
                if not self.length:
                    raise BadRow(f'row: {name}: found no picture in the first row, expected one; '
                                 'there is none to repeat')
            elif not self._cameras[name].takes(picture):
                raise BadRow(f'row: {name}: found {str(picture)[:80]}, expected '
                             f'{self._cameras[name].kinds()}')


def _check_frames(camera: str, frames: int, rows: int) -> None:
    if frames != rows:
        raise EpisodeFailed(f'{camera}: found {frames} frames in its file, expected {rows}, one '
                            'a row; the episode is not published, discard it')


def plans(header: EpisodeHeader) -> list[CameraPlan]:
    """Return how each camera of an episode is encoded."""
    return [camera_plan(name, feature, header.fps, header.encodings[name])
            for name, feature in header.features.items() if feature.is_camera]


def remove_staged(staging: Staging) -> None:
    """Remove what an interrupted save wrote beside, to give its space back."""
    shutil.rmtree(staging.staged, ignore_errors=True)
