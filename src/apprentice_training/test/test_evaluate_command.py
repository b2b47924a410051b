# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The command `evaluate` from a checkpoint to its results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('gymnasium')
torch = pytest.importorskip('torch')

from apprentice_policies.act.config import ACTConfig  # noqa: E402, I100
from apprentice_policies.act.policy import ACTPolicy  # noqa: E402
from apprentice_policies.checkpoint import save_pretrained  # noqa: E402
from apprentice_policies.features import FeatureType  # noqa: E402
from apprentice_policies.features import PolicyFeature  # noqa: E402
from apprentice_policies.processors import make_processors  # noqa: E402
from apprentice_training.evaluate import load_policy  # noqa: E402
from apprentice_training.evaluate import main  # noqa: E402


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small random policy for the reach task."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = ACTConfig(
        input_features={
            'observation.state': PolicyFeature(FeatureType.STATE, (6,)),
            'observation.environment_state': PolicyFeature(FeatureType.ENV, (6,))},
        output_features={'action': PolicyFeature(FeatureType.ACTION, (6,))},
        device='cpu', chunk_size=8, n_action_steps=8, dim_model=16, n_heads=2,
        dim_feedforward=16, n_encoder_layers=1, use_vae=False)
    whole = {'mean': [0.0] * 6, 'std': [30.0] * 6}
    stats = {'observation.state': whole, 'action': whole}
    folder = tmp_path_factory.mktemp('run') / 'checkpoints' / 'last' / 'pretrained_model'
    save_pretrained(folder, ACTPolicy(config), *make_processors(config, stats))
    return folder.parents[2]


def results(run: Path, out: Path, *more: str) -> dict[str, Any]:
    """Evaluate three short trials and return `eval_info.json` without times."""
    assert main([
        f'--policy.path={run}', '--env.type=so100', '--env.task=SO100Reach-v0',
        '--env.episode_length=12', '--eval.n_episodes=3', '--eval.max_videos=0',
        f'--output_dir={out}', *more]) == 0
    info = json.loads((out / 'eval_info.json').read_text())
    return {'per_episode': info['per_episode'], 'per_task': info['per_task']}


def test_results_follow_from_seed_and_policy(
        checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command gives the same numbers; another seed, or another policy, others."""
    first = results(checkpoint, tmp_path / 'a', '--eval.batch_size=3')
    table = capsys.readouterr().out.splitlines()
    assert table[-3].split() == [
        'task', 'trials', 'success', '95', '%', 'interval', 'mean', 'reward', 'mean', 'steps']
    assert table[-2].startswith('SO100Reach-v0') and '0 (0 %)' in table[-2]
    assert results(checkpoint, tmp_path / 'b', '--eval.batch_size=1') == first
    assert [trial['steps'] for trial in first['per_episode']] == [12] * 3
    assert [trial['seed'] for trial in first['per_episode']] == [1000, 1001, 1002]
    assert results(checkpoint, tmp_path / 'c', '--seed=5') != first
    assert results(checkpoint, tmp_path / 'd', '--policy.n_action_steps=1') != first


def test_fields_of_the_policy_are_changed_strictly(
        checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A field is decoded as in the file; what the policy or its weights do not allow is named."""
    assert load_policy(str(checkpoint), None, {'n_action_steps': 4}).policy.config \
        .n_action_steps == 4
    for flag, told in (('--policy.n_action_steps=9', 'chunk_size'),
                       ('--policy.no_such_field=1', 'no_such_field'),
                       ('--policy.dim_model=32', 'another shape')):
        assert main([f'--policy.path={checkpoint}', '--env.type=so100', '--eval.max_videos=0',
                     f'--output_dir={tmp_path}', flag]) == 1
        assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_missing_checkpoint_is_one_line(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error says what was expected there."""
    assert main([f'--policy.path={tmp_path}', '--env.type=so100', '--eval.max_videos=0']) == 1
    assert 'expected a checkpoint' in capsys.readouterr().err
