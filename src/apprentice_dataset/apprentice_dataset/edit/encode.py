# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Encode frames anew, where packets cannot be kept."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from apprentice_dataset.codecs import decide
from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.decoding import to_encoder
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.files import translated
import av

_DEPTH = 'gray12le'
# Codes of depth come back as they were, so that encoding them again takes nothing away.
_LOSSLESS = {'x265-params': 'lossless=1:keyint=2:min-keyint=1:bframes=0:log-level=none'}


def encode(
    frames: Iterable[av.VideoFrame], path: Path, fps: int | float, feature: Feature,
    settings: VideoSettings = VideoSettings(),
) -> None:
    """
    Encode frames into an mp4, with the settings that a camera was recorded with.

    Depth is encoded without loss.

    :param settings: what is wanted otherwise.
    :raises DatasetBroken: the camera's codec is none that is written here.
    :raises DatasetError: the disk is full or fails.
    """
    height, width = feature.height_width
    depth = feature.shape[-1] == 1
    name, options = ('libx265', _LOSSLESS) if depth else _colour(fps, feature, settings)
    try:
        with av.open(str(path), 'w', format='mp4') as out:
            stream: Any = out.add_stream(
                name, rate=Fraction(fps).limit_denominator(1001), options=dict(options))
            stream.width, stream.height = width, height
            stream.pix_fmt = _DEPTH if depth else 'yuv420p'
            # Else references would wait for later frames, and begin a file one frame late.
            stream.codec_context.max_b_frames = 0
            stream.codec_context.thread_count = 1
            for number, frame in enumerate(frames):
                if not depth and frame.format.name != 'yuv420p':
                    frame = to_encoder(frame)
                frame.pts, frame.time_base = number, 1 / Fraction(fps).limit_denominator(1001)
                # Else the encoder would keep the groups of the source.
                frame.pict_type = 0
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        raise translated(OSError(error.errno, error.strerror), path) from None


def _colour(
    fps: int | float, feature: Feature, settings: VideoSettings,
) -> tuple[str, Mapping[str, str]]:
    if any(size % 2 for size in feature.height_width):
        raise DatasetBroken('video', f'frames of (height, width) {feature.height_width}',
                            'even sizes', 'yuv420p halves both')
    encoding = decide(settings, int(fps), feature.info)
    return encoding.encoder, encoding.options()
