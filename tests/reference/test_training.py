# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A training goes on under lerobot, and comes back."""
from __future__ import annotations

import json
from pathlib import Path
import shutil

from apprentice_training.train import main
from exchange import under_lerobot
from safetensors.torch import load_file
import torch
from training_cases import ACT
from training_cases import flags
from training_cases import make

TRAIN = 'from lerobot.scripts.lerobot_train import main; main()'


def test_lerobot_goes_on_with_our_run_and_we_with_its(tmp_path: Path) -> None:
    """Every stretch begins at the step, with the optimiser's averages, where the last ended."""
    data, run = make(tmp_path / 'data', 12, 20, 8), tmp_path / 'run'
    more = (*ACT, '--policy.push_to_hub=false', '--steps=6', '--save_freq=2')
    # Later flags win over those of `flags`.
    assert main(flags(data, run, *more)) == 0
    ours = _state(run, 4)
    for step in ('000004', '000006'):
        shutil.rmtree(run / 'checkpoints' / step)
    last = run / 'checkpoints' / 'last'
    last.unlink()
    last.symlink_to('000002')
    # Whatever lerobot shuffles, its third step moves the averages of our second.
    under_lerobot('-c', TRAIN, f'--config_path={last}/pretrained_model/train_config.json',
                  '--resume=true')
    assert last.resolve().name == '000006'
    theirs = _state(run, 4)
    assert theirs['step'] == ours['step'] == 4
    assert _apart(theirs['average'], ours['average']) < 0.6
    shutil.rmtree(run / 'checkpoints' / '000006')
    last.unlink()
    last.symlink_to('000004')
    assert main(['--resume=true', f'--output_dir={run}']) == 0
    back = _state(run, 6)
    assert back['step'] == 6
    assert _apart(back['average'], theirs['average']) < 0.6


def _state(run: Path, step: int) -> dict[str, float | torch.Tensor]:
    """Return how many steps the optimiser counts, and its running means of gradients."""
    folder = run / 'checkpoints' / f'{step:06d}' / 'training_state'
    assert json.loads((folder / 'training_step.json').read_text())['step'] == step
    found = load_file(folder / 'optimizer_state.safetensors')
    means = [value.flatten() for key, value in sorted(found.items()) if key.endswith('/exp_avg')]
    return {'step': float(found['state/0/step']), 'average': torch.cat(means)}


def _apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm() / other.norm())
