# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Append an episode's own mp4 to the file of its camera."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from apprentice_dataset.edit.packets import Joiner
from apprentice_dataset.edit.packets import Packets
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.metadata import VideoPlace
from apprentice_dataset.video import frame_number
from apprentice_dataset.video import opened


def append_whole(joiner: Joiner, path: Path, length: int, fps: int | float) -> VideoPlace:
    """
    Append all packets of an mp4 and return where its first `length` frames now lie.

    :raises DatasetBroken: it has fewer frames, does not begin with a key frame, or its frames
        are not at multiples of 1 / fps.
    """
    rate = Fraction(fps).limit_denominator(1001)
    with opened(path) as source:
        stream = source.streams.video[0]
        packets = [packet for packet in source.demux(stream)
                   if packet.pts is not None and packet.dts is not None]
        numbers = [frame_number(packet.pts, stream.time_base, rate) for packet in packets]
        if packets and not packets[0].is_keyframe:
            raise DatasetBroken(str(path), 'no key frame', 'a key frame at the beginning',
                                'encode it anew')
        if sorted(numbers) != list(range(len(numbers))):
            raise DatasetBroken(str(path), f'{len(numbers)} frames numbered {min(numbers)} to '
                                f'{max(numbers)} at {fps}/s', 'one frame each 1 / fps from 0',
                                'encode it anew at a constant rate')
        # More than a row's worth happens, at the end; what lies there is kept and not shown.
        if not numbers or len(numbers) < length:
            raise DatasetBroken(str(path), f'{len(numbers)} frames', f'{length}, one a row',
                                'restore it from a copy or delete the episode')
        number, first = joiner.append(Packets(numbers, packets, stream))
    return VideoPlace(number, first / fps, (first + length) / fps)
