# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Carry pictures as they were received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CHANNELS = {'rgb8': 3, 'bgr8': 3, 'mono8': 1}
DEPTHS = {'mm': '16UC1', 'm': '32FC1'}
"""By unit, the encoding of distances, in the order of bytes of this machine."""
KINDS = ('jpeg', 'png')


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """Hold a compressed picture; `kind` is jpeg or png. The bytes must not change any more."""

    data: Any
    kind: str


@dataclass(frozen=True, slots=True)
class RawImage:
    """Hold pixels, `step` bytes a row; `encoding` is one of CHANNELS, of depth one of DEPTHS."""

    data: Any
    width: int
    height: int
    encoding: str
    step: int


Picture = EncodedImage | RawImage
