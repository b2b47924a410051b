# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find the right version of a dataset on the Hub, and say what is wrong in one line."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.hub import client
from apprentice_dataset.hub import default_root
from apprentice_dataset.hub import hub_errors
from apprentice_dataset.hub import resolve
from hub_repository import Repository
from hub_server import Hub
from hubbed import REPO
from hubbed import run
import pytest

pytest_plugins = ['hub_fixtures']


def serve(
    hub: Hub, tags: list[str], branches: tuple[str, ...] = (), private: bool = False,
) -> None:
    """Make a repository with these refs, each on a commit of its own."""
    repository = Repository(hub.folder / 'repositories' / REPO, private)
    repository.folder.mkdir(parents=True)
    for branch in ('main', *branches):
        repository.commit(branch, [], hub.objects)
    for name in tags:
        repository.tags[name] = repository.commit('main', [], hub.objects)
    hub.repositories[REPO] = repository


@pytest.mark.parametrize(('tags', 'branches', 'found'), [
    (['v2.1', 'v3.0', 'v3.1'], (), 'v3.0'),
    (['3.0', 'v2.0'], (), '3.0'),
    (['v3.0.0'], (), 'v3.0.0'),
    ([], ('v3.0',), 'v3.0'),
    (['v3.0'], ('v3.0',), 'v3.0')])
def test_the_right_version_is_found(
    tags: list[str], branches: tuple[str, ...], found: str, hub: Hub,
) -> None:
    """Among tags and branches; a tag wins over a branch of its name."""
    serve(hub, tags, branches)
    chosen = resolve(client(), REPO)
    repository = hub.repositories[REPO]
    assert chosen.name == found
    assert chosen.commit == {**repository.branches, **repository.tags}[found]


@pytest.mark.parametrize(('tags', 'words'), [
    ([], 'found no version tag, expected v3.0; pull with `--revision main`'),
    (['draft', 'v3'], 'found no version tag'),
    (['v2.0', 'v2.1'], 'found version v2.1, expected v3.0; pull it with `--revision v2.1` and'),
    (['v3.1', 'v4.0'], 'found version v4.0, expected v3.0; update this software'),
    (['v2.1', 'v3.2'], 'found version v3.2, expected v3.0; update this software')])
def test_no_version_of_ours_is_told_with_the_cure(
    tags: list[str], words: str, hub: Hub, capsys: pytest.CaptureFixture[str],
) -> None:
    """None at all, only older ones, only newer ones."""
    serve(hub, tags)
    assert words in run(capsys, 1, 'pull', REPO)


def test_an_unknown_revision_is_told_with_those_there_are(
    hub: Hub, capsys: pytest.CaptureFixture[str],
) -> None:
    """The verb `tag` lists them, and sets one."""
    serve(hub, ['v3.0'])
    assert "found no revision 'draft', expected one of: main, v3.0" in run(
        capsys, 1, 'pull', REPO, '--revision', 'draft')
    assert 'found no such revision' in run(capsys, 1, 'pull', REPO, '--revision', '0' * 40)
    main = hub.repositories[REPO].branches['main']
    assert run(capsys, 0, 'tag', REPO, 'v3.1') == f'{REPO}: v3.1 is {main}'
    assert run(capsys, 0, 'tag', REPO).splitlines()[-1] == f'v3.1 {main}'
    old = hub.repositories[REPO].tags['v3.0']
    run(capsys, 0, 'tag', REPO, 'v3.1', '--revision', 'v3.0')
    assert hub.repositories[REPO].tags['v3.1'] == old


def test_what_is_not_there_and_what_may_not_be_seen(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The Hub tells neither apart from the other."""
    assert 'found no such dataset on the Hub, or it is private' in run(capsys, 1, 'pull', REPO)
    serve(hub, ['v3.0'], private=True)
    monkeypatch.setenv('HF_TOKEN', '')
    assert 'set HF_TOKEN' in run(capsys, 1, 'pull', REPO)
    monkeypatch.setenv('HF_TOKEN', 'hf_made_up')
    said = run(capsys, 1, 'pull', REPO)
    assert 'does not accept this token (401)' in said and 'hf_made_up' not in said


@pytest.mark.parametrize('repo_id', ['cubes', 'a/b/c', '../up', 'a/..', 'a b/c', '/etc/passwd'])
def test_a_name_that_is_none(
    repo_id: str, hub: Hub, capsys: pytest.CaptureFixture[str],
) -> None:
    """It would be part of a path."""
    assert f'found repository {repo_id!r}, expected USER/NAME' in run(capsys, 1, 'pull', repo_id)
    assert not hub.requests


@pytest.mark.parametrize('text', ['', '1:', '3:2', '1:1', '-1', 'a', '0:99999999999'])
def test_episodes_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage, exit code 2."""
    with pytest.raises(SystemExit) as error:
        run(capsys, 2, 'pull', REPO, f'--episodes={text}')
    assert error.value.code == 2


def test_a_full_disk_is_told() -> None:
    """Whatever of the client meets it."""
    with pytest.raises(DatasetFull, match='copy: .*free space and run it again'), \
            hub_errors(REPO, Path('copy')):
        with open('/dev/full', 'wb', buffering=0) as file:
            file.write(b'x')


def test_without_the_client_the_line_says_how_to_get_it(hub: Hub) -> None:
    """It is asked for only where it is needed: everything else works without."""
    code = ("import sys; sys.modules['huggingface_hub'] = None; "
            'from apprentice_dataset.command_line import main; '
            f"sys.exit(main(['pull', '{REPO}']))")
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr == ('dataset pull: found no huggingface_hub, which speaks to the Hub; '
                             "pip install 'huggingface_hub>=1.0'\n")


def test_where_copies_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variables of LeRobot say it."""
    for name in ('HF_LEROBOT_HOME', 'HF_HOME', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert default_root(REPO) == tmp_path / '.cache/huggingface/lerobot' / REPO
    monkeypatch.setenv('HF_HOME', '~/hf')
    assert default_root(REPO) == tmp_path / 'hf/lerobot' / REPO
    monkeypatch.setenv('HF_LEROBOT_HOME', '/data')
    assert default_root(REPO) == Path('/data') / REPO
