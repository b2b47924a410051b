# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The guard's configuration and what it shows: state, status, goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from enum import IntEnum
from math import isfinite
from typing import NamedTuple

from apprentice_control.limits import JointLimit


class GuardState(IntEnum):
    """What the guard is doing; the values are those of apprentice_msgs/GuardState."""

    INACTIVE = 0
    HOLDING = 1
    RAMPING = 2
    TRACKING = 3
    STOPPING = 4
    ESTOPPED = 5


class EstopEffect(Enum):
    """What an emergency stop does to the torque."""

    HOLD = 'hold'
    RELEASE = 'release'


@dataclass(frozen=True)
class GuardConfig:
    """
    Joints, sources and times of one arm's guard; times in nanoseconds.

    :raises ValueError: no joint, a joint twice, no source, or a value that is not positive.
    """

    joints: tuple[JointLimit, ...]
    sources: Mapping[str, int]
    engage_velocity: float = 0.5
    command_timeout_ns: int = 100_000_000
    owner_timeout_ns: int = 500_000_000
    stream_horizon_ns: int = 200_000_000
    estop_effect: EstopEffect = EstopEffect.HOLD

    def __post_init__(self) -> None:
        """Refuse a configuration that could not guard."""
        names = [joint.name for joint in self.joints]
        if not names or len(set(names)) != len(names):
            raise ValueError(f'joints must be named, each once, found {names}')
        if not self.sources:
            raise ValueError('sources must name at least one source')
        if not (isfinite(self.engage_velocity) and self.engage_velocity > 0):
            raise ValueError(f'engage_velocity must be above zero, found {self.engage_velocity}')
        for field in ('command_timeout_ns', 'owner_timeout_ns', 'stream_horizon_ns'):
            if getattr(self, field) <= 0:
                raise ValueError(f'{field} must be above zero, found {getattr(self, field)}')
        object.__setattr__(self, 'joints', tuple(self.joints))
        object.__setattr__(self, 'estop_effect', EstopEffect(self.estop_effect))


class Goal(NamedTuple):
    """
    What the motors shall do now: positions in rad and velocities in rad/s in bus order.

    Nothing is to be written where `active` is false; where `released` is true the torque is to be
    released and the positions are the measured ones.
    """

    position: tuple[float, ...]
    velocity: tuple[float, ...]
    active: bool = True
    released: bool = False


@dataclass(frozen=True)
class GuardStatus:
    """
    State and reason of the last change or intervention, as published on guard_state.

    `generation` grows with every change worth publishing.
    """

    state: GuardState
    owner: str
    reason: str
    detail: str
    joints: tuple[str, ...]
    interventions: int
    counters: Mapping[str, int]
    generation: int
