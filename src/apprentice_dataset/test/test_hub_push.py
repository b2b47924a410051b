# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Push datasets to a Hub: all of it, only what it lacks, and nothing that is not meant for it."""

from __future__ import annotations

from pathlib import Path
import shutil

from apprentice_dataset.card import BEGIN
from apprentice_dataset.card import Card
from apprentice_dataset.card import END
from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import HubError
from apprentice_dataset.hub import tag
from apprentice_dataset.pull import pull
from apprentice_dataset.push import local_files
from apprentice_dataset.push import push
from apprentice_dataset.writer import DatasetWriter
from hub_repository import Fault
from hub_server import Hub
from hub_server import READER
from hubbed import remote
from hubbed import REPO
from hubbed import run
from hubbed import tree
import pytest
from recording import make
from recording import record
from recording import spec

pytest_plugins = ['hub_fixtures']


def test_a_push_makes_the_hub_what_the_folder_is(
    hub: Hub, recorded: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    """Every file, a card, the version tag; the folder itself is left as it was."""
    before = tree(recorded)
    said = run(capsys, 0, 'push', recorded, REPO, '--license', 'mit', '--tags', 'so100')
    assert f'{len(before) + 1} file(s) sent, 0 there already, 0 removed' in said
    assert remote(hub) == remote(hub, 'main') == before == tree(recorded)
    assert not hub.repositories[REPO].private
    card = hub.content(REPO)['README.md'].decode()
    assert card.startswith('---\nlicense: mit\n') and '- LeRobot\n- so100\n' in card
    assert not (recorded / 'README.md').exists() and not (recorded / '.apprentice').exists()


def test_a_second_push_sends_nothing(hub: Hub, recorded: Path) -> None:
    """Neither a file nor a commit; what changed is sent alone, and the tag follows it."""
    first = push(recorded, REPO, card=Card('mit'))
    hub.requests.clear()
    again = push(recorded, REPO)
    assert (again.commit, again.sent, again.removed) == (first.commit, 0, 0)
    assert not hub.count('PUT', '') and not hub.count('POST', '/commit/')


def test_only_what_changed_is_sent(hub: Hub, dataset: Path) -> None:
    """One more episode: its files and what lies in meta/; the tag stands for the new commit."""
    first = push(dataset, REPO)
    with DatasetWriter.resume(dataset, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 2, 50)
        episode.save()
    hub.requests.clear()
    second = push(dataset, REPO)
    assert remote(hub) == tree(dataset) and remote(hub, first.commit) != tree(dataset)
    assert hub.repositories[REPO].tags == {'v3.0': second.commit} != {'v3.0': first.commit}
    # Rows, two videos, the row of meta/episodes; and as text info, statistics and card.
    assert (hub.count('PUT', '/store/'), second.sent) == (4, 7)
    assert second.kept == len(tree(dataset)) - 6


@pytest.mark.parametrize('after', [0, 700])
def test_a_connection_that_drops_is_made_again(after: int, hub: Hub, recorded: Path) -> None:
    """At the beginning of an upload or in its middle, the client's own second try brings it."""
    hub.faults.append(Fault('PUT', '/store/', after))
    push(recorded, REPO)
    assert not hub.faults and remote(hub) == tree(recorded)


def test_an_interrupted_push_goes_on_where_it_ended(hub: Hub, recorded: Path) -> None:
    """Nothing is seen before the commit; the next run sends no file twice."""
    for fault in (Fault('PUT', '/store/', status=400), Fault('POST', '/commit/', status=500)):
        hub.faults.append(fault)
        with pytest.raises(HubError, match='refuses|goes on where it ended'):
            push(recorded, REPO)
        assert remote(hub, 'main') == {} and not hub.repositories[REPO].tags
    stored = {path.name for path in hub.objects.iterdir()}
    hub.requests.clear()
    push(recorded, REPO)
    assert remote(hub) == tree(recorded) and not hub.count('PUT', '')
    assert stored == {path.name for path in hub.objects.iterdir()}


def test_a_push_that_ends_before_the_tag_is_mended_by_the_next(
    hub: Hub, dataset: Path, recorded: Path,
) -> None:
    """The tag is gone for a moment; the next run has nothing to send and sets it."""
    push(recorded, REPO)
    (dataset / 'notes.txt').write_text('more')
    hub.faults.append(Fault('POST', '/tag/', status=503))
    with pytest.raises(HubError, match=r'a fault of its own \(503\)'):
        push(dataset, REPO)
    assert push(dataset, REPO).sent == 0
    assert hub.content(REPO, 'v3.0')['notes.txt'] == b'more'


def test_what_is_gone_here_goes_there(hub: Hub, dataset: Path, recorded: Path) -> None:
    """Files below meta/, data/ and videos/; others of the repository stay."""
    (dataset / 'notes.txt').write_text('keep me')
    push(dataset, REPO)
    shutil.rmtree(dataset)
    make(dataset, 3)
    done = push(dataset, REPO)
    assert remote(hub) == tree(dataset)
    assert done.removed == len(tree(recorded)) - len(tree(dataset))
    assert {'notes.txt', '.gitattributes', 'README.md'} <= hub.content(REPO).keys()


def test_without_videos_those_of_the_hub_stay(hub: Hub, dataset: Path, recorded: Path) -> None:
    """Neither sent nor removed."""
    push(recorded, REPO)
    shutil.rmtree(dataset / 'videos')
    assert push(dataset, REPO, push_videos=False, check=False).removed == 0
    assert remote(hub) == tree(recorded)


def test_a_branch_is_made_and_main_left(hub: Hub, recorded: Path) -> None:
    """The tag moves only where it is asked to."""
    first = push(recorded, REPO, branch='trial', tag=None)
    repository = hub.repositories[REPO]
    assert repository.branches['trial'] == first.commit and not repository.tags
    assert remote(hub, 'trial') == tree(recorded) and remote(hub, 'main') == {}
    assert tag(REPO, 'v3.0', 'trial').commit == first.commit
    assert repository.tags == {'v3.0': first.commit}


def test_private_means_private(hub: Hub, recorded: Path) -> None:
    """A new repository is made so; one that everybody sees is not filled."""
    push(recorded, REPO, private=True)
    assert hub.repositories[REPO].private
    push(recorded, 'writer/open')
    hub.requests.clear()
    with pytest.raises(HubError, match='found a public dataset, expected a private one'):
        push(recorded, 'writer/open', private=True)
    assert not hub.count('PUT', '') and not hub.count('POST', '/commit/')


def test_staging_is_never_published(hub: Hub, dataset: Path) -> None:
    """Nor is what other programs leave behind; what else the user keeps there is."""
    for name in ('.apprentice/trash/x', 'images/a/b.png', 'tmp_abc/c.mp4', 'data/.file-000.new',
                 '.cache/huggingface/x', 'extra/notes.txt', 'x.partial-12/y'):
        (dataset / name).parent.mkdir(parents=True, exist_ok=True)
        (dataset / name).write_text('x')
    assert local_files(dataset).keys() - tree(dataset).keys() == {'extra/notes.txt'}
    shutil.rmtree(dataset / '.apprentice')
    push(dataset, REPO)
    assert hub.content(REPO).keys() - tree(dataset).keys() == {
        '.gitattributes', 'README.md', 'extra/notes.txt'}


def test_a_folder_that_is_a_link_is_told(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    """Its files would be left out in silence, and those of the Hub removed."""
    shutil.move(dataset / 'videos', tmp_path / 'elsewhere')
    (dataset / 'videos').symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(DatasetError, match='found a link, expected a folder'):
        push(dataset, REPO)
    assert REPO not in hub.repositories


def test_a_wrong_dataset_is_refused(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    """Unless told otherwise; nothing is asked of the Hub before."""
    next(dataset.rglob('file-001.mp4')).unlink()
    with pytest.raises(DatasetError, match=r'file-001.mp4: .*dataset validate'):
        push(dataset, REPO)
    with pytest.raises(DatasetError, match='expected a dataset'):
        push(tmp_path / 'nothing', REPO)
    assert not hub.requests
    push(dataset, REPO, check=False)
    assert remote(hub) == tree(dataset)


def test_a_dataset_that_is_being_written_is_refused(hub: Hub, dataset: Path) -> None:
    """While a recorder has it, and with the episode that it left when it died."""
    with DatasetWriter.resume(dataset, spec()):
        with pytest.raises(DatasetBusy, match='is writing this dataset'):
            push(dataset, REPO)
    (dataset / '.apprentice/episode').mkdir(parents=True)
    with pytest.raises(DatasetError, match='unfinished episode, expected none; run'):
        push(dataset, REPO)
    assert not hub.requests


def test_a_copy_of_a_part_is_refused(hub: Hub, recorded: Path, tmp_path: Path) -> None:
    """What it lacks would be removed from the Hub."""
    push(recorded, REPO)
    pull(REPO, root=tmp_path / 'part', episodes=[1])
    with pytest.raises(DatasetError, match=f'found episodes 1 of {REPO}, expected all of it'):
        push(tmp_path / 'part', REPO)
    assert remote(hub) == tree(recorded)


def test_somebody_else_was_faster(hub: Hub, recorded: Path) -> None:
    """A commit made meanwhile is not overwritten."""
    push(recorded, 'writer/other')
    hub.faults.append(Fault('POST', '/commit/', status=412))
    with pytest.raises(HubError, match='somebody else changed it meanwhile'):
        push(recorded, REPO)


@pytest.mark.parametrize(('token', 'words'), [
    ('hf_made_up', 'does not accept this token (401); sign in'),
    (READER, 'may not do that (403); use one with write access to writer'),
    ('', '(401)')])
def test_a_token_that_does_not_do(
    token: str, words: str, hub: Hub, recorded: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line says what to do; no token stands in it."""
    monkeypatch.setenv('HF_TOKEN', token)
    said = run(capsys, 1, 'push', recorded, REPO)
    assert words in said and (not token or token not in said)
    assert not hub.repositories


def test_the_users_words_on_the_card_stay(hub: Hub, dataset: Path) -> None:
    """Those of the folder, or of the Hub where the folder has no card."""
    push(dataset, REPO)
    text = hub.content(REPO)['README.md'].decode()
    (dataset / 'README.md').write_text(f'{text}\n## How it was made\n\nBy hand.\n')
    push(dataset, REPO)
    (dataset / 'README.md').unlink()
    with DatasetWriter.resume(dataset, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 2)
        episode.save()
    push(dataset, REPO)
    card = hub.content(REPO)['README.md'].decode()
    assert card.endswith('\n## How it was made\n\nBy hand.\n')
    assert card.count(BEGIN) == card.count(END) == 1 and '| episodes | 4 |' in card
