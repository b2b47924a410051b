# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the sampler counted in an episode, and what that means for it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StreamReport:
    """
    One stream of an episode.

    `gaps` are rows without a valid sample, `doubled` second samples in a slot of the reference,
    `late` samples for rows that were final, `out_of_order` those sorted in, `repeated` those with
    a stamp that was there already. `longest_age_s` is the largest distance of a sample from its
    row. The rate is measured by stamps, 0 before there are two.
    """

    samples: int
    rate_hz: float
    gaps: int
    doubled: int
    late: int
    out_of_order: int
    repeated: int
    clock_jumps: int
    longest_age_s: float


@dataclass(frozen=True)
class SamplerReport:
    """
    One episode.

    `skipped` slots came before the first row, `cut` rows at the end had no action. `marks` tell
    what the operator should know, `refusals` which rules of the contract were broken.
    """

    rows: int
    skipped: int
    cut: int
    held_rows: int
    longest_hold: int
    streams: Mapping[str, StreamReport]
    marks: tuple[str, ...]
    refusals: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Tell whether the episode keeps the contract's rules."""
        return not self.refusals
