# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Encode a camera's pictures while they are recorded, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import threading
from typing import Any

from apprentice_dataset.camera_forms import CameraPlan
from apprentice_dataset.camera_forms import file_of
from apprentice_dataset.camera_forms import form_of
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import EpisodeFailed
from apprentice_dataset.files import translated
from apprentice_dataset.images import Picture
from apprentice_dataset.spool import SpoolReader
from apprentice_dataset.statistics import Statistics

__all__ = ['CameraPlan', 'EncoderThread', 'PictureEncoder']


class PictureEncoder:
    """Turn pictures into an mp4, or a file of pictures, and statistics, one after the other."""

    def __init__(self, plan: CameraPlan, path: Path, first: int = 0) -> None:
        """Begin the file; `first` is the number that errors give to the first picture."""
        self._plan, self._first = plan, first
        self._form, self._writer = form_of(plan), file_of(plan, path)
        self._encoded: Any = None
        self._source: Any = None

    @property
    def flushed(self) -> int:
        """Return how many frames are whole in the file."""
        return self._writer.flushed

    def take(self, picture: Picture | None) -> None:
        """
        Encode a picture; None repeats the last one.

        :raises BadPicture: it cannot be decoded or has another size.
        """
        frame = self._writer.frames
        if picture is not None:
            try:
                self._source = self._form.decode(picture)
            except BadPicture as error:
                raise BadPicture(
                    f'{self._plan.name}, frame {self._first + frame}: {error}') from None
            self._encoded = self._form.encoded(picture, self._source)
        if self._source is None:
            raise BadPicture(f'{self._plan.name}, frame {frame}: nothing to repeat')
        if self._form.sampler.wants(frame):
            self._form.sample(self._source)
        self._writer.write(self._encoded)

    def statistics(self) -> Statistics:
        """Return those of the pictures so far."""
        return self._form.sampler.statistics()

    def close(self) -> None:
        """Finish the file and bring it to the disk."""
        self._writer.close()

    def abandon(self) -> None:
        """Let the file be as it is."""
        self._writer.abandon()


class EncoderThread:
    """Read a spool as it grows and encode it."""

    def __init__(
        self, plan: CameraPlan, spool: Path, path: Path,
        on_thread_start: Callable[[], None] | None = None,
    ) -> None:
        """Start; `on_thread_start` runs first in the thread, to lower its priority."""
        self._plan, self._path = plan, path
        self._reader = SpoolReader(spool, plan.encoding.g)
        self._on_start = on_thread_start
        self._changed = threading.Condition()
        self._spooled = 0
        self._last: int | None = None
        self._abandoned = False
        self._error: DatasetError | None = None
        self._statistics: Statistics = {}
        self._thread = threading.Thread(target=self._run, name=f'encode {plan.name}', daemon=True)
        self._thread.start()

    @property
    def encoded(self) -> tuple[int, int]:
        """Return frames and bytes of the spool that are encoded."""
        return self._reader.frames, self._reader.bytes

    def notify(self, frames: int) -> None:
        """Say how many frames the spool holds now."""
        with self._changed:
            self._spooled = frames
            self._changed.notify()

    def check(self) -> None:
        """Raise EpisodeFailed, or the disk's error, if the thread has failed."""
        if self._error is not None:
            raise self._error

    def end(self, frames: int) -> None:
        """Say that the spool ends with so many frames."""
        with self._changed:
            self._last = self._spooled = frames
            self._changed.notify()

    def result(self) -> Statistics:
        """Wait until the file is finished and on disk; return the camera's statistics."""
        self._thread.join()
        self.check()
        return self._statistics

    def abandon(self) -> None:
        """End the thread; the file stays as it is."""
        with self._changed:
            self._abandoned = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            if self._on_start is not None:
                self._on_start()
            self._encode()
        except DatasetError as error:
            self._error = EpisodeFailed(f'{error}. The episode cannot go on; discard it')
        except OSError as error:
            self._error = translated(error, self._path)
        except Exception as error:
            self._error = EpisodeFailed(
                f'{self._plan.name}: the encoder failed: {type(error).__name__}: {error}. '
                'The episode cannot go on; discard it')
            self._error.__cause__ = error
        finally:
            self._reader.close()

    def _encode(self) -> None:
        encoder = PictureEncoder(self._plan, self._path)
        try:
            while self._wait():
                encoder.take(self._reader.next())
                self._reader.release(encoder.flushed)
            if self._abandoned:
                encoder.abandon()
                return
            encoder.close()
        except BaseException:
            encoder.abandon()
            raise
        self._statistics = encoder.statistics()

    def _wait(self) -> bool:
        """Wait for a picture; False: there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._abandoned or self._last is not None
                                   or self._reader.frames < self._spooled)
            return not self._abandoned and self._reader.frames < self._spooled
