# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pull datasets from a Hub: whole or some episodes, again, interrupted, offline."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.errors import HubError
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.origin import ORIGIN
from apprentice_dataset.pull import pull
from apprentice_dataset.push import push
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from hub_repository import Fault
from hub_server import Hub
from hubbed import inode
from hubbed import REPO
from hubbed import run
from hubbed import tree
import pytest
from recording import check_counters
from recording import FRONT
from recording import make
from recording import record
from recording import spec

pytest_plugins = ['hub_fixtures']


@pytest.fixture
def pushed(hub: Hub, recorded: Path) -> Hub:
    """Serve the dataset of three episodes."""
    push(recorded, REPO)
    hub.requests.clear()
    return hub


def leftovers(root: Path) -> list[str]:
    """Return what lies beside a folder that is none of the test's own."""
    return [path.name for path in root.parent.iterdir() if path.name.startswith(root.name)
            and path != root]


def test_a_pull_brings_everything(
    pushed: Hub, recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    """Into the folder in which LeRobot looks; nothing of the client's own stays there."""
    root = tmp_path / 'home/lerobot' / REPO
    assert run(capsys, 0, 'pull', REPO) == f'{root}: all episodes of {REPO}, v3.0'
    assert tree(root) == tree(recorded) and validate(root, deep=True) == []
    assert sorted(path.name for path in root.iterdir()) == [
        '.apprentice', 'README.md', 'data', 'meta', 'videos']
    assert leftovers(root) == []


def test_a_whole_copy_asks_nothing(
    pushed: Hub, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor does one that was recorded here; the Hub may be gone."""
    root = pull(REPO, root=tmp_path / 'copy')
    pushed.requests.clear()
    for folder in (root, recorded):
        assert pull(REPO, root=folder) == folder
        assert pull(REPO, root=folder, episodes=[0, 2], videos=False) == folder
    assert pull(REPO, 'v3.0', root) == root
    assert not pushed.requests
    with pytest.raises(DatasetError, match='found episode 7, expected 0 to 2'):
        pull(REPO, root=root, episodes=[7])
    monkeypatch.setenv('HF_ENDPOINT', 'http://127.0.0.1:9')
    assert pull(REPO, root=root) == root
    with pytest.raises(HubError, match=r'cannot be reached \(ConnectError\); check the network'):
        pull(REPO, root=root, refresh=True)


def test_offline_asks_nothing(
    pushed: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: Path,
) -> None:
    """What is not here is told, with the way out."""
    part = pull(REPO, root=tmp_path / 'part', episodes=[1])
    pushed.requests.clear()
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    assert pull(REPO, root=part, episodes=[1]) == part
    for root, wanted, words in (
            (part, [0, 1], f'found episodes 1 of {REPO}, expected episodes 0:2; HF_HUB_OFFLINE'),
            (tmp_path / 'none', None, 'found no such copy, expected all episodes; HF_HUB')):
        with pytest.raises(HubError, match=words):
            pull(REPO, root=root, episodes=wanted)
    with pytest.raises(HubError, match='HF_HUB_OFFLINE is set and this needs the Hub'):
        push(recorded, REPO)
    assert not pushed.requests and not (tmp_path / 'none').exists()


def test_some_episodes_bring_their_files_only(
    pushed: Hub, recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    """The copy says which are there, reads them, and is valid; others come by another pull."""
    root = tmp_path / 'part'
    run(capsys, 0, 'pull', REPO, '--root', root, '--episodes', '1:3')
    asked = {path.rpartition('/')[2] for method, path in pushed.requests
             if method == 'HEAD' and ('/data/' in path or '/videos/' in path)}
    assert asked == {'file-001.parquet', 'file-001.mp4', 'file-002.parquet', 'file-002.mp4'}
    assert tree(recorded).keys() - tree(root).keys() == {
        name for name in tree(recorded) if 'file-000' in name and not name.startswith('meta/')}
    dataset = Dataset.open(root)
    assert str(dataset.origin) == f'episodes 1:3 of {REPO}' and len(dataset.episodes) == 3
    check_counters(dataset, 2, 2)
    with pytest.raises(DatasetError, match=rf'expected episode 0; `dataset pull {REPO} --root'):
        dataset.frames(0, FRONT)
    assert validate(root, deep=True) == []
    assert f'{root}: a copy of episodes 1:3 of {REPO}\n' in run(capsys, 0, 'validate', root)
    assert f'  pulled: episodes 1:3 of {REPO}, v3.0\n' in run(capsys, 0, 'info', root)
    kept = inode(root / 'data/chunk-000/file-001.parquet')
    pushed.requests.clear()
    run(capsys, 0, 'pull', REPO, '--root', root, '--episodes', '0')
    assert str(Dataset.open(root).origin) == f'all episodes of {REPO}'
    assert tree(root) == tree(recorded) and validate(root) == []
    # What was there is linked, not fetched.
    assert inode(root / 'data/chunk-000/file-001.parquet') == kept
    assert not pushed.count('HEAD', 'file-001') and not leftovers(root)


def test_a_missing_file_of_a_pulled_episode_is_a_fault(pushed: Hub, tmp_path: Path) -> None:
    """Only what was left out is none."""
    root = pull(REPO, root=tmp_path / 'part', episodes=[1])
    (root / 'data/chunk-000/file-001.parquet').unlink()
    assert ['file-001.parquet' in str(problem) for problem in validate(root)] == [True]


def test_without_videos(pushed: Hub, tmp_path: Path, recorded: Path) -> None:
    """Tables only, which is valid; the mp4s come when they are asked for."""
    root = pull(REPO, root=tmp_path / 'tables', videos=False)
    assert not (root / 'videos').exists() and validate(root, deep=True) == []
    assert str(Dataset.open(root).origin) == f'all episodes of {REPO}, without videos'
    assert tree(pull(REPO, root=root)) == tree(recorded)


@pytest.mark.parametrize('name', ['info.json', '/store/'])
def test_a_download_that_drops_goes_on(
    name: str, pushed: Hub, recorded: Path, tmp_path: Path,
) -> None:
    """The client asks for the rest of the file."""
    pushed.faults.append(Fault('GET', name, 500))
    assert tree(pull(REPO, root=tmp_path / 'copy')) == tree(recorded)
    assert not pushed.faults


def test_an_interrupted_pull_goes_on_where_it_ended(
    pushed: Hub, recorded: Path, tmp_path: Path,
) -> None:
    """No folder appears before all is there; no file comes twice."""
    root = tmp_path / 'copy'
    pushed.faults.append(Fault('HEAD', 'videos/observation.images.wrist', status=404))
    with pytest.raises(HubError, match=r'lacks a file that it listed \(404\); run it again'):
        pull(REPO, root=root)
    assert not root.exists()
    there = {path.name for path in (tmp_path / 'copy.partial-pull/tree/meta').iterdir()}
    assert {'info.json', 'tasks.parquet'} <= there
    pushed.requests.clear()
    assert tree(pull(REPO, root=root)) == tree(recorded)
    assert not pushed.count('HEAD', '/meta/') and pushed.count('HEAD', 'observation.images.wrist')
    assert not leftovers(root)


@pytest.mark.parametrize('request_number', [3, 12])
def test_a_killed_pull_leaves_the_old_or_nothing(
    request_number: int, pushed: Hub, dataset: Path, recorded: Path, tmp_path: Path,
) -> None:
    """And the next one goes on."""
    root = pull(REPO, root=tmp_path / 'copy')
    with DatasetWriter.resume(dataset, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 2, 50)
        episode.save()
    push(dataset, REPO)
    pushed.requests.clear()
    process = subprocess.Popen(
        [sys.executable, '-m', 'apprentice_dataset', 'pull', REPO, '--root', root, '--refresh'],
        env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while len(pushed.requests) < request_number and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert tree(root) in (tree(recorded), tree(dataset)) and validate(root) == []
    assert tree(pull(REPO, root=root, refresh=True)) == tree(dataset)
    assert not leftovers(root)


def test_what_changed_on_the_hub_comes_with_a_refresh(
    pushed: Hub, tmp_path: Path, dataset: Path,
) -> None:
    """In one step; files that are gone there go, and the user's own stay."""
    root = pull(REPO, root=tmp_path / 'copy')
    (root / 'notes').mkdir()
    (root / 'notes/mine.txt').write_text('mine')
    shutil.rmtree(dataset)
    make(dataset, 5)
    push(dataset, REPO)
    before = tree(root)
    assert tree(pull(REPO, root=root)) == before != tree(dataset)
    assert tree(pull(REPO, root=root, refresh=True)) == tree(dataset)
    assert (root / 'notes/mine.txt').read_text() == 'mine'
    assert validate(root, deep=True) == [] and not leftovers(root)


def test_what_was_made_here_is_never_replaced(
    pushed: Hub, tmp_path: Path, dataset: Path,
) -> None:
    """A dataset of one's own, a copy with an episode more, one of another repository."""
    with pytest.raises(HubError, match='was not pulled, expected a copy of'):
        pull(REPO, root=dataset, refresh=True)
    root = pull(REPO, root=tmp_path / 'copy')
    with pytest.raises(HubError, match=f'found a copy of {REPO}, expected one of writer/other'):
        pull('writer/other', root=root)
    with DatasetWriter.resume(root, spec()) as writer:
        with pytest.raises(DatasetBusy):
            pull(REPO, root=root, refresh=True)
        episode = writer.begin_episode()
        record(episode, 2, 50)
        episode.save()
    with pytest.raises(HubError, match='changed since it was pulled, expected an untouched one'):
        pull(REPO, root=root, refresh=True)
    assert len(Dataset.open(root).episodes) == 4
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'letter.txt').write_text('x')
    with pytest.raises(DatasetBroken, match='is this the folder of a dataset'):
        pull(REPO, root=other)


def test_two_pulls_at_once_are_told(pushed: Hub, tmp_path: Path) -> None:
    """The second would write into the first one's files."""
    lock = FolderLock(tmp_path / 'copy.partial-pull')
    with pytest.raises(DatasetBusy, match='another process pulls into it'):
        pull(REPO, root=tmp_path / 'copy')
    lock.release()


def test_another_revision_replaces_the_copy(pushed: Hub, tmp_path: Path, dataset: Path) -> None:
    """A branch, then a commit by its number."""
    with DatasetWriter.resume(dataset, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 2, 50)
        episode.save()
    first = pushed.repositories[REPO].tags['v3.0']
    push(dataset, REPO, branch='more', tag=None)
    root = pull(REPO, root=tmp_path / 'copy')
    assert tree(pull(REPO, 'more', root)) == tree(dataset)
    assert len(Dataset.open(pull(REPO, first, root)).episodes) == 3


@pytest.mark.parametrize(('name', 'size', 'error', 'words'), [
    ('../outside', 1, DatasetBroken, 'paths below the dataset'),
    ('/etc/passwd', 1, DatasetBroken, 'paths below the dataset'),
    ('data/a\\..\\b', 1, DatasetBroken, 'paths below the dataset'),
    ('meta/huge.bin', 10 ** 18, DatasetFull, 'MiB free, expected'),
    ('meta/missing.json', 1, HubError, 'lacks a file that it listed')])
def test_a_hostile_listing_does_no_harm(
    name: str, size: int, error: type[DatasetError], words: str, pushed: Hub, tmp_path: Path,
) -> None:
    """Typed errors, and nothing outside the folder beside."""
    pushed.lies.append({'type': 'file', 'oid': '0' * 40, 'size': size, 'path': name})
    with pytest.raises(error, match=words):
        pull(REPO, root=tmp_path / 'copy')
    assert not (tmp_path / 'copy').exists() and not (tmp_path / 'outside').exists()


def test_other_bytes_than_listed_are_refused(pushed: Hub, tmp_path: Path, recorded: Path) -> None:
    """And not kept for the next run."""
    large = max(pushed.objects.iterdir(), key=lambda path: path.stat().st_size)
    right = large.read_bytes()
    large.unlink()
    large.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    with pytest.raises(DatasetBroken, match='the same size and digest; run it again'):
        pull(REPO, root=tmp_path / 'copy')
    large.write_bytes(right)
    assert tree(pull(REPO, root=tmp_path / 'copy')) == tree(recorded)


def test_a_mark_of_other_contents_is_told(pushed: Hub, tmp_path: Path) -> None:
    """With the file and the cure."""
    root = pull(REPO, root=tmp_path / 'copy')
    for text in ('{"version": 1}', '{', (root / ORIGIN).read_text().replace('null', '[[-1, 2]]')):
        (root / ORIGIN).write_text(text)
        with pytest.raises(DatasetBroken, match='hub.json: found'):
            Dataset.open(root)


def test_nothing_is_recorded_into_a_part(pushed: Hub, tmp_path: Path) -> None:
    """A new file would take the number of one that was left out."""
    root = pull(REPO, root=tmp_path / 'part', episodes=[0])
    before = tree(root)
    with pytest.raises(DatasetError, match='expected all of it; run `dataset pull'):
        DatasetWriter.resume(root, spec())
    assert tree(root) == before
