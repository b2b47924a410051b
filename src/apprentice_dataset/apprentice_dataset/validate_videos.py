# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold every frame of an mp4 to its place in time, from its packets or by decoding it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from apprentice_dataset.boxes import scan
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import Problem
from apprentice_dataset.features import Feature
from apprentice_dataset.video import opened
import numpy as np
from numpy.typing import NDArray

# LeRobot refuses a frame that is further from its time.
TOLERANCE_S = 1e-4
_COPY = 'restore it from a copy'


@dataclass(frozen=True)
class VideoJob:
    """Name an mp4, and the first frames and lengths of its episodes."""

    path: Path
    feature: Feature
    fps: int | float
    episodes: NDArray[np.int64]
    firsts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    deep: bool = False
    threads: int = 1

    def problems(self) -> list[Problem]:
        """Read all packets, with `deep` decode all frames, and return what is wrong."""
        try:
            boxes = scan(self.path)
        except FileNotFoundError:
            return [Problem(str(self.path), 'no such file', 'an mp4', _COPY)]
        except OSError as error:
            return [Problem(str(self.path), str(error), 'a readable mp4')]
        if not boxes.moov:
            return [Problem(str(self.path), 'no moov box', 'an mp4 that was finished', _COPY)]
        try:
            with opened(self.path) as container:
                return [*self._overlaps(), *self._frames(container)]
        except DatasetBroken as error:
            return [error.problem]

    def _overlaps(self) -> Iterator[Problem]:
        order = np.argsort(self.firsts, kind='stable')
        ends = (self.firsts + self.lengths)[order]
        for place in np.flatnonzero(self.firsts[order][1:] < ends[:-1])[:1].tolist():
            one, other = self.episodes[order[place]], self.episodes[order[place + 1]]
            yield Problem(f'{self.path}: episode {other}',
                          f'frame {self.firsts[order[place + 1]]} as its first, which is one of '
                          f'episode {one}', f'frame {ends[place]} or later',
                          'each episode needs frames of its own')

    def _frames(self, container: Any) -> Iterator[Problem]:
        stream = container.streams.video[0]
        yield from self._header(stream.codec_context)
        stream.thread_type = 'AUTO' if self.threads > 1 else 'SLICE'
        stream.codec_context.thread_count = self.threads
        times, first_key = self._decoded(container, stream) if self.deep \
            else _packets(container, stream)
        if not first_key:
            yield Problem(str(self.path), 'no key frame at its beginning', 'one', _COPY)
        seconds = np.sort(np.array(times, np.int64)) * float(stream.time_base)
        yield from self._order(seconds)

    def _header(self, context: Any) -> Iterator[Problem]:
        if (context.height, context.width) != self.feature.height_width:
            yield Problem(str(self.path), f'frames of (height, width) '
                          f'({context.height}, {context.width})', f'{self.feature.height_width}')
        codec = (self.feature.info or {}).get('video.codec')
        names = {context.name, context.codec.canonical_name}
        if isinstance(codec, str) and codec in ('h264', 'hevc', 'av1') and codec not in names:
            yield Problem(str(self.path), f'codec {context.codec.canonical_name}',
                          f'{codec}, as info.json says')

    def _decoded(self, container: Any, stream: Any) -> tuple[list[int], bool]:
        times, first, corrupt = [], True, None
        for frame in container.decode(stream):
            times.append(frame.pts)
            first = first and (len(times) > 1 or frame.key_frame)
            corrupt = frame.pts if frame.is_corrupt and corrupt is None else corrupt
        if corrupt is not None:
            raise DatasetBroken(f'{self.path}: frame at {float(corrupt * stream.time_base):g} s',
                                'damage', 'a whole frame', _COPY)
        return [time for time in times if time is not None], first

    def _order(self, seconds: NDArray[np.float64]) -> Iterator[Problem]:
        needed = int((self.firsts + self.lengths).max()) if len(self.firsts) else 0
        count = len(seconds)
        rate = float(Fraction(self.fps).limit_denominator(1_000_000))
        numbers = np.rint(seconds * rate).astype(np.int64)
        wrong = np.flatnonzero(numbers != np.arange(count))
        if wrong.size:
            at = int(wrong[0])
            what = f'frame {at - 1} twice' if at and numbers[at] < at else f'no frame {at}'
            yield Problem(str(self.path), f'{what}, but {numbers[at]}',
                          f'frame n at n / {self.fps:g} s from 0 on, without a gap',
                          'encode it anew at a constant rate')
        elif count < needed:
            yield Problem(str(self.path), f'{count} frames', f'at least {needed}', _COPY)
        else:
            far = np.flatnonzero(np.abs(seconds - numbers / rate) > TOLERANCE_S)
            if far.size:
                yield Problem(f'{self.path}: frame {far[0]}', f'{seconds[far[0]]:.6f} s',
                              f'{far[0] / rate:.6f} s', 'LeRobot refuses it; encode it anew')


def _packets(container: Any, stream: Any) -> tuple[list[int], bool]:
    times, first_key = [], True
    for packet in container.demux(stream):
        if packet.pts is None or packet.is_discard:
            continue
        first_key = first_key and (bool(times) or packet.is_keyframe)
        times.append(packet.pts)
    return times, first_key
