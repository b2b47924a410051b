# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put together a camera's file from what was whole when the writer ended, and from its spool."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
import os

from apprentice_dataset.boxes import moved
from apprentice_dataset.boxes import Mp4
from apprentice_dataset.boxes import scan
from apprentice_dataset.camera_forms import CameraPlan
from apprentice_dataset.camera_forms import file_of
from apprentice_dataset.camera_forms import form_of
from apprentice_dataset.depth import from_codes
from apprentice_dataset.depth_scale import UNITS
from apprentice_dataset.encoder import PictureEncoder
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.files import write_all
from apprentice_dataset.image_statistics import DepthSampler
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.mp4 import track_timescale
from apprentice_dataset.picture_files import PictureFile
from apprentice_dataset.picture_files import read_pictures
from apprentice_dataset.pictures import decode_picture
from apprentice_dataset.spool import EndOfSpool
from apprentice_dataset.spool import spooled_range
from apprentice_dataset.spool import SpoolReader
from apprentice_dataset.staging import Staging
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.video import opened
from apprentice_dataset.video import sampled_statistics
from apprentice_dataset.video import to_codes
import av
import numpy as np
from numpy.typing import NDArray

EMPTY = Mp4(b'', b'', (), 0, 0)


class LeftCamera(ABC):
    """Know what is left of a camera's pictures, and bring it to one length."""

    def __init__(self, plan: CameraPlan, staging: Staging) -> None:
        """Take the plan and where the open episode lies."""
        self._plan, self._staging = plan, staging
        self.path = staging.video(plan.name)
        self._spool = spooled_range(staging.spool(plan.name), plan.encoding.g)

    @abstractmethod
    def kept(self, rows: int) -> int:
        """Return how many frames of the file, at most `rows`, can stay."""

    @abstractmethod
    def join(self, rows: int) -> None:
        """Cut the file after what is kept and append the rest."""

    @abstractmethod
    def statistics(self) -> Statistics:
        """Return the statistics of the whole file."""

    def reachable(self, rows: int) -> int:
        """Return how many of the first `rows` frames exist somewhere."""
        kept = self.kept(rows)
        covered = kept in self._spool and kept % self._plan.encoding.g == 0
        return min(rows, self._spool.stop) if covered else kept

    def encode_rest(self, rows: int) -> int:
        """Encode what the file does not hold, into one beside; return the frames there are now."""
        kept = self.kept(rows)
        if kept == rows:
            return rows
        rest = self._staging.rest(self._plan.name)
        encoder = PictureEncoder(self._plan, rest, kept)
        reader = SpoolReader(self._staging.spool(self._plan.name), self._plan.encoding.g, kept)
        frame = kept
        try:
            while frame < rows:
                encoder.take(reader.next())
                frame += 1
        except (BadPicture, EndOfSpool):
            pass
        finally:
            reader.close()
        if frame > kept:
            encoder.close()
        else:
            encoder.abandon()
        return frame


class LeftVideo(LeftCamera):
    """Put together an mp4 from whole fragments and from spooled pictures."""

    def __init__(self, plan: CameraPlan, staging: Staging) -> None:
        """Look at the fragments."""
        super().__init__(plan, staging)
        self._mp4 = scan(self.path) if self.path.exists() else EMPTY

    def kept(self, rows: int) -> int:
        """Return how many frames of whole fragments, at most `rows`, can stay."""
        return self._kept(rows)[0]

    def _kept(self, rows: int) -> tuple[int, int, int]:
        frames = count = 0
        end = len(self._mp4.header)
        for fragment in self._mp4.fragments:
            if frames + fragment.frames > rows:
                break
            frames, count, end = frames + fragment.frames, count + 1, fragment.end
        return frames, count, end

    def join(self, rows: int) -> None:
        """Cut the mp4 after its kept fragments and append the rest."""
        kept, count, end = self._kept(rows)
        rest = self._staging.rest(self._plan.name)
        if kept == 0:
            os.replace(rest, self.path)
            return
        tail = scan(rest) if kept < rows else EMPTY
        if tail.fragments and tail.moov != self._mp4.moov:
            self._encode_again(end)
            return
        ticks = kept * track_timescale(self._plan.fps) // self._plan.fps
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, end)
            with open(rest if tail.fragments else self.path, 'rb') as file:
                for fragment in tail.fragments:
                    file.seek(fragment.begin)
                    data = file.read(fragment.end - fragment.begin)
                    write_all(descriptor, moved(data, count, ticks))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _encode_again(self, end: int) -> None:
        """Make one stream of both parts, whose encoders wrote different headers."""
        os.truncate(self.path, end)
        whole = self._staging.rest(f'{self._plan.name}.whole')
        file = file_of(self._plan, whole)
        for path in (self.path, self._staging.rest(self._plan.name)):
            with opened(path) as container:
                for frame in container.decode(video=0):
                    file.write(frame)
        file.close()
        os.replace(whole, self.path)

    def statistics(self) -> Statistics:
        """Return those of evenly spaced key frames."""
        depth = self._plan.depth
        if depth is None:
            return sampled_statistics(self.path)

        def distances(frame: av.VideoFrame) -> NDArray[np.float32]:
            mm = from_codes(to_codes(frame), depth.info(True))[:, :, 0]
            return mm * np.float32(UNITS[depth.unit] / UNITS['mm'])
        return sampled_statistics(self.path, DepthSampler(), distances)


class LeftPictures(LeftCamera):
    """Put together a file of pictures."""

    def __init__(self, plan: CameraPlan, staging: Staging) -> None:
        """Count the pictures that are whole."""
        super().__init__(plan, staging)
        self._whole = sum(1 for _ in read_pictures(self.path))

    def kept(self, rows: int) -> int:
        """Return as many as can be gone on from by the spool, which begins with a group."""
        if rows <= self._whole:
            return rows
        return self._whole - self._whole % self._plan.encoding.g

    def join(self, rows: int) -> None:
        """Cut the file and append the rest."""
        kept = self.kept(rows)
        file = PictureFile(self.path, self._plan.fps, kept)
        if kept < rows:
            for picture in read_pictures(self._staging.rest(self._plan.name)):
                file.write(picture)
        file.close()

    def statistics(self) -> Statistics:
        """Return those that the encoder would have gathered."""
        form = form_of(self._plan)
        for number, data in enumerate(read_pictures(self.path)):
            if form.sampler.wants(number):
                if self._plan.depth is None:
                    form.sample(form.decode(EncodedImage(data, 'png')))
                else:
                    form.sample(decode_picture(data, self._plan.feature)[:, :, 0])
        return form.sampler.statistics()


def left_camera(plan: CameraPlan, staging: Staging) -> LeftCamera:
    """Return what puts the file of a camera together."""
    return (LeftVideo if plan.encoding.is_video else LeftPictures)(plan, staging)
