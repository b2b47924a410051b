# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Push checkpoints to a Hub of the test's own and pull them, with a card."""

from __future__ import annotations

from importlib import import_module
import json
from pathlib import Path
from typing import Any

import apprentice_policies
from apprentice_policies.command_line import pull
from apprentice_policies.command_line import push
from apprentice_policies.hub import push as push_checkpoint
import pytest
import yaml

pytest_plugins = ['tiny_fixtures', 'model_hub']
REPO = 'writer/tiny'
# The server of the data's tests, which conftest.py finds; no package can be declared for it.
hub_server, hub_repository = map(import_module, ('hub_server', 'hub_repository'))
Hub = Any


def run(capsys: pytest.CaptureFixture[str], command: object, code: int,
        *arguments: object) -> str:
    """Run a command; return its one line."""
    assert callable(command)
    capsys.readouterr()
    assert command([*map(str, arguments)]) == code, capsys.readouterr()
    said = capsys.readouterr()
    text = said.err if code else said.out
    assert text.count('\n') == 1 and hub_server.WRITER not in said.out + said.err
    return text.strip()


def contents(folder: Path) -> dict[str, bytes]:
    """Return a folder's files."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_there_and_back(hub: Hub, checkpoint: Path, tmp_path: Path,
                        capsys: pytest.CaptureFixture[str]) -> None:
    """What is pulled is what was pushed, and a card; in one commit."""
    (checkpoint / 'optimizer.pt').write_bytes(b'not for others')
    said = run(capsys, push, 0, checkpoint, REPO, '--tag', 'v1')
    assert '7 file(s) sent, 0 there already' in said
    assert hub.count('POST', '/commit/') == 1
    (checkpoint / 'optimizer.pt').unlink()
    new = tmp_path / 'new'
    run(capsys, pull, 0, REPO, new, '--revision', 'v1')
    found = contents(new)
    card = found.pop('README.md').decode()
    assert found == contents(checkpoint)
    assert card.startswith('---\nlicense: ')
    apprentice_policies.load(new)
    assert [path.name for path in new.parent.iterdir() if 'partial' in path.name] == []


def test_the_card(hub: Hub, checkpoint: Path) -> None:
    """The front matter is LeRobot's; the body tells features, data and settings."""
    values = json.loads((checkpoint / 'config.json').read_text())
    values |= {'tags': ['so|100'], 'license': 'mit', 'private': True}
    (checkpoint / 'config.json').write_text(json.dumps(values))
    (checkpoint / 'train_config.json').write_text(json.dumps(
        {'dataset': {'repo_id': 'writer/cubes'}, 'steps': 700, 'batch_size': 8, 'seed': 1000}))
    push_checkpoint(checkpoint, REPO, robot='so100_follower')
    text = hub.content(REPO)['README.md'].decode()
    _, front, body = text.split('---\n', 2)
    assert yaml.safe_load(front) == {
        'license': 'mit', 'library_name': 'lerobot', 'pipeline_tag': 'robotics',
        'tags': ['robotics', 'lerobot', 'tiny', 'so|100'], 'model_name': 'tiny',
        'datasets': ['writer/cubes']}
    assert hub.repositories[REPO].private
    for line in ('Tiny (Nobody, 2026)', r'| robot | so100\_follower |', '| steps | 700 |',
                 '| observation.images.front | VISUAL | [3, 4, 6] |', '| action | ACTION | [2] |',
                 '| dataset | writer/cubes |'):
        assert line in body, body


def test_a_second_push_sends_what_changed(hub: Hub, checkpoint: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing where nothing did; a card that somebody wrote stays."""
    push_checkpoint(checkpoint, REPO)
    hub.requests.clear()
    again = push_checkpoint(checkpoint, REPO)
    assert again.sent == [] and len(again.kept) == 7
    assert not hub.count('POST', '/commit/') and not hub.count('PUT', '')
    (checkpoint / 'README.md').write_text('---\nlicense: mit\n---\nBy hand.\n')
    assert push_checkpoint(checkpoint, REPO).sent == ['README.md']
    (checkpoint / 'README.md').unlink()
    (checkpoint / 'train_config.json').write_text('{"steps": 1}')
    assert push_checkpoint(checkpoint, REPO).sent == ['train_config.json']
    assert hub.content(REPO)['README.md'].endswith(b'By hand.\n')


def test_an_interrupted_pull_leaves_the_old_checkpoint(
    hub: Hub, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    """And the next one brings the new one."""
    push_checkpoint(checkpoint, REPO)
    new = tmp_path / 'new'
    run(capsys, pull, 0, REPO, new)
    before = contents(new)
    (checkpoint / 'train_config.json').write_text('{"steps": 1}')
    push_checkpoint(checkpoint, REPO)
    hub.faults.append(hub_repository.Fault('HEAD', '/resolve/', status=403))
    assert 'this token may not' in run(capsys, pull, 1, REPO, new)
    assert contents(new) == before
    run(capsys, pull, 0, REPO, new)
    assert contents(new)['train_config.json'] == b'{"steps": 1}'


def test_what_is_refused(hub: Hub, checkpoint: Path, tmp_path: Path,
                         capsys: pytest.CaptureFixture[str]) -> None:
    """Each is one line with the cure."""
    assert 'found no such model' in run(capsys, pull, 1, 'writer/nothing', tmp_path / 'a')
    assert 'expected USER/NAME' in run(capsys, pull, 1, 'nothing', tmp_path / 'a')
    push_checkpoint(checkpoint, REPO)
    assert 'found no such revision' in run(capsys, pull, 1, REPO, tmp_path / 'a', '--revision',
                                           'v9')
    assert 'something else than a checkpoint' in run(capsys, pull, 1, REPO, tmp_path)
    (checkpoint / 'policy_postprocessor.json').unlink()
    assert 'found no policy_postprocessor.json' in run(capsys, push, 1, checkpoint, REPO)
    assert not (tmp_path / 'a').exists()


def test_pickles_are_not_fetched(hub: Hub, checkpoint: Path, tmp_path: Path,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    """A repository that has its weights in one is refused."""
    push_checkpoint(checkpoint, REPO)
    from huggingface_hub import HfApi
    api = HfApi(endpoint=hub.url, token=hub_server.WRITER)
    api.delete_file('model.safetensors', REPO)
    api.upload_file(path_or_fileobj=b'\x80\x04.', path_in_repo='pytorch_model.bin', repo_id=REPO)
    said = run(capsys, pull, 1, REPO, tmp_path / 'new')
    assert 'found no model.safetensors' in said and 'pickles are not fetched' in said
