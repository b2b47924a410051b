# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Kill a recording anywhere: what was accepted stays, the rest loses a group at most."""

from __future__ import annotations

import json
from pathlib import Path
import random
import shutil
import signal

from apprentice_dataset.boxes import scan
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.reader import Dataset
from apprentice_dataset.repair import repair
from apprentice_dataset.staging import Staging
from apprentice_dataset.transaction import STEPS
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from killed import examine
from killed import GROUP
from killed import Killed
from killed import packets
from killed import SPACING
import pytest
from recording import check_counters
from recording import FRONT
from recording import jpeg
from recording import make
from recording import record
from recording import row
from recording import spec
from recording import TASK
from recording import WRIST

LENGTH = 20
# Not every episode has a new task.
PASSED = [step for step in STEPS if 'tasks' not in step]


@pytest.mark.parametrize('step', PASSED)
def test_killed_at_a_step(tmp_path: Path, step: str) -> None:
    """A kill at any step of saving the second episode leaves both whole."""
    root = tmp_path / 'dataset'
    killed = Killed(root, LENGTH, step)
    assert killed.code == -signal.SIGKILL, killed.errors.decode()
    assert killed.saved == [0] and killed.saving == [0, 1]
    before = packets(root, 0)
    assert examine(root, killed, LENGTH) == []
    assert packets(root, 0) == before
    assert [one.length for one in Dataset.open(root).episodes] == [LENGTH, LENGTH]
    assert not (root / '.apprentice').exists()


@pytest.mark.timeout(60)
def test_killed_anywhere(tmp_path: Path) -> None:
    """Kills at seeded moments lose no accepted row and at most a group of the open episode."""
    moments = random.Random(3)
    for number in range(6):
        root = tmp_path / str(number)
        killed = Killed(root, 3 * GROUP, after_s=moments.uniform(0.0, 0.6))
        assert killed.code == -signal.SIGKILL, killed.errors.decode()
        assert examine(root, killed, 3 * GROUP) == []
        shutil.rmtree(root)


def _open_episode(root: Path, count: int) -> Staging:
    """Leave an open episode as a kill would: the writer lets go, nothing is saved."""
    with DatasetWriter.create(root, spec()) as writer:
        record(writer.begin_episode(), count)
    return Staging(root)


def test_the_open_episode_is_saved_and_marked(tmp_path: Path) -> None:
    """The next opening saves what was taken, says so, and its record tells it."""
    root = tmp_path / 'dataset'
    _open_episode(root, 37)
    with DatasetWriter.resume(root, spec()) as writer:
        assert writer.repaired == ['episode 0 was open when the writer ended; it is saved with '
                                   '37 of 37 row(s) and marked as recovered']
        assert writer.total_episodes == 1
        following = writer.begin_episode()
        record(following, 5)
        following.save()
    mark = json.loads((root / 'meta/apprentice/episodes/episode-000000.json').read_text())
    assert mark == {'episode_index': 0, 'recovered': True, 'length': 37, 'rows_taken': 37}
    check_counters(Dataset.open(root), 0, 37)
    assert validate(root, deep=True) == [] and repair(root) == []


def test_a_torn_record_costs_its_row(tmp_path: Path) -> None:
    """A journal cut within its last record, and a spool cut so, lose that row alone."""
    root = tmp_path / 'journal'
    staging = _open_episode(root, 20)
    data = staging.journal.read_bytes()
    staging.journal.write_bytes(data[:-3])
    assert 'with 19 of 19' in repair(root)[0]
    check_counters(Dataset.open(root), 0, 19)
    root = tmp_path / 'spool'
    staging = _open_episode(root, 20)
    last = max(staging.spool(WRIST).iterdir())
    last.write_bytes(last.read_bytes()[:-1])
    assert 'with 19 of 20' in repair(root)[0]
    check_counters(Dataset.open(root), 0, 19)


def test_nothing_encoded_yet(tmp_path: Path) -> None:
    """Without any mp4, all is encoded from the spool, which keeps a group until it is flushed."""
    staging = _open_episode(tmp_path / 'dataset', GROUP)
    for camera in (FRONT, WRIST):
        staging.video(camera).unlink()
    repair(tmp_path / 'dataset')
    check_counters(Dataset.open(tmp_path / 'dataset'), 0, GROUP)


def test_whole_fragments_are_kept_as_they_are(tmp_path: Path) -> None:
    """Groups that were flushed stay byte for byte; the spool fills up the rest."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 2 * GROUP + 4)
        # The third group's first frame flushes the second.
        while any(one.frames for one in episode.backlog.values()):
            pass
    staging = Staging(root)
    path = staging.video(FRONT)
    before = scan(path)
    kept = path.read_bytes()[:before.fragments[1].end]
    assert [one.frames for one in before.fragments] == [GROUP, GROUP]
    # What had been written of the next fragment when the power went.
    path.write_bytes(path.read_bytes() + bytes(1000))
    repair(root)
    dataset = Dataset.open(root)
    final = root / f'videos/{FRONT}/chunk-000/file-000.mp4'
    assert final.read_bytes()[:len(kept)] == kept
    assert [one.frames for one in scan(final).fragments] == [GROUP, GROUP, 4]
    check_counters(dataset, 0, 2 * GROUP + 4)
    assert validate(root, deep=True) == []


def test_rows_lost_by_a_power_failure_cut_the_video(tmp_path: Path) -> None:
    """Where the journal is shorter than the video, the video ends with a whole group."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 2 * GROUP + 4)
        while any(one.frames for one in episode.backlog.values()):
            pass
    staging = Staging(root)
    data = staging.journal.read_bytes()
    size = (len(data) - data.index(b'pick the cube') - 13) // (2 * GROUP + 4)
    staging.journal.write_bytes(data[:-5 - 6 * size])
    assert f'with {GROUP} of ' in repair(root)[0]
    check_counters(Dataset.open(root), 0, GROUP)


def test_a_picture_that_cannot_be_decoded_ends_the_rows(tmp_path: Path) -> None:
    """Recovery keeps the rows before a bad picture."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 18)
        episode.add(row(18), {FRONT: jpeg(18), WRIST: EncodedImage(b'bad', 'jpeg')}, TASK)
    assert 'with 18 of 19' in repair(root)[0]
    check_counters(Dataset.open(root), 0, 18)


def test_another_encoder_version(tmp_path: Path) -> None:
    """Fragments whose header differs from today's encoder are joined by encoding again."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, GROUP + 4)
        while any(one.frames for one in episode.backlog.values()):
            pass
    path = Staging(root).video(FRONT)
    data = path.read_bytes()
    # The name of the track's handler is free text.
    changed = data.replace(b'VideoHandler', b'AnotherNamed', 1)
    assert changed != data
    path.write_bytes(changed)
    repair(root)
    check_counters(Dataset.open(root), 0, GROUP + 4)
    assert validate(root, deep=True) == []


def test_an_episode_without_rows_vanishes(tmp_path: Path) -> None:
    """Nothing taken, nothing saved."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, spec()) as writer:
        writer.begin_episode()
    assert repair(root) == ['an open episode without rows is removed']
    assert len(Dataset.open(root).episodes) == 0 and not (root / '.apprentice').exists()


def test_a_discard_is_not_undone(tmp_path: Path) -> None:
    """A take that was half discarded when the writer died stays discarded."""
    root = tmp_path / 'dataset'
    make(root, 2)
    trash = Staging(root).trash
    (trash / 'spool').mkdir(parents=True)
    assert repair(root) == [] and not trash.exists()
    assert SPACING > LENGTH and len(Dataset.open(root)) == 2
