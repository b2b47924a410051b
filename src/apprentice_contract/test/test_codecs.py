# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Each message type gives its values, in the contract's unit, or an error that says why not."""
from __future__ import annotations

import math
from types import SimpleNamespace

from apprentice_contract.codecs import check_message
from apprentice_contract.codecs import CodecError
from apprentice_contract.codecs import PartReader
from apprentice_contract.codecs import read_text
from apprentice_contract.codecs import stamp_ns
from apprentice_contract.contract import ContractError
from apprentice_contract.contract import Part
from apprentice_contract.contract import Stream
from apprentice_contract.message_types import MESSAGE_TYPES
from apprentice_contract.message_types import Naming
from hypothesis import given
from hypothesis import strategies as st
from messages import compressed
from messages import HEADER
from messages import joint_state
from messages import jpeg
from messages import trajectory
from messages import vector
import numpy as np
import pytest
from scenarios import contract

ANGLES = ('a', 'b')


def reader(
    message_type: str, field: str, elements: tuple[str | int, ...], unit: str = 'none',
    **ranges: tuple[float, float],
) -> PartReader:
    stream = Stream('s', 'robot/topic', message_type, 100.0, 50.0, ranges=ranges)
    return PartReader(Part('s', field, elements, tuple(map(str, elements)), unit), stream)


def joints(unit: str = 'none', **ranges: tuple[float, float]) -> PartReader:
    return reader('sensor_msgs/msg/JointState', 'position', ANGLES, unit, **ranges)


def test_joints_are_found_by_name() -> None:
    """Whatever their order in the message."""
    message = joint_state([1.0, 2.0, 3.0], ('c', 'b', 'a'))
    found = joints().values(message)
    assert found.dtype == np.float32 and found.tolist() == [3.0, 2.0]
    velocity = reader('sensor_msgs/msg/JointState', 'velocity', ('b',))
    assert velocity.values(message).tolist() == [20.0]


@given(st.floats(-10, 10), st.floats(-3, 3), st.floats(0.1, 6))
def test_units(angle: float, low: float, span: float) -> None:
    """Degrees are not clamped; percent and normalized run over the range and stop at its ends."""
    message = joint_state([angle, 0.0])
    ranges = {'a': (low, low + span), 'b': (-1.0, 1.0)}
    share = min(1.0, max(0.0, (angle - low) / span))
    assert joints('degrees').values(message)[0] == pytest.approx(math.degrees(angle), rel=1e-6)
    assert joints('radians').values(message)[0] == np.float32(angle)
    assert joints('percent', **ranges).values(message)[0] == pytest.approx(100 * share, abs=1e-3)
    found = joints('normalized', **ranges).values(message)
    assert found[0] == pytest.approx(200 * share - 100, abs=1e-3) and found[1] == 0.0


def test_the_worked_example_of_a_calibrated_servo() -> None:
    """Range 758 to 3292 ticks, 2048 read: LeRobot gives 2.0220 degrees, 1.8153, 50.9077."""
    tick = 2 * math.pi / 4095
    q, half = (2048 - 2025) * tick, (3292 - 758) / 2 * tick
    message = joint_state([q, q])
    ranges = {'a': (-half, half), 'b': (-half, half)}
    assert joints('degrees').values(message)[0] == pytest.approx(2.0220, abs=5e-5)
    assert joints('normalized', **ranges).values(message)[0] == pytest.approx(1.8153, abs=5e-5)
    assert joints('percent', **ranges).values(message)[0] == pytest.approx(50.9077, abs=5e-5)


def test_a_unit_without_its_range_is_refused() -> None:
    """Before the first message."""
    with pytest.raises(ContractError, match='percent needs the calibrated range of b'):
        joints('percent', a=(0.0, 1.0))


def test_of_a_trajectory_the_point_due_first_counts() -> None:
    """Wherever it stands."""
    found = reader('trajectory_msgs/msg/JointTrajectory', 'positions', ('b', 'a'))
    message = trajectory((1.02, [5.0, 6.0]), (0.02, [1.0, 2.0]))
    assert found.values(message).tolist() == [2.0, 1.0]
    with pytest.raises(CodecError, match='robot/topic .*points: found none'):
        found.values(trajectory())


TWIST = SimpleNamespace(linear=vector(1, 2, 3), angular=vector(4, 5, 6))
IMU = SimpleNamespace(orientation=vector(1, 2, 3, w=4), angular_velocity=vector(5, 6, 7),
                      linear_acceleration=vector(8, 9, 10), orientation_covariance=[0.0] * 9)
WRENCH = SimpleNamespace(force=vector(1, 2, 3), torque=vector(4, 5, 6))


@pytest.mark.parametrize(('kind', 'field', 'elements', 'message', 'expected'), [
    ('geometry_msgs/msg/Twist', 'twist', ('linear.x', 'angular.z'), TWIST, [1, 6]),
    ('geometry_msgs/msg/TwistStamped', 'twist', ('linear.y',), SimpleNamespace(twist=TWIST), [2]),
    ('geometry_msgs/msg/WrenchStamped', 'wrench', ('force.z', 'torque.x'),
     SimpleNamespace(wrench=WRENCH), [3, 4]),
    ('sensor_msgs/msg/Imu', 'orientation', ('orientation.w',), IMU, [4]),
    ('sensor_msgs/msg/Imu', 'linear_acceleration', ('linear_acceleration.x',), IMU, [8]),
    ('sensor_msgs/msg/Joy', 'axes', (2, 0), SimpleNamespace(axes=[7, 8, 9]), [9, 7]),
    ('sensor_msgs/msg/Joy', 'buttons', (1,), SimpleNamespace(buttons=[0, 1]), [1]),
    ('sensor_msgs/msg/Range', 'range', ('range',), SimpleNamespace(range=0.5), [0.5]),
    ('std_msgs/msg/Float32', 'data', ('data',), SimpleNamespace(data=1.5), [1.5]),
    ('std_msgs/msg/Float64', 'data', ('data',), SimpleNamespace(data=2.5), [2.5]),
    ('std_msgs/msg/Float64MultiArray', 'data', (0, 1), SimpleNamespace(data=[1, 2, 3]), [1, 2]),
])
def test_every_other_type(
    kind: str, field: str, elements: tuple, message: object, expected: list[float],
) -> None:
    """Components and indices, in the contract's order."""
    assert reader(kind, field, elements).values(message).tolist() == expected


def test_texts() -> None:
    """A String is taken as it is, and nothing else is."""
    stream = Stream('s', 'note', 'std_msgs/msg/String', 1.0, 2000.0)
    assert read_text(SimpleNamespace(data='left'), stream) == 'left'
    with pytest.raises(CodecError, match='note .*found int, expected a text'):
        read_text(SimpleNamespace(data=3), stream)


@pytest.mark.parametrize(('message', 'expected'), [
    (joint_state([1.0], ('a',)), 'names: found a, expected joint b too'),
    (joint_state([1, 2, 3], ('a', 'b', 'a')), 'joint a twice'),
    (joint_state([1.0]), 'position: found 1 values, expected 2, one for each name'),
    (joint_state([], ()), 'names: found none, expected joint a too'),
])
def test_a_first_message_that_does_not_fit(message: object, expected: str) -> None:
    """Names topic and joint."""
    with pytest.raises(CodecError, match='robot/topic') as caught:
        joints().values(message)
    assert expected in str(caught.value)


def test_names_that_change_later() -> None:
    """Another order and a joint that is gone are errors; alike messages are not."""
    found = joints()
    for _ in range(2):
        found.values(joint_state([1, 2], ('a', 'b')))
    with pytest.raises(CodecError, match=r'found b, a, expected a, b, as in the first.*joint a'):
        found.values(joint_state([1, 2], ('b', 'a')))
    with pytest.raises(CodecError, match='expected joint b too'):
        found.values(joint_state([1, 2], ('a', 'c')))


def test_arrays_that_are_too_short_or_change() -> None:
    """Both name the lengths."""
    found = reader('std_msgs/msg/Float64MultiArray', 'data', (2,))
    with pytest.raises(CodecError, match='found 2 values, expected more than 2'):
        found.values(SimpleNamespace(data=[1, 2]))
    found = reader('std_msgs/msg/Float64MultiArray', 'data', (0,))
    found.values(SimpleNamespace(data=[1, 2]))
    with pytest.raises(CodecError, match='found 3 values, expected 2, as in the first'):
        found.values(SimpleNamespace(data=[1, 2, 3]))


def test_an_imu_without_orientation_says_so() -> None:
    """By the covariance, as its definition has it."""
    found = reader('sensor_msgs/msg/Imu', 'orientation', ('orientation.x',))
    message = SimpleNamespace(**{**vars(IMU), 'orientation_covariance': [-1.0] + [0.0] * 8})
    with pytest.raises(CodecError, match='no orientation'):
        found.values(message)


def test_stamps() -> None:
    """From the header, unless there is none or nobody has set it."""
    assert stamp_ns(SimpleNamespace(header=HEADER), 'sensor_msgs/msg/Joy') == 5_000_000_006
    unset = SimpleNamespace(header=SimpleNamespace(stamp=SimpleNamespace(sec=0, nanosec=0)))
    assert stamp_ns(unset, 'sensor_msgs/msg/Joy') is None
    assert stamp_ns(SimpleNamespace(), 'geometry_msgs/msg/Twist') is None


def test_a_message_is_checked_against_the_whole_contract() -> None:
    """Joints of a state, size of a picture."""
    check_message(contract(), 'arm', joint_state([1, 2]))
    check_message(contract(), 'cam', compressed(jpeg(64, 48)))
    with pytest.raises(CodecError, match='expected joint b too'):
        check_message(contract(), 'cmd', joint_state([1], ('a',)))
    with pytest.raises(CodecError, match='size: found 640x480, expected 64x48'):
        check_message(contract(), 'cam', compressed(jpeg(640, 480)))


def test_every_type_has_what_its_naming_needs() -> None:
    """A type of components lists them, a type of arrays does not."""
    for kind in MESSAGE_TYPES.values():
        fixed = kind.naming in (Naming.COMPONENTS, Naming.TEXT)
        assert all(bool(elements) == fixed for elements in kind.fields.values()), kind.name
