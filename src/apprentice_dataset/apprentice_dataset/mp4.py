# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Encode frames into a fragmented mp4 that is whole up to its last fragment at any time."""

from __future__ import annotations

from fractions import Fraction
import os
from pathlib import Path
from typing import Any

from apprentice_dataset.codecs import Encoding
from apprentice_dataset.files import write_all
import av

_FLAGS = 'frag_keyframe+empty_moov+default_base_moof'
# So much video may wait for the disk: saving then has little left to bring there.
_SYNC_S = 2


def track_timescale(fps: int) -> int:
    """Return the ticks per second of a track: the smallest fps * 2^k from 10000 on."""
    ticks = fps
    while ticks < 10_000:
        ticks *= 2
    return ticks


class _Sink:
    """Give the muxer a file that says what went wrong and can be shut."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self.error: OSError | None = None
        self.shut = False

    def write(self, data: bytes) -> int:
        """Write everything, or remember why not and swallow the rest."""
        if not self.shut and self.error is None:
            try:
                write_all(self.descriptor, data)
            except OSError as error:
                self.error = error
        return len(data)

    def check(self) -> None:
        """Raise what a write met."""
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Close the file."""
        self.shut = True
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Mp4Writer:
    """Write one mp4; `flushed` frames lie in whole fragments of the file."""

    def __init__(
        self, path: Path, width: int, height: int, fps: int, encoding: Encoding,
    ) -> None:
        """Begin the file; DatasetError of the disk comes from `write`."""
        self._sink = _Sink(path)
        self._fps = fps
        self._container = av.open(self._sink, 'w', format='mp4', options={
            'movflags': _FLAGS, 'flush_packets': '1',
            'video_track_timescale': str(track_timescale(fps))})
        self._stream = self._container.add_stream(
            encoding.encoder, rate=fps, options=encoding.options())
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = encoding.pix_fmt
        context = self._stream.codec_context
        context.gop_size = encoding.g
        context.max_b_frames = 0
        context.thread_count = 1
        context.time_base = Fraction(1, fps)
        self._synced = 0
        self.frames = 0
        self.flushed = 0

    def write(self, frame: av.VideoFrame) -> None:
        """Encode the next frame, in the format of the encoding."""
        frame.pts = self.frames
        frame.time_base = Fraction(1, self._fps)
        # Else the encoder would keep the group's rhythm from a decoder's hints.
        frame.pict_type = 0
        self.frames += 1
        self._mux(self._stream.encode(frame))
        if self.flushed - self._synced >= _SYNC_S * self._fps:
            os.fdatasync(self._sink.descriptor)
            self._synced = self.flushed

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            frame = packet.pts if packet.is_keyframe else None
            if not packet.duration:
                packet.duration = 1
            self._container.mux(packet)
            self._sink.check()
            if frame is not None:
                self.flushed = frame

    def close(self) -> None:
        """Finish the file and bring it to the disk."""
        try:
            self._mux(self._stream.encode(None))
            self._container.close()
            self._sink.check()
            os.fsync(self._sink.descriptor)
            self.flushed = self.frames
        finally:
            self._sink.close()

    def abandon(self) -> None:
        """Let the file be as it is."""
        self._sink.shut = True
        self._container.close()
        self._sink.close()
