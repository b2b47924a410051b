# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure how fast this machine encodes pictures and writes to a disk."""
from __future__ import annotations

import os
from pathlib import Path
import tempfile
import threading
import time

from apprentice_dataset.codecs import decide
from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.encoder import CameraPlan
from apprentice_dataset.encoder import PictureEncoder
from apprentice_dataset.images import EncodedImage
from apprentice_node.priority import lower_priority
import numpy as np
import simplejpeg

_PICTURES = 8
_QUALITY = 90
_BLOCK = 4 << 20


def encoding_rate(sizes: list[tuple[int, int]], fps: int, seconds: float, folder: Path) -> float:
    """
    Return how many JPEG pictures a second all cameras together give, as the recorder encodes.

    :param sizes: width and height of every camera; each has a thread.
    """
    counts = [0] * len(sizes)
    errors: list[Exception] = []
    ends = time.monotonic() + seconds

    def work(index: int, path: Path) -> None:
        lower_priority()
        width, height = sizes[index]
        encoder = PictureEncoder(
            CameraPlan('doctor', width, height, fps, decide(VideoSettings(), fps)), path)
        pictures = _pictures(width, height)
        try:
            while time.monotonic() < ends:
                encoder.take(pictures[counts[index] % _PICTURES])
                counts[index] += 1
            encoder.close()
        except Exception as error:  # of the thread: told by the caller
            errors.append(error)

    with tempfile.TemporaryDirectory(prefix='.doctor-', dir=folder) as scratch:
        threads = [threading.Thread(target=work, args=(index, Path(scratch, f'{index}.mp4')))
                   for index in range(len(sizes))]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return sum(counts) / (time.monotonic() - begin)


def writing(folder: Path, blocks: int = 8) -> tuple[float, float]:
    """Return MB/s of synced writes of 4 MiB into a folder, and the longest of them in s."""
    data = os.urandom(_BLOCK)
    longest = 0.0
    begin = time.monotonic()
    with tempfile.TemporaryFile(prefix='.doctor-', dir=folder) as file:
        for _ in range(blocks):
            start = time.monotonic()
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            longest = max(longest, time.monotonic() - start)
    return blocks * _BLOCK / 1e6 / (time.monotonic() - begin), longest


def _pictures(width: int, height: int) -> list[EncodedImage]:
    """Return JPEG pictures with the noise of a camera and something that moves."""
    random = np.random.default_rng(0)
    slope = np.linspace(0, 200, width, dtype=np.uint8)
    still = np.broadcast_to(slope[None, :, None], (height, width, 3))
    found = []
    for index in range(_PICTURES):
        picture = still + random.integers(0, 12, (height, width, 3), dtype=np.uint8)
        left = index * width // (2 * _PICTURES)
        picture[height // 4:height // 2, left:left + width // 4] = 230
        found.append(EncodedImage(
            simplejpeg.encode_jpeg(picture, quality=_QUALITY, colorsubsampling='420'), 'jpeg'))
    return found
