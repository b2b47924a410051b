# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a camera sends comes out of the decoder, picture after picture."""
from __future__ import annotations

from apprentice_dataset.decoding import PictureDecoder
from apprentice_dataset.decoding import to_rgb
from apprentice_dataset.images import EncodedImage
import numpy as np
from older import png


def test_a_png_does_not_show_the_one_before() -> None:
    """One decoder, many PNGs: each comes back bit for bit; FFmpeg's own context mixed them."""
    random = np.random.default_rng(0)
    decoder = PictureDecoder(64, 48)
    for _ in range(5):
        picture = random.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        assert np.array_equal(to_rgb(decoder.decode(EncodedImage(png(picture), 'png'))), picture)
