# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Bring old checkpoints up to date, whose statistics lie among the weights."""

from __future__ import annotations

from pathlib import Path

import apprentice_policies
from apprentice_policies.command_line import migrate
import numpy as np
import pytest
from safetensors.torch import load_file
from safetensors.torch import save_file
from tiny import FRONT
from tiny import STATS
import torch

pytest_plugins = ['tiny_fixtures']
FORMS = {
    'buffers': ('normalize_inputs.buffer_{}.{}', 'unnormalize_outputs.buffer_{}.{}'),
    'plain': ('normalize.{}.{}', 'unnormalize.{}.{}'),
    'names': ('input_normalizer.buffer_{}.{}', 'output_normalizer.buffer_{}.{}'),
    'compiled': ('normalize_inputs._orig_mod.buffer_{}.{}', 'normalize_targets.buffer_{}.{}')}


@pytest.fixture
def old(checkpoint: Path) -> Path:
    """Write the checkpoint as it was before there were processors."""
    return make_old(checkpoint, *FORMS['buffers'])


def make_old(checkpoint: Path, inputs: str, outputs: str) -> Path:
    """Move the statistics into the weights."""
    for path in checkpoint.glob('policy_p*'):
        path.unlink()
    tensors = load_file(checkpoint / 'model.safetensors')
    for key, own in STATS.items():
        form = outputs if key == 'action' else inputs
        for name in own if key != 'timestamp' else ():
            tensors[form.format(key.replace('.', '_'), name)] = torch.tensor(
                np.asarray(own[name]), dtype=torch.float32)
    save_file(tensors, checkpoint / 'model.safetensors')
    return checkpoint


@pytest.mark.parametrize('form', FORMS)
def test_it_acts_as_before(form: str, checkpoint: Path, tmp_path: Path,
                           capsys: pytest.CaptureFixture[str]) -> None:
    """Every way in which the buffers were named gives the same actions."""
    one = {FRONT: np.full((4, 6, 3), 77, np.uint8), 'observation.state': [1.0, 5.0, 3.0]}
    wanted = apprentice_policies.load(checkpoint).act(one)
    old = make_old(checkpoint, *FORMS[form])
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    assert migrate([str(old), str(tmp_path / 'new')]) == 0
    assert 'it held statistics of action, observation.images.front' in capsys.readouterr().out
    np.testing.assert_array_equal(apprentice_policies.load(tmp_path / 'new').act(one), wanted)
    assert set(load_file(tmp_path / 'new/model.safetensors')) == {
        'net.weight', 'net.bias', 'steps'}
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before


def refused(capsys: pytest.CaptureFixture[str], *folders: Path) -> str:
    """Run the command; return its one line."""
    assert migrate([*map(str, folders)]) == 1
    said = capsys.readouterr()
    assert said.out == '' and said.err.count('\n') == 1
    return said.err


def test_what_cannot_be_migrated(old: Path, tmp_path: Path,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    """Each is one line, and nothing is written."""
    new = tmp_path / 'new'
    tensors = load_file(old / 'model.safetensors')

    def with_tensors(**changed: torch.Tensor) -> str:
        save_file({**tensors, **changed}, old / 'model.safetensors')
        said = refused(capsys, old, new)
        assert not new.exists()
        return said

    assert 'expected a new or empty folder' in refused(capsys, old, old)
    name = 'normalize_inputs.buffer_observation_state.mean'
    assert 'found infinite values' in with_tensors(**{name: torch.full((3,), torch.inf)})
    name = 'normalize_inputs.buffer_observation_force.mean'
    assert "found statistics of 'observation_force'" in with_tensors(**{name: torch.ones(3)})
    plain = {name: tensors[name] for name in ('net.weight', 'net.bias', 'steps')}
    save_file(plain, old / 'model.safetensors')
    assert 'found no normalisation buffers' in refused(capsys, old, new)


def test_a_new_checkpoint_needs_no_migration(checkpoint: Path, tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, not done."""
    assert 'is up to date' in refused(capsys, checkpoint, tmp_path / 'new')
