# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Rows become what a dataset takes, in the shapes that its features say."""
from __future__ import annotations

from types import SimpleNamespace

from apprentice_contract.assemble import Assembler
from apprentice_contract.assemble import Frame
from apprentice_contract.contract import Contract
from apprentice_contract.contract import ContractError
from apprentice_contract.contract import parse_contract
from apprentice_contract.features import dataset_spec
from apprentice_contract.sampler import Row
from apprentice_contract.sampler import Sample
from messages import compressed
from messages import joint_state
from messages import jpeg
import numpy as np
import pytest
from scenarios import camera_stamps
from scenarios import contract
from scenarios import document
from scenarios import Event
from scenarios import events
from scenarios import MS
from scenarios import run
from scenarios import S
from scenarios import START
from scenarios import with_guard
from scenarios import with_guards
import yaml


def row(index: int, instant_ms: float, frame_ms: float, *held: str) -> Row:
    instant, frame = START + round(instant_ms * MS), START + round(frame_ms * MS)
    return Row(index, instant, {
        'cam': Sample(frame, compressed(jpeg(64, 48))),
        'arm': Sample(instant - 4 * MS, joint_state([0.1 + index, 0.2])),
        'cmd': Sample(instant + 6 * MS, joint_state([0.3, 0.4])),
        'guard': Sample(START - 1000 * MS, SimpleNamespace(state=3)),
        'left_guard': Sample(START - 1000 * MS, SimpleNamespace(state=3)),
        'right_guard': Sample(START - 900 * MS, SimpleNamespace(state=5)),
    }, frozenset(held))


def test_a_row_becomes_a_frame() -> None:
    """Vectors, picture and the sync columns, by their definitions."""
    assembler = Assembler(with_guard())
    assembler.frame(row(0, 0, 0))
    values, images = assembler.frame(row(1, 33, 33))
    assert values['observation.state'].tolist() == pytest.approx([1.1, 0.2])
    assert values['action'].tolist() == pytest.approx([0.3, 0.4])
    assert values['sync.offset_s'].tolist() == pytest.approx([0.0, -0.004, 0.006])
    assert values['sync.stamp_ns'] == 33 * MS
    assert values['sync.held'] is False and values['sync.guard'] == 3
    assert images['observation.images.cam'].kind == 'jpeg'


def test_a_picture_that_was_shown_is_not_given_again() -> None:
    """The writer repeats it; its true age is told."""
    assembler = Assembler(with_guard())
    assert assembler.frame(row(0, 0, 0)).images['observation.images.cam'] is not None
    values, images = assembler.frame(row(1, 33, 0, 'cam'))
    assert images == {'observation.images.cam': None}
    assert values['sync.held'] is True
    assert values['sync.offset_s'][0] == pytest.approx(-0.033)


@pytest.mark.parametrize('rules', [
    contract(), with_guard(), with_guards(), contract(sync_columns=False),
    with_guards(sync_columns=False)])
def test_frames_fit_the_features(rules: Contract) -> None:
    """Same keys, dtypes and shapes; and the library takes the description."""
    spec = dataset_spec(rules)
    spec.check()
    frame = Assembler(rules).frame(row(0, 0, 0))
    assert {*frame.values, *frame.images} == set(spec.features)
    for key, value in frame.values.items():
        feature = spec.features[key]
        given = np.atleast_1d(value)
        assert given.shape == feature.shape and given.dtype == np.dtype(feature.dtype)
    assert spec.features['observation.images.cam'].shape == (48, 64, 3)
    assert spec.features['observation.state'].names == ['a.pos', 'b.pos']
    assert ('sync.offset_s' in spec.features) == rules.sync_columns


def test_several_guards_are_one_column_named_by_the_arms() -> None:
    """In the order of the contract; one guard stays the plain number that it was."""
    feature = dataset_spec(with_guards()).features['sync.guard']
    assert (feature.dtype, feature.shape, feature.names) == ('int64', (2,), ['left', 'right'])
    assert Assembler(with_guards()).frame(row(0, 0, 0)).values['sync.guard'].tolist() == [3, 5]
    feature = dataset_spec(with_guard()).features['sync.guard']
    assert (feature.dtype, feature.shape, feature.names) == ('int64', (1,), None)


def test_frames_of_two_guards_are_the_same_live_and_offline() -> None:
    """Bit for bit, whenever it is asked whether time has passed; each guard changes by itself."""
    cam = camera_stamps(40, 0.2, 0.01)
    states = {('left_guard', START - S): 3, ('right_guard', START - S): 3,
              ('left_guard', cam[9] + MS): 5, ('right_guard', cam[19] + MS): 4,
              ('left_guard', cam[29] + MS): 2}
    guard = [Event(stamp + MS, stream, stamp) for stream, stamp in states]

    def frames(seed: int | None) -> list[Frame]:
        rules = with_guards()
        assembler = Assembler(rules)
        rows, _ = run(rules, events(cam, guard=guard), seed)
        return [assembler.frame(one._replace(samples={
            stream: Sample(sample.stamp_ns, _message(stream, sample.stamp_ns, states))
            for stream, sample in one.samples.items()})) for one in rows]

    offline = frames(None)
    assert [frame.values['sync.guard'].tolist() for frame in offline] == (
        [[3, 3]] * 10 + [[5, 3]] * 10 + [[5, 4]] * 10 + [[2, 4]] * 10)
    for seed in range(20):
        assert list(map(_bits, frames(seed))) == list(map(_bits, offline))


def _message(stream: str, stamp_ns: int, states: dict[tuple[str, int], int]) -> SimpleNamespace:
    if stream == 'cam':
        return compressed(jpeg(64, 48))
    if (stream, stamp_ns) in states:
        return SimpleNamespace(state=states[stream, stamp_ns])
    return joint_state([stamp_ns % S * 1e-9, -1.0])


def _bits(frame: Frame) -> tuple[dict[str, bytes], object]:
    return {key: np.asarray(value).tobytes() for key, value in frame.values.items()}, frame.images


def test_offsets_are_named_by_their_streams() -> None:
    """All but latched ones, whose age says nothing."""
    assert dataset_spec(with_guard()).features['sync.offset_s'].names == ['cam', 'arm', 'cmd']


def test_parts_are_joined_in_order_and_texts_stand_alone() -> None:
    """A vector of two fields, and a column of text."""
    values = document()
    values['streams']['note'] = {'topic': 'note', 'type': 'std_msgs/msg/String', 'rate_hz': 1,
                                 'max_age_ms': 1000}
    values['features']['observation.state']['parts'].append(
        {'stream': 'arm', 'field': 'velocity', 'joints': ['b']})
    values['features']['note'] = {'parts': [{'stream': 'note'}]}
    rules = parse_contract(yaml.safe_dump(values, sort_keys=False))
    assert dataset_spec(rules).features['note'].dtype == 'string'
    given = row(0, 0, 0)
    given.samples['note'] = Sample(START, SimpleNamespace(data='left bin'))
    frame = Assembler(rules).frame(given)
    assert frame.values['observation.state'].tolist() == pytest.approx([0.1, 0.2, 2.0])
    assert frame.values['note'] == 'left bin'


def test_ranges_come_before_the_first_row() -> None:
    """A unit that still lacks its range is refused; with it the gripper is a percentage."""
    values = document()
    values['streams']['arm']['ranges_topic'] = 'arm/joint_ranges'
    values['features']['observation.state']['parts'][0]['unit'] = 'percent'
    rules = parse_contract(yaml.safe_dump(values, sort_keys=False))
    with pytest.raises(ContractError, match='expected it from arm/joint_ranges'):
        Assembler(rules)
    ready = rules.with_ranges('arm/joint_ranges', {'a': (0.0, 0.2), 'b': (-0.2, 0.2)})
    assert Assembler(ready).frame(row(0, 0, 0)).values[
        'observation.state'].tolist() == pytest.approx([50.0, 100.0])
