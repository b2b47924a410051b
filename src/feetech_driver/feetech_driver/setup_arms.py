# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The arms that can be set up: their joints in chain order, and what their motors must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from types import MappingProxyType

from feetech_driver.motors import Motor
from feetech_driver.setup_motor import MAX_V
from feetech_driver.setup_motor import MIN_V
from feetech_driver.setup_motor import Wish

JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
_MODEL = 'sts3215'
# Leaders are built of 7.4 V motors, as a rule, which do not survive 12 V.
_LEADER_MAX_V = 9.0


@dataclass(frozen=True)
class ArmKind:
    """One kind of arm; gears is by joint, empty where all are alike."""

    name: str
    max_v: float
    gears: Mapping[str, str]

    @property
    def motors(self) -> dict[str, Motor]:
        """Return the motors by joint, in chain order."""
        return {joint: Motor(ident, _MODEL) for ident, joint in enumerate(JOINTS, start=1)}

    def wish(self, joint: str) -> Wish:
        """Return what the motor of a joint must become."""
        return Wish(
            self.motors[joint].id, f'the motor of {joint}', _MODEL, MIN_V, self.max_v,
            self.supply_hint)

    @property
    def supply_hint(self) -> str:
        """Return what may be done about a supply that is too strong, if it is right."""
        return '' if self.max_v == MAX_V else (
            ' If the motors of this leader are the 12 V build, which their labels say, add '
            '--accept-12v.')

    def of_12v(self) -> ArmKind:
        """Return the same arm of motors of the 12 V build."""
        return replace(self, max_v=MAX_V)


_SO101_LEADER_GEARS = MappingProxyType({
    'shoulder_pan': '1/191', 'shoulder_lift': '1/345', 'elbow_flex': '1/191',
    'wrist_flex': '1/147', 'wrist_roll': '1/147', 'gripper': '1/147'})

ARMS: Mapping[str, ArmKind] = MappingProxyType({kind.name: kind for kind in (
    ArmKind('so100_follower', MAX_V, {}),
    ArmKind('so100_leader', _LEADER_MAX_V, {}),
    ArmKind('so101_follower', MAX_V, {}),
    ArmKind('so101_leader', _LEADER_MAX_V, _SO101_LEADER_GEARS),
)})
