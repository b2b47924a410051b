# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A contract is read strictly, tells every fault at once, and comes back from its own text."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from apprentice_contract.contract import Contract
from apprentice_contract.contract import ContractError
from apprentice_contract.contract import load_contract
from apprentice_contract.contract import parse_contract
from apprentice_contract.stream_buffer import Role
from hypothesis import given
from hypothesis import strategies as st
import pytest
from scenarios import contract
from scenarios import document
import yaml

CONFIG = Path(__file__).resolve().parents[3] / 'config'
JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')


def problems(changed: object) -> tuple[str, ...]:
    text = changed if isinstance(changed, str) else yaml.safe_dump(changed, sort_keys=False)
    with pytest.raises(ContractError) as caught:
        parse_contract(text, 'robot.yaml')
    assert str(caught.value).startswith('contract robot.yaml:')
    return caught.value.problems


def changed(change: Callable[[dict], object]) -> dict:
    found = document()
    change(found)
    return found


@pytest.mark.parametrize('robot', ['so100', 'so101'])
def test_the_contracts_of_the_so_arms(robot: str) -> None:
    """Five joints in degrees, the gripper in percent, LeRobot's names, both sources."""
    found = load_contract(CONFIG / robot / 'contract.yaml')
    assert found.robot_type == f'{robot}_follower' and found.fps == 30
    assert set(found.streams) == {'front', 'wrist', 'follower', 'commands', 'guard'}
    arm, gripper = found.vectors['observation.state']
    assert (*arm.elements, *gripper.elements) == JOINTS
    assert (arm.unit, gripper.unit) == ('degrees', 'percent')
    assert arm.names + gripper.names == tuple(f'{joint}.pos' for joint in JOINTS)
    assert [part.names for part in found.sent] == [arm.names, gripper.names]
    assert [part.names for part in found.requested] == [arm.names, gripper.names]
    assert found.ranges_topics == ('follower/joint_ranges',)
    assert {key: (c.width, c.height) for key, c in found.cameras.items()} == {
        'observation.images.front': (640, 480), 'observation.images.wrist': (640, 480)}


@pytest.mark.parametrize('name', ['contract', 'contract_joints'])
def test_the_contracts_of_two_pairs(name: str) -> None:
    """Each side's guard by its side, and again out of its own text."""
    found = load_contract(CONFIG / 'bimanual' / f'{name}.yaml')
    assert found.guard == {'left': 'left_guard', 'right': 'right_guard'}
    assert {found.streams[stream].topic for stream in found.guards} == {
        'left/follower/guard_state', 'right/follower/guard_state'}
    again = parse_contract(found.to_yaml())
    assert again == found and list(again.guard) == ['left', 'right']


def test_one_guard_cannot_stand_for_two_arms() -> None:
    """A copied line is told."""
    text = (CONFIG / 'bimanual' / 'contract.yaml').read_text()
    assert problems(text.replace('right: right_guard', 'right: left_guard')) == (
        "guard.left: found 'left_guard' for several arms, expected a stream for each",
        "guard.right: found 'left_guard' for several arms, expected a stream for each",
        'streams.right_guard: used by no feature, expected one; remove the stream')


def test_a_source_that_is_not_recorded_is_not_listened_to() -> None:
    """With `requested` the leader is a stream, and the commands are not."""
    text = (CONFIG / 'so100' / 'contract.yaml').read_text()
    found = parse_contract(text.replace('source: sent', 'source: requested'))
    assert 'leader' in found.streams and 'commands' not in found.streams
    assert found.ranges_topics == ('follower/joint_ranges', 'leader/joint_ranges')
    assert 'commands' in found.declared


def test_roles_come_from_the_kind_of_limit() -> None:
    """Each with its limit in nanoseconds."""
    streams = load_contract(CONFIG / 'so100' / 'contract.yaml').streams
    assert {name: (stream.role, stream.limit_ns) for name, stream in streams.items()} == {
        'front': (Role.LAST, 50_000_000), 'wrist': (Role.LAST, 50_000_000),
        'follower': (Role.LAST, 50_000_000), 'commands': (Role.NEXT, 100_000_000),
        'guard': (Role.LATCHED, 0)}


@given(st.dictionaries(st.sampled_from(('a', 'b')), st.floats(0.1, 3.0), min_size=2),
       st.sampled_from(('none', 'radians', 'degrees', 'percent', 'normalized', 'metres')),
       st.integers(0, 1000), st.floats(0, 0.2), st.booleans())
def test_its_text_gives_it_back(
    ranges: dict[str, float], unit: str, lateness: int, tolerance: float, columns: bool,
) -> None:
    """Whatever it holds, ranges included; the digest tells contents apart."""
    values = document(lateness_ms=lateness, rate_tolerance=tolerance, sync_columns=columns)
    values['features']['observation.state']['parts'][0]['unit'] = unit
    values['streams']['arm']['ranges_topic'] = 'arm/joint_ranges'
    found = parse_contract(yaml.safe_dump(values, sort_keys=False))
    assert parse_contract(found.to_yaml()) == found
    ranged = found.with_ranges('arm/joint_ranges', {j: (-r, r) for j, r in ranges.items()})
    again = parse_contract(ranged.to_yaml())
    assert again == ranged and again.digest == ranged.digest and not again.ranges_topics
    assert list(again.streams) == list(found.streams)
    assert (ranged.digest != found.digest) == (unit in ('percent', 'normalized'))


def test_ranges_must_hold_every_joint() -> None:
    """Missing joints and empty ranges are named."""
    found = load_contract(CONFIG / 'so100' / 'contract.yaml')
    with pytest.raises(ContractError, match='joint gripper: no range, found elbow_flex'):
        found.with_ranges('follower/joint_ranges', {'elbow_flex': (-1.0, 1.0)})
    with pytest.raises(ContractError, match='joint gripper: found .*expected lower < upper'):
        found.with_ranges('follower/joint_ranges', {'gripper': (1.0, 1.0)})


def test_every_fault_is_told_at_once() -> None:
    """With the path of its key, what was found and the nearest known key."""
    values = document(fsp=30, fps='fast', lateness_ms=-1)
    del values['version']
    values['streams']['arm']['topik'] = 'x'
    values['streams']['cam']['rate_hz'] = True
    assert problems(values) == (
        'fsp: unknown key; did you mean fps?',
        'version: missing, expected 1: form of the file',
        "fps: found 'fast', expected an integer, 1 to 1000",
        'lateness_ms: found -1, expected an integer, 0 to 5000',
        'streams.cam.rate_hz: found True, expected a number, 0 to 10000',
        'streams.cam.rate_hz: missing, expected its samples a second',
        'streams.arm.topik: unknown key; did you mean topic?',
    )


def _set(path: str, value: object) -> Callable[[dict], None]:
    def change(found: dict) -> None:
        *folders, last = path.split('/')
        for name in folders:
            found = found[int(name)] if isinstance(found, list) else found[name]
        if value is None:
            del found[last]
        else:
            found[last] = value
    return change


STATE = 'features/observation.state/parts/0'


@pytest.mark.parametrize(('path', 'value', 'expected'), [
    ('version', 2, 'version: found 2, expected 1'),
    ('reference', 'camera', "reference: found 'camera', expected `clock` or a stream"),
    ('reference', 'cmd', "reference: found 'cmd', expected `clock` or a stream"),
    ('fps', 15, 'streams.cam.rate_hz: found 30, expected fps (15)'),
    ('streams/arm/type', 'sensor_msgs/msg/JointStates', 'did you mean sensor_msgs/msg/JointState'),
    ('streams/arm/type', 'sensor_msgs/msg/Image', 'expected one with numbers'),
    ('streams/arm/topic', 'arm joint states', 'expected a topic as'),
    ('streams/arm/rate_hz', 0, 'streams.arm.rate_hz: missing'),
    ('streams/arm/rate_hz', 1e6, 'streams.arm.rate_hz: found 1000000.0, expected a number'),
    ('streams/arm/max_age_ms', 9, 'streams.arm.max_age_ms: found 9, expected at least the 10 ms'),
    ('streams/arm/max_age_ms', None, 'streams.arm: found none of them, expected either'),
    ('streams/arm/max_lead_ms', 50, 'found max_age_ms and max_lead_ms, expected either'),
    ('streams/arm/latched', True, 'found max_age_ms and latched, expected either'),
    ('streams/clock', {}, 'streams.clock: expected a name'),
    ('streams/arm/ranges', {'a': [1, -1]}, 'expected a mapping from joint to [lowest, highest]'),
    (f'{STATE}/stream', 'arn', "found 'arn', not among streams; did you mean arm?"),
    (f'{STATE}/stream', 'cmd', 'expected a stream with max_age_ms, not a command'),
    (f'{STATE}/field', 'positions', 'expected one of position, velocity, effort'),
    (f'{STATE}/joints', [], 'joints: missing'),
    (f'{STATE}/joints', ['a', 'a'], 'expected each once'),
    (f'{STATE}/joints', 'a', "found 'a', expected a list of texts"),
    (f'{STATE}/elements', [1], 'elements: found for sensor_msgs/msg/JointState, expected joints'),
    (f'{STATE}/names', ['x'], 'names: found 1, expected 2'),
    (f'{STATE}/names', ['x', 'x'], 'found the names x more than once'),
    (f'{STATE}/unit', 'degree', "unit: found 'degree', expected none | radians | degrees"),
    (f'{STATE}/unit', 'percent', 'percent needs the calibrated range of a, b; give `ranges`'),
    ('features/observation.images.cam/width', 63, 'found 63, expected an even number'),
    ('features/observation.images.cam/stream', 'arm', 'expected sensor_msgs/msg/Image'),
    ('features/observation.images.cam/size', 3, 'unknown key'),
    ('features/my_image', {'parts': [{}]}, 'found "image" in the name of a vector'),
    ('features/action.x', {'parts': [{}]}, 'this name is not free'),
    ('features/timestamp', {'parts': [{}]}, 'this name is not free'),
    ('features/observation_x', {'parts': [{}]}, 'LeRobot would take it for an input'),
    ('features', {}, 'features: found none'),
    ('action/source', 'requested', 'action.requested: found nothing'),
    ('action/source', 'wanted', "found 'wanted', expected sent | requested"),
    ('action/sent/0/stream', 'arm', 'expected a stream with max_lead_ms, as every command'),
    ('guard', 'arm', "guard: found 'arm', expected the name of a stream of apprentice_msgs"),
    ('guard', {'left': 'arm'}, "guard.left: found 'arm', expected the name of a stream of app"),
    ('guard', {}, 'guard: found {}, expected a stream, or a mapping from arm to stream'),
    ('guard', ['arm'], "guard: found ['arm'], expected a stream, or a mapping from arm to"),
    ('guard', {1: 'arm'}, "guard: found {1: 'arm'}, expected a stream, or a mapping from"),
    ('holds', {'share': 1.5}, 'holds.share: found 1.5, expected a number, 0 to 1'),
    ('diagnostics', 'arm', "diagnostics: found 'arm', expected a list of texts"),
])
def test_what_is_wrong_is_named(path: str, value: object, expected: str) -> None:
    """Key, found, expected."""
    assert any(expected in problem for problem in problems(changed(_set(path, value))))


def test_a_stream_without_use_is_an_error() -> None:
    """It would be waited for, for nothing."""
    values = document()
    values['streams']['spare'] = dict(values['streams']['arm'])
    assert problems(values) == (
        'streams.spare: used by no feature, expected one; remove the stream',)


@pytest.mark.parametrize(('text', 'expected'), [
    ('- a list', "the file: found ['a list'], expected a mapping"),
    ('', 'the file: found nothing, expected a mapping'),
    ('version: 1\nversion: 1\n', "found the key 'version' twice"),
    ('a: &x [1]\nb: *x\n', 'found an alias'),
    ('version: [1\n', 'not valid YAML'),
    ('version: !!python/name:os.system\n', 'not valid YAML'),
    ('x' * 1_000_001, 'found 1000001 characters, expected at most 1000000'),
    ('[' * 5000, 'not valid YAML'),
    ('version: "\x00"\n', 'not valid YAML'),
])
def test_what_is_no_contract_at_all(text: str, expected: str) -> None:
    """One clear error, whatever the file holds."""
    assert expected in problems(text)[0]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Both name the file."""
    with pytest.raises(ContractError, match='none.yaml:\n  cannot be read: No such file'):
        load_contract(tmp_path / 'none.yaml')
    (tmp_path / 'bytes.yaml').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(ContractError, match='bytes that are no UTF-8'):
        load_contract(tmp_path / 'bytes.yaml')


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.text(max_size=5), inner, max_size=3), max_leaves=8)


def _places(value: object, path: tuple = ()) -> list[tuple]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else \
        enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += _places(item, (*path, key))
    return found


@given(st.data(), values)
def test_any_damage_is_an_error_or_a_contract(data: st.DataObject, value: object) -> None:
    """No other exception, whatever stands in place of any value."""
    found: dict = document()
    *folders, last = data.draw(st.sampled_from(_places(found)))
    place: object = found
    for name in folders:
        place = place[name]
    place[last] = value
    try:
        result = parse_contract(yaml.safe_dump(found))
    except ContractError as error:
        assert error.problems
    else:
        assert isinstance(result, Contract) and parse_contract(result.to_yaml()) == result


def test_defaults_are_those_of_the_page() -> None:
    """A contract that says no more than it must."""
    found = contract()
    assert (found.lateness_ms, found.tail_ms, found.clock_offset_ms) == (150, 1000, 20)
    assert (found.holds.in_a_row, found.holds.share) == (3, 0.01)
    assert (found.rate_tolerance, found.sync_columns, found.action_source) == (0.05, True, 'sent')
