# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of policies do the same under lerobot and here, whoever wrote them."""
from __future__ import annotations

import json
from pathlib import Path

from apprentice_policies.checkpoint import load_pretrained
from apprentice_policies.checkpoint import save_pretrained
from apprentice_policies.config import PolicyConfig
from apprentice_policies.processors import make_processors
from apprentice_policies.processors import Pipeline
from apprentice_policies.registry import policy_class
from exchange import under_lerobot
import numpy as np
from policy_cases import Case
from policy_cases import CASES
from policy_cases import statistics
from policy_parity import as_tensors
from policy_parity import differences
from policy_parity import record
from policy_parity import rule_weights
from policy_parity import Side
import pytest
from safetensors import safe_open
import torch

SEEDS = (0, 1, 2)
MAKE = str(Path(__file__).with_name('make_policies.py'))
MODEL = 'pretrained_model'


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Keep sums in one order, as lerobot's side does."""
    torch.set_num_threads(1)


@pytest.fixture(scope='module', params=CASES)
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let lerobot write a checkpoint for every case and seed of a policy."""
    folder = tmp_path_factory.mktemp(request.param) / request.param
    under_lerobot(MAKE, 'make', str(folder), request.param, *map(str, SEEDS))
    return folder


def test_their_checkpoints_do_the_same_here(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs processed, losses, gradients, chunk, 50 actions; order of parameters and groups."""
    unlike = []
    for name, case in CASES[theirs.name].items():
        for seed in SEEDS:
            monkeypatch.chdir(theirs / name / str(seed))
            policy, pre, post = load_pretrained(MODEL)
            unlike += _unlike(f'{name}, {seed}', record(_side(policy, pre, post), case, seed))
    assert unlike == []


def test_our_checkpoints_do_the_same_there(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They hold the same tensors and words, and lerobot acts on them as we do."""
    ours = {}
    for name, case in CASES[theirs.name].items():
        for seed in SEEDS:
            folder = tmp_path / name / str(seed)
            folder.mkdir(parents=True)
            monkeypatch.chdir(folder)
            given = theirs / name / str(seed)
            if (given / 'assets').is_dir():
                Path('assets').symlink_to(given / 'assets')
            side = _fresh(case, json.loads((given / MODEL / 'config.json').read_text()), seed)
            save_pretrained(MODEL, side.policy, side.pre, side.post.__self__)
            assert _contents(folder / MODEL) == _contents(given / MODEL)
            ours[name, seed] = record(side, case, seed)
    monkeypatch.undo()
    under_lerobot(MAKE, 'read', str(tmp_path))
    unlike = []
    for (name, seed), found in ours.items():
        monkeypatch.chdir(tmp_path / name / str(seed))
        unlike += _unlike(f'{name}, {seed}', found)
    assert unlike == []


def _unlike(title: str, found: dict[str, np.ndarray]) -> list[str]:
    with np.load('outputs.npz') as file:
        expected = dict(file)
    policy = json.loads(Path(MODEL, 'config.json').read_text())['type']
    return [f'{title}: {text}' for text in differences(policy, expected, found)]


def _fresh(case: Case, theirs: dict[str, object], seed: int) -> Side:
    """Return our own policy of a case, its fields given by hand, the rest our defaults."""
    values = {'type': case.policy, 'device': 'cpu', 'push_to_hub': False,
              'input_features': _features(case.inputs()),
              'output_features': _features(case.outputs()),
              **{key: list(value) if isinstance(value, tuple) else value
                 for key, value in case.config.items()}}
    config = PolicyConfig.from_dict(values)
    assert config.to_dict() == theirs
    policy = policy_class(case.policy)(config)
    rule_weights(policy, seed)
    return _side(policy, *make_processors(config, {
        key: as_tensors(values) for key, values in statistics(case, seed).items()}))


def _features(found: dict[str, tuple[str, tuple[int, ...]]]) -> dict[str, object]:
    return {key: {'type': kind, 'shape': list(shape)} for key, (kind, shape) in found.items()}


def _side(policy: torch.nn.Module, pre: Pipeline, post: Pipeline) -> Side:
    return Side(policy, pre, post.action, policy.predict_chunk, policy.optimizer_parameters)


def _contents(folder: Path) -> dict[str, object]:
    """Return what a checkpoint's files hold: JSON, and the tensors by name, dtype and shape."""
    found: dict[str, object] = {path.name: json.loads(path.read_text())
                                for path in folder.glob('*.json')}
    for path in folder.glob('*.safetensors'):
        with safe_open(path, 'pt') as file:
            found[path.name] = {name: (str(file.get_tensor(name).dtype),
                                       file.get_slice(name).get_shape())
                                for name in file.keys()}
    return found
