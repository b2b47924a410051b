# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write what a trial looked like as mp4."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np


class Video:
    """One file, a frame a step: H.264, which browsers and notebooks show."""

    def __init__(self, path: Path, fps: int) -> None:
        """Begin a file; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._fps = path, fps
        self._container = av.open(str(path), 'w')
        self._stream: av.VideoStream | None = None

    def add(self, frame: np.ndarray) -> None:
        """Add a picture, uint8 (height, width, 3), all of one size."""
        # yuv420p halves both sides.
        frame = frame[:frame.shape[0] // 2 * 2, :frame.shape[1] // 2 * 2]
        if self._stream is None:
            self._stream = self._container.add_stream('libx264', rate=self._fps)
            self._stream.height, self._stream.width = frame.shape[:2]
            self._stream.pix_fmt = 'yuv420p'
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format='rgb24')
        self._container.mux(self._stream.encode(picture))

    def close(self) -> None:
        """Finish the file."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
