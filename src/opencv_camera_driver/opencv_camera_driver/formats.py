# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a camera is asked for, what it offers and what it gave."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opencv_camera_driver.errors import CameraError

# Cameras state rates as fractions that are rounded: 333333 * 100 ns for 1/30 s.
RATE_TOLERANCE = 0.01


@dataclass(frozen=True)
class Wanted:
    """Size in pixels and rate in Hz before rotation; 0 or '' leaves the choice to the camera."""

    width: int = 0
    height: int = 0
    fps: float = 0.0
    fourcc: str = ''

    def __str__(self) -> str:
        """Describe it in words."""
        size = f'{self.width}x{self.height}' if self.width and self.height else 'any size'
        rate = f'{self.fps:g} Hz' if self.fps else 'any rate'
        return f'{self.fourcc or "any format"} {size} at {rate}'


@dataclass(frozen=True)
class Format:
    """What a source delivers; a rate of 0 is unknown."""

    width: int
    height: int
    fps: float
    fourcc: str

    def __str__(self) -> str:
        """Describe it in words."""
        rate = f' at {self.fps:g} Hz' if self.fps else ''
        return f'{self.fourcc} {self.width}x{self.height}{rate}'


@dataclass(frozen=True)
class Offer:
    """
    One size of one format that a device has, with its rates in Hz.

    Without rates every one may be had; `step` of (0, 0) is this size alone, else sizes from
    `smallest` to this one in such steps.
    """

    fourcc: str
    width: int
    height: int
    rates: tuple[float, ...] = ()
    smallest: tuple[int, int] = (0, 0)
    step: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        """Describe it in one line."""
        size = f'{self.width}x{self.height}'
        if self.step != (0, 0):
            size = f'{self.smallest[0]}x{self.smallest[1]} to {size}'
        rates = ', '.join(f'{rate:g}' for rate in self.rates)
        return f'{self.fourcc} {size}' + (f' at {rates} Hz' if rates else '')

    def gives(self, wanted: Wanted) -> bool:
        """Tell whether it is what is wanted."""
        if wanted.fourcc and wanted.fourcc != self.fourcc:
            return False
        sizes = zip((wanted.width, wanted.height), (self.width, self.height), self.smallest,
                    self.step)
        if not all(_fits(*size) for size in sizes):
            return False
        return not wanted.fps or not self.rates or any(
            same_rate(rate, wanted.fps) for rate in self.rates)


def _fits(asked: int, largest: int, smallest: int, step: int) -> bool:
    if not asked or asked == largest:
        return True
    return bool(step) and smallest <= asked <= largest and (asked - smallest) % step == 0


def same_rate(found: float, wanted: float) -> bool:
    """Tell whether two rates are one but for rounding."""
    return abs(found - wanted) <= RATE_TOLERANCE * wanted


def listing(offers: Iterable[Offer]) -> str:
    """List offers for an error message."""
    lines = [f'  {offer}' for offer in offers]
    return '\n'.join(['The device offers:', *lines]) if lines else 'The device names no formats.'


def require(found: Format, wanted: Wanted, source: str, advice: str) -> None:
    """
    Refuse a format that is not the one wanted.

    :raises CameraError: which says what was found, what was wanted, and the advice.
    """
    wrong = []
    if wanted.fourcc and found.fourcc != wanted.fourcc:
        wrong.append(f'format {found.fourcc} instead of {wanted.fourcc}')
    if any(asked and asked != got for asked, got in (
            (wanted.width, found.width), (wanted.height, found.height))):
        asked = f'{wanted.width or "any"}x{wanted.height or "any"}'
        wrong.append(f'size {found.width}x{found.height} instead of {asked}')
    if wanted.fps and found.fps and not same_rate(found.fps, wanted.fps):
        wrong.append(f'{found.fps:g} Hz instead of {wanted.fps:g} Hz')
    if wrong:
        raise CameraError(f'{source} gives {", ".join(wrong)}. {advice}')
