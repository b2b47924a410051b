# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""lerobot loads from the Hub what we push, and we pull what it pushes."""
from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess

from apprentice_dataset.pull import pull
from apprentice_dataset.push import push
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from exchange import PYTHON
from exchange import side
from hub_server import Hub
from hubbed import environment
from hubbed import LENGTHS
from hubbed import remote
from hubbed import REPO
from hubbed import tree
from lerobot_side import TOP
import pytest
from recording import CAMERAS

pytest_plugins = ['hub_fixtures']
SCRIPT = Path(__file__).with_name('lerobot_hub.py')
TOTAL = sum(LENGTHS)


def lerobot(hub: Hub, tmp_path: Path, *arguments: object) -> str:
    """Run lerobot with the test's Hub; return what it printed last."""
    variables = {name: value for name, value in os.environ.items()
                 if name not in ('PYTHONPATH', 'VIRTUAL_ENV', 'HF_HUB_OFFLINE')}
    result = subprocess.run(
        [PYTHON, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True,
        env={**variables, **environment(hub, tmp_path / 'their_home')})
    assert not result.returncode, result.stderr[-3000:]
    return (result.stdout.splitlines() or [''])[-1]


def test_lerobot_loads_what_we_pushed(hub: Hub, recorded: Path, tmp_path: Path) -> None:
    """Whole, and one episode, of which it fetches the same files as we do."""
    push(recorded, REPO)
    found = json.loads(lerobot(hub, tmp_path, 'load', REPO, tmp_path / 'theirs'))
    assert found == {'index': list(range(TOTAL)), 'pictures': sorted(CAMERAS)}
    found = json.loads(lerobot(hub, tmp_path, 'load', REPO, tmp_path / 'part', 1))
    assert found['index'] == list(range(LENGTHS[0], LENGTHS[0] + LENGTHS[1]))
    ours = pull(REPO, root=tmp_path / 'ours', episodes=[1])
    assert tree(ours).keys() == tree(tmp_path / 'part').keys()
    # It reads a copy that we pulled, and we one of its own; neither asks the Hub again.
    hub.requests.clear()
    assert json.loads(lerobot(hub, tmp_path, 'load', REPO, ours, 1)) == found
    assert pull(REPO, root=tmp_path / 'theirs') == tmp_path / 'theirs'
    assert not hub.count('HEAD', '/data/') and not hub.count('HEAD', '/videos/')


@pytest.mark.parametrize('episodes', [None, [3]])
def test_we_pull_what_lerobot_pushed(
    episodes: list[int] | None, hub: Hub, tmp_path: Path,
) -> None:
    """With its tag and card, several files a camera; then we push it without sending a file."""
    made = tmp_path / 'files'
    side('make', tmp_path, 'files')
    lerobot(hub, tmp_path, 'push', REPO, made)
    assert remote(hub) == tree(made)
    root = pull(REPO, root=tmp_path / 'ours', episodes=episodes)
    assert validate(root, deep=True) == []
    dataset = Dataset.open(root)
    assert dataset.frames(3, TOP).shape == (8, 48, 64, 3)
    if episodes is None:
        assert tree(root) == tree(made)
        assert push(root, REPO).sent == 1
        card = hub.content(REPO)['README.md'].decode()
        assert 'license: mit' in card and '| episodes | 6 |' in card
    else:
        assert len(tree(root)) < len(tree(made))
