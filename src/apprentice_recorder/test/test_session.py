# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Episodes from messages without ROS: what is saved, refused, discarded, labelled."""
from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path

from apprentice_contract.features import dataset_spec
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from apprentice_msgs.action import RecordEpisode
from apprentice_recorder.session import Answer
from apprentice_recorder.session import Cause
from apprentice_recorder.session import Session
from apprentice_recorder.session import State
import pytest
from small_robot import CAMERA
from small_robot import contract
from small_robot import FRAME_NS
from small_robot import image
from small_robot import JOINT_NS
from small_robot import joints
from small_robot import MS
from small_robot import number_in

START_NS = 1_000_000_000_000
DELAY_NS = 5 * MS


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Give a session on a new dataset."""
    robot = contract()
    with DatasetWriter.create(tmp_path / 'data', dataset_spec(robot)) as writer:
        yield Session(robot, writer)


def play(
    session: Session, frames: int, begin_ns: int = START_NS, missing: tuple[int, ...] = (),
) -> None:
    """Hand over so many pictures and the joints around them, in the order of receipt."""
    end_ns = begin_ns + frames * FRAME_NS
    events = [(begin_ns + 2 * MS + number * FRAME_NS, 'front', image(number))
              for number in range(frames) if number not in missing]
    for number in range((end_ns - begin_ns) // JOINT_NS + 20):
        stamp = begin_ns + number * JOINT_NS
        events += [(stamp, 'arm', joints(number * 0.01)), (stamp, 'goals', joints(number * 0.02))]
    for stamp, stream, message in sorted(events, key=lambda event: event[0]):
        session.take(stream, stamp, stamp + DELAY_NS, message)


def save(session: Session, success: bool | None = None, force: bool = False) -> Answer:
    """End and publish as the recorder does."""
    answer = session.end(force)
    if not answer.success:
        return answer
    try:
        session.publish(success)
    except DatasetError as error:
        return session.published(error)
    return session.published(None)


def record_of(session: Session, index: int) -> dict:
    """Return the record beside an episode."""
    path = session.writer.root / f'meta/apprentice/episodes/episode-{index:06d}.json'
    return json.loads(path.read_text())


def test_an_episode_holds_every_picture_once(session: Session) -> None:
    """Rows are the camera's own samples, with the joints of before and the goals of after."""
    assert session.start('wave', START_NS).success
    play(session, 40)
    answer = save(session, success=True)
    assert (answer.success, answer.episode_index, answer.rows) == (True, 0, 40)
    dataset = Dataset.open(session.writer.root)
    pictures = dataset.frames(0, CAMERA, range(40))
    assert [number_in(picture) for picture in pictures] == list(range(40))
    table = dataset.rows(0).to_pydict()
    for row, (state, action) in enumerate(zip(table['observation.state'], table['action'])):
        instant = 2 * MS + row * FRAME_NS
        assert state[0] == pytest.approx(instant // JOINT_NS * 0.01, abs=1e-6)
        assert action[0] == pytest.approx(-(-instant // JOINT_NS) * 0.02, abs=1e-6)
    assert not validate(session.writer.root, deep=True)
    record = record_of(session, 0)
    assert (record['task'], record['success'], record['rows']) == ('wave', True, 40)
    assert record['streams']['front']['rate_hz'] == pytest.approx(30.0, abs=0.01)
    assert record['streams']['goals']['offset']['min_s'] >= 0.0
    contracts = session.writer.root / 'meta/apprentice/contracts' / f'{record["contract"]}.yaml'
    assert contract(contracts.read_text()) == session.contract


def test_an_index_is_the_same_before_and_after(session: Session) -> None:
    """The answers to start and to save name one episode, the second one the next."""
    for index in range(2):
        assert session.start('wave', START_NS).episode_index == index
        assert session.episode_index == index
        play(session, 12)
        assert save(session).episode_index == index
        assert session.episode_index == -1


def test_no_task_no_episode(session: Session) -> None:
    """A dataset without a task is of no use to a policy; the last one goes on."""
    assert 'no task' in session.start('  ', START_NS).message
    assert session.start('wave', START_NS).success
    assert 'is open' in session.start('wave', START_NS).message
    session.discard()
    assert session.start('', START_NS).success
    assert session.task == 'wave'


def test_a_discarded_episode_leaves_nothing(session: Session) -> None:
    """The dataset is as it was, and the next take has none of its rows."""
    session.start('wave', START_NS)
    play(session, 20)
    assert session.discard().success
    assert session.state is State.IDLE
    assert session.writer.total_episodes == 0
    session.start('wave', START_NS)
    play(session, 12)
    assert save(session).rows == 12


def test_too_long_a_gap_is_refused_until_forced(session: Session) -> None:
    """Five lost pictures are five held rows: refused, kept with force, and marked."""
    session.start('wave', START_NS)
    play(session, 40, missing=(20, 21, 22, 23, 24))
    answer = save(session)
    assert not answer.success
    assert '5 rows in a row' in answer.message
    assert session.state is State.REVIEW
    assert not session.start('wave', START_NS).success
    answer = save(session, force=True)
    assert (answer.success, answer.rows) == (True, 40)
    record = record_of(session, 0)
    assert record['forced'] and any('5 rows in a row' in mark for mark in record['marks'])
    assert record['held_rows'] == 5
    held = Dataset.open(session.writer.root).rows(0).to_pydict()['sync.held']
    assert held == [20 <= row < 25 for row in range(40)]


def test_a_refused_episode_can_be_discarded(session: Session) -> None:
    """And the next one begins."""
    session.start('wave', START_NS)
    play(session, 40, missing=(20, 21, 22, 23, 24))
    save(session)
    assert session.discard().success
    assert session.start('wave', START_NS).success


def test_a_message_that_does_not_fit_ends_the_rows(session: Session) -> None:
    """The reason is told at once; what came before it can be kept with force."""
    session.start('wave', START_NS)
    play(session, 20)
    wrong = image(0)
    wrong.width = 32
    later = START_NS + 2 * MS + 20 * FRAME_NS
    session.take('front', later, later + DELAY_NS, wrong)
    session.advance(later + 1_000_000_000)
    assert 'found 32x48, expected 64x48' in session.trouble
    answer = save(session)
    assert not answer.success and '32x48' in answer.message
    assert save(session, force=True).rows == 20


def test_an_episode_without_rows_is_no_episode(session: Session) -> None:
    """Nothing is saved, and the reason names the silent stream."""
    session.start('wave', START_NS)
    answer = save(session)
    assert not answer.success
    assert 'nothing came on front' in answer.message
    assert session.state is State.IDLE
    assert session.writer.total_episodes == 0


def test_causes_are_the_codes_of_the_action() -> None:
    """A result of the action says why with the number of its message."""
    for cause in Cause:
        assert getattr(RecordEpisode.Result, cause.name) == cause.value
    assert Answer(False, 'no').cause is Cause.UNKNOWN
    assert Answer(True, 'yes').cause is Cause.NONE


def test_labels_and_tasks_can_be_mended(session: Session) -> None:
    """The label of the last episode, the task of the open one and of the next."""
    assert not session.label(True, '').success
    session.start('wave', START_NS)
    play(session, 12)
    assert session.label(None, 'wave twice').success
    save(session, success=False)
    assert record_of(session, 0)['success'] is False
    assert session.label(True, '').success
    assert record_of(session, 0)['success'] is True
    assert Dataset.open(session.writer.root).episodes[0].tasks == ('wave twice',)
    assert session.start('', START_NS).message.endswith('wave twice')
    assert not session.label(True, '').success


def test_a_save_that_fails_can_be_repeated(session: Session, tmp_path: Path) -> None:
    """A disk that is full refuses; the episode waits, and what was accepted is intact."""
    session.start('wave', START_NS)
    play(session, 12)
    folder = session.writer.root / 'data'
    folder.mkdir()
    (folder / 'chunk-000').write_text('in the way')
    answer = save(session)
    assert not answer.success and 'was not saved' in answer.message
    assert session.state is State.REVIEW
    (folder / 'chunk-000').unlink()
    assert save(session, force=True).success
    assert not validate(session.writer.root, deep=True)
