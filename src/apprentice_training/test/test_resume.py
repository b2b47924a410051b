# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A resumed run takes the very steps that it would have taken."""

from __future__ import annotations

import json
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import pytest
from training_cases import ACT
from training_cases import contents
from training_cases import flags
from training_cases import make
from training_cases import metrics
from training_cases import PROBE
from training_cases import train

torch = pytest.importorskip('torch')
STEPS = ('--steps=11', '--save_freq=4', '--dataset.eval_split=0.3', '--eval_steps=3')
NOISY = (*ACT, *STEPS, '--ema.enable=true')


@pytest.fixture(scope='module')
def straight(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of eleven steps that nothing stopped."""
    run = tmp_path_factory.mktemp('runs') / 'straight'
    assert train(data, run, *NOISY) == 0
    return run


def cut(straight: Path, run: Path, step: str) -> Path:
    """Copy a run as it was at a checkpoint."""
    shutil.copytree(straight, run, symlinks=True)
    for path in (run / 'checkpoints').iterdir():
        if path.name > step:
            path.unlink() if path.is_symlink() else shutil.rmtree(path)
    return run


def resume(run: Path, step: str, *more: str) -> int:
    """Go on from a checkpoint."""
    from apprentice_training.train import main
    config = run / 'checkpoints' / step / 'pretrained_model' / 'train_config.json'
    return main([f'--config_path={config}', '--resume=true', *more])


@pytest.mark.parametrize('step', ['000004', '000008'])
def test_exact(straight: Path, tmp_path: Path, step: str) -> None:
    """Weights, optimiser, means, random numbers and losses are equal, bit for bit."""
    run = cut(straight, tmp_path / 'run', step)
    assert resume(run, step) == 0
    expected = contents(straight / 'checkpoints' / '000011')
    assert contents(run / 'checkpoints' / '000011') == expected
    assert 'pretrained_model_ema/model.safetensors' in expected
    assert metrics(run) == metrics(straight)
    assert metrics(run, 'eval_loss') == metrics(straight, 'eval_loss')


def test_exact_with_other_workers(straight: Path, tmp_path: Path) -> None:
    """Two workers give the batches that none gave."""
    run = cut(straight, tmp_path / 'run', '000004')
    assert resume(run, '000004', '--num_workers=2',
                  '--dataloader_multiprocessing_context=fork') == 0
    assert contents(run / 'checkpoints' / '000011') == \
        contents(straight / 'checkpoints' / '000011')


def test_exact_after_sigkill(data: Path, probe: dict[str, str], tmp_path: Path) -> None:
    """A killed run goes on from its last checkpoint, whatever else lay there."""
    killed, straight = tmp_path / 'killed', tmp_path / 'straight'
    options = (*PROBE, '--policy.noise=0.1', '--steps=300', '--save_freq=20')
    child = subprocess.Popen(
        [sys.executable, '-m', 'apprentice_training.train', *flags(data, killed, *options)],
        env=probe, stdout=subprocess.DEVNULL)
    while not (killed / 'checkpoints' / '000040').is_dir() and child.poll() is None:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not (killed / 'checkpoints' / '000300').exists()
    from apprentice_training.train import main
    assert main(['--resume=true', f'--output_dir={killed}']) == 0
    assert train(data, straight, *options) == 0
    assert contents(killed / 'checkpoints' / '000300') == \
        contents(straight / 'checkpoints' / '000300')
    assert metrics(killed) == metrics(straight)
    assert not list((killed / 'checkpoints').glob('.*'))


def test_longer(straight: Path, tmp_path: Path) -> None:
    """A finished run can be given more steps."""
    run = cut(straight, tmp_path / 'run', '000011')
    assert resume(run, '000011', '--steps=12') == 0
    state = run / 'checkpoints' / 'last' / 'training_state' / 'training_step.json'
    assert json.loads(state.read_text())['step'] == 12
    assert metrics(run)[:11] == metrics(straight)


def test_other_data(straight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Data that is not what the run began with is named in a table."""
    run = cut(straight, tmp_path / 'run', '000004')
    other = make(tmp_path / 'other', 12, 20, 9, fps=20)
    assert resume(run, '000004', f'--dataset.root={other}') == 1
    told = capsys.readouterr().err
    assert 'fps' in told and '10' in told and '20' in told and 'frames' in told
