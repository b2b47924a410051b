# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the monitor keeps of each stream. All times are nanoseconds of the system clock."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import NamedTuple


class Arrival(NamedTuple):
    """One message: stamp in its header, when it was sent and when it came, and its number."""

    stamp_ns: int
    sent_ns: int
    received_ns: int
    number: int


class Frame(NamedTuple):
    """One compressed image that was kept."""

    stamp_ns: int
    data: bytes


class WorldSample(NamedTuple):
    """Whether the cube lay in the bin."""

    stamp_ns: int
    seed: int
    cube_in_bin: bool


class GuardSample(NamedTuple):
    """A state of the follower's guard."""

    stamp_ns: int
    state: int
    reason: str
    detail: str
    counters: dict[str, int]


@dataclass
class Stream:
    """Arrivals of one topic."""

    topic: str
    arrivals: list[Arrival] = field(default_factory=list)


@dataclass
class JointStream(Stream):
    """Arrivals with positions (rad)."""

    names: tuple[str, ...] = ()
    positions: list[tuple[float, ...]] = field(default_factory=list)


@dataclass
class CameraStream(Stream):
    """Arrivals with a frame kept now and then."""

    frames: list[Frame] = field(default_factory=list)


@dataclass
class Recording:
    """Everything seen during a run."""

    leader: JointStream
    follower: JointStream
    goals: JointStream
    commands: Stream
    cameras: dict[str, CameraStream]
    world: list[WorldSample] = field(default_factory=list)
    guard: list[GuardSample] = field(default_factory=list)

    def streams(self) -> list[Stream]:
        """Return all streams with a rate."""
        return [self.leader, self.follower, self.goals, self.commands, *self.cameras.values()]
