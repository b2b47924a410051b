# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Cut and join mp4s packet by packet, without encoding anything anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.files import make_folder
from apprentice_dataset.files import sync_path
from apprentice_dataset.files import translated
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.layout import following
from apprentice_dataset.layout import VIDEO_PATH
from apprentice_dataset.video import frame_number
from apprentice_dataset.video import opened
import av

_LEAST_TICKS = 10_000
# Where B-frames put a key frame's decoding time before others, seeking may land behind.
_STEP_BACK = 64


@dataclass(frozen=True)
class Packets:
    """Hold the packets of consecutive frames in the order of decoding, numbered from 0."""

    numbers: list[int]
    packets: list[Any]
    stream: Any

    @property
    def size(self) -> int:
        """Return their bytes."""
        return sum(packet.size for packet in self.packets)

    @property
    def delay(self) -> int:
        """Return how many frames decoding runs ahead of showing."""
        return max(place - number for place, number in enumerate(self.numbers))

    @property
    def header(self) -> tuple[Any, ...]:
        """Return what all packets of a file must have in common."""
        context = self.stream.codec_context
        return (context.name, context.width, context.height, context.pix_fmt,
                bytes(context.extradata or b''))


@contextmanager
def cut(path: Path, first: int, length: int, fps: int | float) -> Iterator[Packets | None]:
    """
    Yield the packets of frames of an mp4; None where they cannot be decoded without others.

    :raises DatasetBroken: the file cannot be read or lacks one of the frames.
    """
    rate = Fraction(fps).limit_denominator(1001)
    with opened(path) as container:
        stream = container.streams.video[0]
        for back in (0, _STEP_BACK, first):
            time = Fraction(max(0, first - back)) / rate / stream.time_base
            container.seek(int(time), stream=stream, backward=True)
            found, reached = _between(container, stream, first, length, rate)
            if reached:
                break
        if found is not None and sorted(found.numbers) != list(range(length)):
            raise DatasetBroken(
                str(path), f'{len(found.numbers)} frames from {first} on at {fps}/s',
                f'{length}, one each 1 / fps', 'validate the dataset')
        yield found


def _between(
    container: Any, stream: Any, first: int, length: int, rate: Fraction,
) -> tuple[Packets | None, bool]:
    """Return the packets, and whether reading began early enough to tell."""
    taken, kept, before, beyond = [], [], False, False
    for packet in container.demux(stream):
        if packet.pts is None or packet.dts is None:
            continue
        number = frame_number(packet.pts, stream.time_base, rate) - first
        if not kept and number != 0:
            if number > 0 and packet.is_keyframe:
                return (None if before else Packets([], [], stream)), before
            before = before or number < 0
            continue
        if not kept and not packet.is_keyframe:
            return None, True
        if number >= length:
            beyond = True
        elif number >= 0:
            # It may lean on one that does not stay.
            if beyond:
                return None, True
            taken.append(number)
            kept.append(packet)
        if len(kept) == length:
            break
    return Packets(taken, kept, stream), bool(kept)


class Joiner:
    """
    Append packets to numbered mp4s of a camera; frame n of a file is shown at n / fps.

    A file ends before it reaches the limit, and where a header differs.
    """

    def __init__(
        self, root: Path, camera: str, fps: int | float, limit: int, chunks_size: int,
    ) -> None:
        """Take where to write, and the limit of a file in bytes."""
        self._root, self._camera, self._limit = root, camera, limit
        self._chunks_size, self._fps = chunks_size, fps
        rate = Fraction(fps).limit_denominator(1001)
        doubled = 1
        while rate.numerator * doubled < _LEAST_TICKS:
            doubled *= 2
        self._ticks = rate.denominator * doubled
        self._base = Fraction(1, rate.numerator * doubled)
        self._number: FileNumber | None = None
        self._out: Any = None
        self._stream: Any = None
        self._header: Any = None
        self._frames = self._bytes = self._delay = 0

    def next_path(self) -> tuple[FileNumber, Path]:
        """Close the open file and return the number and the path of one after it."""
        self.close()
        folder = self._root / 'videos' / self._camera
        self._number = FileNumber(0, 0) if self._number is None else following(
            self._number, self._chunks_size, folder)
        make_folder(self._path().parent)
        return self._number, self._path()

    def append(self, packets: Packets) -> tuple[FileNumber, int]:
        """Append packets while their source is open; return the file and their first frame."""
        header = packets.header
        if self._out is None or header != self._header or packets.delay > self._delay \
                or self._bytes + packets.size >= self._limit:
            self._begin(packets)
        first = self._frames
        for place, (number, packet) in enumerate(zip(packets.numbers, packets.packets)):
            self._bytes += packet.size
            packet.stream, packet.time_base = self._stream, self._base
            packet.pts = (first + number) * self._ticks
            packet.dts = (first + place - self._delay) * self._ticks
            packet.duration = self._ticks
            try:
                self._out.mux(packet)
            except av.error.FFmpegError as error:
                raise translated(OSError(error.errno, error.strerror), self._path()) from None
        self._frames += len(packets.numbers)
        assert self._number is not None
        return self._number, first

    def _path(self) -> Path:
        assert self._number is not None
        return self._root / self._number.path(VIDEO_PATH, self._camera)

    def _begin(self, packets: Packets) -> None:
        _, path = self.next_path()
        # The index in front, so that a reader over the network finds it at once.
        self._out = av.open(str(path), 'w', format='mp4', options={
            'movflags': '+faststart', 'video_track_timescale': str(self._base.denominator)})
        self._stream = self._out.add_stream_from_template(packets.stream, opaque=True)
        self._stream.time_base = self._base
        self._header, self._delay = packets.header, packets.delay
        self._frames = self._bytes = 0

    def close(self) -> None:
        """Finish the open file and bring it to the disk."""
        out, self._out = self._out, None
        if out is None:
            return
        try:
            out.close()
        except av.error.FFmpegError as error:
            raise translated(OSError(error.errno, error.strerror), self._path()) from None
        sync_path(self._path())
