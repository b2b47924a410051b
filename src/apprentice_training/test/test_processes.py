# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Two processes train as one does at the same global batch."""

from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys

import pytest
from training_cases import flags
from training_cases import metrics
from training_cases import PROBE
from training_cases import train

torch = pytest.importorskip('torch')
STEPS = (*PROBE, '--steps=12', '--save_freq=6', '--dataset.eval_split=0.3', '--eval_steps=6')


def test_two_processes(data: Path, probe: dict[str, str], tmp_path: Path) -> None:
    """Losses, weights and validation are one process's; it resumes with as many."""
    pytest.importorskip('accelerate')
    two, one = tmp_path / 'two', tmp_path / 'one'
    # This flag is what lets accelerate start several processes on a machine without GPUs.
    launch = [sys.executable, '-m', 'accelerate.commands.launch', '--multi_gpu',
              '--num_processes=2', '--main_process_port=0', '-m', 'apprentice_training.train']
    subprocess.run([*launch, *flags(data, two, *STEPS, '--batch_size=2')], env=probe, check=True,
                   capture_output=True)
    assert train(data, one, *STEPS) == 0
    assert metrics(two) == pytest.approx(metrics(one), rel=1e-5)
    assert metrics(two, 'grad_norm') == pytest.approx(metrics(one, 'grad_norm'), rel=1e-5)
    assert metrics(two, 'eval_loss') == pytest.approx(metrics(one, 'eval_loss'), rel=1e-5)
    state = two / 'checkpoints' / '000012' / 'training_state'
    step = json.loads((state / 'training_step.json').read_text())
    assert step == {'step': 12, 'num_processes': 2, 'batch_size': 2, 'samples': 48}
    assert (state / 'rng_state_1.safetensors').exists()
    # One process goes on where two stopped, at the same samples.
    from apprentice_training.train import main
    for run, size in ((two, 4), (one, 4)):
        assert main(['--resume=true', f'--output_dir={run}', '--steps=15',
                     f'--batch_size={size}']) == 0
    assert metrics(two) == pytest.approx(metrics(one), rel=1e-4)


def test_accumulation(data: Path, probe: dict[str, str], tmp_path: Path) -> None:
    """Two batches of half the size a step are one batch."""
    assert train(data, tmp_path / 'one', *PROBE, '--steps=8') == 0
    assert train(data, tmp_path / 'halves', *PROBE, '--steps=8', '--batch_size=2',
                 '--gradient_accumulation_steps=2') == 0
    assert metrics(tmp_path / 'halves') == pytest.approx(metrics(tmp_path / 'one'), rel=1e-5)
