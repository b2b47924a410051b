# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters become one typed configuration, or an error that says what contradicts what."""
from __future__ import annotations

from collections.abc import Iterator
import json

from apprentice_node.parameters import ParameterError
from domain_coordinator import domain_id
from feetech_driver.node import FeetechDriver
from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import parse_config
from feetech_driver.parameters import Role
from feetech_driver.parameters import SPECS
import pytest
import rclpy


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
    guard = config.guard
    assert (guard['max_velocity'], guard['max_acceleration'], guard['engage_velocity']) == (
        4, 30, 0.5)
    assert guard['command_timeout_s'] == 0.1 and guard['estop_effect'] == 'hold'
    assert config.sources == {'default': 0, 'teleop': 10}
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


@pytest.fixture(scope='module')
def domain() -> Iterator[int]:
    """Give a domain of its own to nodes that are never to start."""
    with domain_id() as number:
        yield number


@pytest.mark.parametrize(('name', 'value', 'expected'), [
    ('rate_hz', 'fast', "found 'fast' (str), expected a number from 10 to 500"),
    ('rate_hz', 5000.0, 'found 5000.0 (float), expected a number from 10 to 500'),
    ('role', 'boss', 'expected a string out of follower, leader'),
    ('ids', [1, 2], 'found 2 values, expected 6, one for each of'),
    ('ids', [1, 2, 3, 4, 5, 5], 'found 5 more than once'),
    ('source_names', ['a b', 'c'], 'expected a name of letters, digits and underscores'),
    ('rest_pose', [0.0], 'found 1 values, expected 6'),
    ('estop_effect', 'panic', 'expected a string out of hold, release'),
])
def test_parameter_of_wrong_type_or_out_of_range(
    domain: int, name: str, value: object, expected: str,
) -> None:
    """The line names node, key, found and expected."""
    rclpy.init(domain_id=domain, args=[
        '--ros-args', '-r', '__ns:=/arm', '-p', f'{name}:={json.dumps(value)}'])
    try:
        with pytest.raises(ParameterError) as caught:
            FeetechDriver()
    finally:
        rclpy.shutdown()
    assert f"/arm/feetech_driver: parameter '{name}'" in str(caught.value)
    assert expected in str(caught.value)
