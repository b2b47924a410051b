# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read frames of an mp4 by number."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from apprentice_dataset.decoding import to_rgb
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.image_statistics import DepthSampler
from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.statistics import Statistics
import av
import numpy as np
from numpy.typing import NDArray

# So many frames are decoded rather than sought: about what a group costs.
_NEAR = 16
# Key frames decoded for statistics: more change no digit that matters.
_SAMPLES = 100
# Beside FFmpeg's own: sizes that differ, frames without a time, clocks of 0.
_DAMAGE = (av.error.FFmpegError, ValueError, TypeError, ArithmeticError)


@contextmanager
def video_errors(path: Path | str, expected: str) -> Iterator[None]:
    """Raise DatasetBroken for what a damaged mp4 makes PyAV, or counting by it, raise."""
    try:
        yield
    except DatasetError:
        raise
    except FileNotFoundError:
        raise DatasetBroken(str(path), 'no such file', expected, 'restore it from a copy'
                            ) from None
    except (*_DAMAGE, OSError) as error:
        raise DatasetBroken(str(path), str(error), expected, 'restore it from a copy') from None


def video_stream(path: Path | str, container: Any) -> Any:
    """Return the stream of pictures; DatasetBroken when there is none that can be decoded."""
    streams = container.streams.video
    if not streams or streams[0].codec_context is None or not streams[0].time_base:
        raise DatasetBroken(str(path), 'no video stream', 'an mp4 with one')
    return streams[0]


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an mp4; DatasetBroken says that it is missing, cut or something else."""
    with video_errors(path, 'an mp4'):
        container = av.open(str(path))
    with container:
        video_stream(path, container)
        try:
            yield container
        except DatasetError:
            raise
        # No OSError: it may be of a disk that is written meanwhile.
        except _DAMAGE as error:
            raise DatasetBroken(str(path), str(error), 'frames that can be decoded',
                                'restore it from a copy') from None


def frame_number(pts: int, time_base: Fraction, fps: Fraction) -> int:
    """Return the number of the frame shown at a time, the nearest."""
    exact = pts * time_base * fps
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def to_codes(frame: av.VideoFrame) -> NDArray[np.uint16]:
    """Return (height, width, 1), the codes of a depth video as they are stored."""
    return frame.to_ndarray(format='gray12le')[:, :, None]


def decode(
    path: Path, numbers: Sequence[int], fps: int | float,
    convert: Callable[[av.VideoFrame], NDArray[Any]] = to_rgb,
) -> NDArray[Any]:
    """
    Return frames of an mp4 by number, (n, height, width, 3) RGB, in the order asked for.

    :param convert: gives a frame's pixels, if not RGB.
    :raises DatasetBroken: the file cannot be decoded or lacks one of the frames.
    """
    rate = Fraction(fps).limit_denominator(1_000_000)
    wanted = sorted(set(numbers))
    found: dict[int, NDArray[Any]] = {}
    with opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = 'SLICE'
        frames = frames_from(container, stream, wanted[0], rate) if wanted else iter(())
        at = -1
        for number in wanted:
            if at >= 0 and number > at + _NEAR:
                frames = frames_from(container, stream, number, rate)
            for at, frame in frames:
                if at == number:
                    found[number] = convert(frame)
                if at >= number:
                    break
            if number not in found:
                raise DatasetBroken(str(path), f'no frame {number}', f'{len(wanted)} frames from '
                                    f'{wanted[0]} to {wanted[-1]}', 'validate the dataset')
    if not found:
        raise DatasetBroken(str(path), 'no frame asked for', 'at least one frame number')
    return np.stack([found[number] for number in numbers])


def frames_from(
    container: Any, stream: Any, number: int, rate: Fraction,
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield frames with their numbers from one at or before a number, if there is such a one."""
    back = 0
    while True:
        begin = max(0, number - back)
        container.seek(int(Fraction(begin) / rate / stream.time_base), stream=stream,
                       backward=True)
        for place, frame in enumerate(container.decode(stream)):
            found = frame_number(frame.pts, stream.time_base, rate)
            # An mp4 is sought by the times of decoding, which run ahead where frames are stored
            # in another order than they are shown: then it is entered too late.
            if place == 0 and found > number and begin > 0:
                break
            yield found, frame
        else:
            return
        back = 2 * back or 1


def frame_times(path: Path, fps: int | float) -> tuple[list[int], list[tuple[int, int]]]:
    """Decode a whole mp4; return the number of every frame and the sizes (height, width) seen."""
    rate = Fraction(fps).limit_denominator(1_000_000)
    numbers, sizes = [], set()
    with opened(path) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            numbers.append(frame_number(frame.pts, stream.time_base, rate))
            sizes.add((frame.height, frame.width))
    return numbers, sorted(sizes)


def sampled_statistics(
    path: Path, sampler: PictureSampler | DepthSampler | None = None,
    convert: Callable[[av.VideoFrame], NDArray[Any]] = to_rgb,
) -> Statistics:
    """
    Return a camera's statistics from evenly spaced key frames of its mp4.

    :param sampler: what takes them, if not one of RGB.
    :param convert: gives a frame's pixels, if not RGB.
    """
    sampler, taken = sampler or PictureSampler(), 0
    with opened(path) as container:
        stream = container.streams.video[0]
        keys = [packet for packet in container.demux(stream) if packet.is_keyframe]
        context = stream.codec_context
        for packet in keys[::-(-len(keys) // _SAMPLES)]:
            for frame in [*context.decode(packet), *context.decode(None)]:
                sampler.take(convert(frame))
                taken += 1
            context.flush_buffers()
    if not taken:
        raise DatasetBroken(str(path), 'no frame that can be decoded', 'at least one',
                            'restore it from a copy')
    return sampler.statistics()
