# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure where the time of a step goes, without waiting for a GPU at every part."""

from __future__ import annotations

import time
from typing import Any

import torch

PARTS = ('data', 'transfer', 'forward', 'backward', 'update')


class Watch:
    """
    Add up seconds by part of a step.

    On a GPU parts are measured there: data is then only what the GPU waited for.
    """

    def __init__(self, device: torch.device) -> None:
        """Begin to count."""
        self._cuda = device.type == 'cuda'
        self._marks: list[tuple[str, Any]] = [('', self._now())]

    def _now(self) -> Any:
        if not self._cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def mark(self, part: str) -> None:
        """Give the time since the last mark to a part."""
        self._marks.append((part, self._now()))

    def take(self) -> dict[str, float]:
        """Return the seconds of every part since the last time, and begin anew."""
        if self._cuda:
            torch.cuda.synchronize()
        found = dict.fromkeys(PARTS, 0.0)
        for (_, begin), (part, end) in zip(self._marks, self._marks[1:]):
            if part in found:
                found[part] += begin.elapsed_time(end) / 1e3 if self._cuda else end - begin
        self._marks = [('', self._now())]
        return found

    def skip(self) -> None:
        """Give the time since the last mark to no part."""
        self._marks.append(('', self._now()))
