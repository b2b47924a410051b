# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Look into a JPEG without decoding it."""
from __future__ import annotations

_START, _END = b'\xff\xd8', b'\xff\xd9'
# Start-of-frame markers: all from C0 to CF but DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height from the header; None where there is none."""
    place = 2
    while data[:2] == _START and place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _FRAMES:
            return (int.from_bytes(data[place + 7:place + 9], 'big'),
                    int.from_bytes(data[place + 5:place + 7], 'big'))
        if marker == _SCAN:
            return None
        place += 1 if marker == 0xFF else 2 + int.from_bytes(data[place + 2:place + 4], 'big')
    return None


def is_whole(data: bytes) -> bool:
    """Tell whether a picture begins, has a size and ends; cameras may pad what follows its end."""
    return jpeg_size(data) is not None and data.rfind(_END) > 0
