# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What is pushed when a training ends, to a Hub of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apprentice_policies.command_line import pull
import pytest
from training_cases import ACT
from training_cases import contents
from training_cases import train

pytest_plugins = ['model_hub']
PUSH = ('--steps=2', '--policy.repo_id=writer/reach', '--policy.push_to_hub=true')


def test_the_last_checkpoint_is_pushed(hub: Any, data: Path, tmp_path: Path,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    """It is in the repository, with a card, and can be had back from there."""
    assert train(data, tmp_path / 'run', *ACT, *PUSH) == 0
    assert 'pushed to writer/reach, commit ' in capsys.readouterr().out
    assert pull(['writer/reach', str(tmp_path / 'back')]) == 0
    back = contents(tmp_path / 'back')
    card = back.pop('README.md').decode()
    assert 'test/data' in card
    assert back == contents(tmp_path / 'run' / 'checkpoints' / 'last' / 'pretrained_model')


def test_nothing_is_pushed_unasked(hub: Any, data: Path, tmp_path: Path) -> None:
    """A training without a repository's name asks the Hub nothing."""
    assert train(data, tmp_path / 'run', *ACT, '--steps=2') == 0
    assert not hub.requests


def test_a_hub_that_is_away_costs_nothing(hub: Any, data: Path, tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    """The checkpoint and the results are there, and what to do is said."""
    monkeypatch.setenv('HF_ENDPOINT', 'http://127.0.0.1:9')
    assert train(data, tmp_path / 'run', *ACT, *PUSH) == 1
    assert (tmp_path / 'run' / 'checkpoints' / 'last' / 'pretrained_model').is_dir()
    assert (tmp_path / 'run' / 'results.html').exists()
    said, = capsys.readouterr().err.splitlines()[1:]
    command, folder, repo = said.split()[-3:]
    assert command == 'push' and Path(folder, 'model.safetensors').exists()
    assert repo == 'writer/reach'
