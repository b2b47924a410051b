# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters become one typed configuration, or an error that says what contradicts what."""
from __future__ import annotations

from apprentice_control.guard import EstopEffect
from apprentice_node.parameters import ParameterError
from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import parse_config
from feetech_driver.parameters import Role
from feetech_driver.parameters import SPECS
import pytest


def parse(**changes: object) -> DriverConfig:
    """Parse the defaults with some changes."""
    return parse_config({**{spec.name: spec.default for spec in SPECS}, **changes})


def test_defaults_are_an_so_arm() -> None:
    """Six joints, LeRobot's gains, the caps of the design."""
    config = parse()
    assert config.role is Role.FOLLOWER
    assert config.ids == (1, 2, 3, 4, 5, 6)
    assert config.period_ns == 5_000_000
    assert (config.gains.p, config.gains.i, config.gains.d) == (16, 0, 32)
    assert (config.max_velocity, config.max_acceleration, config.engage_velocity) == (4, 30, 0.5)
    assert config.command_timeout_ns == 100_000_000
    assert config.sources == {'default': 0, 'teleop': 10}
    assert config.estop_effect is EstopEffect.HOLD
    assert config.gripper is not None and config.gripper.max_torque == 500


def test_arm_without_a_gripper_needs_no_parameter() -> None:
    """The default name protects a gripper where there is one."""
    config = parse(joints=('pan', 'tilt'), ids=(1, 2))
    assert config.gripper is None


@pytest.mark.parametrize(('changes', 'text'), [
    ({'ids': (1, 2)}, "'ids': found 2 values, expected 6, one for each of 'joints'"),
    ({'ids': (1, 2, 3, 4, 5, 5)}, "'ids': found 5 more than once"),
    ({'joints': ('a',) * 6}, "'joints': found a more than once"),
    ({'joints': (), 'ids': ()}, "'joints': found an empty list"),
    ({'source_priorities': (1,)}, "'source_priorities': found 1 values, expected 2"),
    ({'source_names': ('default', 'a/b')}, "'source_names': found 'a/b'"),
    ({'rest_pose': (0.0,)}, "'rest_pose': found 1 values, expected 6"),
    ({'gripper': 'claw'}, "'gripper': found 'claw', expected one of the joints"),
    ({'temperature_error_c': 50.0}, "'temperature_error_c': found 50, expected at least"),
])
def test_contradiction_is_refused(changes: dict[str, object], text: str) -> None:
    """The error names the parameter, what was found and what would be right."""
    with pytest.raises(ParameterError) as caught:
        parse(**changes)
    assert text in str(caught.value)
