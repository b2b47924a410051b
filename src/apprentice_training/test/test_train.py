# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The command as a user has it: help, a whole run, what it leaves, going on with its policy."""

from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from training_cases import ACT
from training_cases import CAMERA
from training_cases import flags
from training_cases import make
from training_cases import metrics
from training_cases import PROBE
from training_cases import train

torch = pytest.importorskip('torch')


def test_help_is_quick() -> None:
    """It takes less than a second of a processor and imports nothing heavy."""
    text = ('import resource, runpy, sys\n'
            "sys.argv = ['train', '--help']\n"
            'try:\n'
            "    runpy.run_module('apprentice_training.train', run_name='__main__')\n"
            'except SystemExit:\n'
            '    used = resource.getrusage(resource.RUSAGE_SELF)\n'
            "    heavy = {'torch', 'numpy', 'av', 'gymnasium', 'tensorboard'} & set(sys.modules)\n"
            '    print(used.ru_utime + used.ru_stime, sorted(heavy), file=sys.stderr)\n')
    found = subprocess.run([sys.executable, '-c', text], capture_output=True, text=True,
                           check=True)
    seconds, heavy = found.stderr.split(maxsplit=1)
    assert float(seconds) < 1 and heavy.strip() == '[]'
    for flag in ('--policy.type', '--dataset.repo_id', '--ema.enable', '--env.type'):
        assert flag in found.stdout


def test_whole_run(seen: Path, tmp_path: Path) -> None:
    """The command trains on a camera, and its checkpoint acts on raw values."""
    run = tmp_path / 'run'
    options = (*ACT, '--steps=4', '--batch_size=2', '--dataset.image_transforms.enable=true',
               '--ema.enable=true', '--num_workers=1')
    found = subprocess.run(
        [sys.executable, '-m', 'apprentice_training.train', *flags(seen, run, *options)],
        capture_output=True, text=True, check=True)
    for part in ('loss', 'lr', 'samples/s', 'left', 'data', 'transfer', 'forward', 'backward'):
        assert part in found.stdout
    losses = metrics(run)
    assert len(losses) == 4 and np.isfinite(losses).all()
    assert {path.name for path in run.iterdir()} == {'checkpoints', 'metrics.jsonl',
                                                     'results.html', 'tensorboard'}
    assert list((run / 'tensorboard').iterdir())
    from apprentice_policies import load
    last = run / 'checkpoints' / 'last'
    observation = {CAMERA: np.zeros((48, 64, 3), np.uint8),
                   'observation.state': np.zeros(3, np.float32),
                   'observation.environment_state': np.zeros(2, np.float32)}
    for name in ('pretrained_model', 'pretrained_model_ema'):
        assert load(last / name, 'cpu').act(observation).shape == (2,)


def test_results_page(data: Path, tmp_path: Path) -> None:
    """The page needs nothing else, and its curves are drawings that a browser can read."""
    run = tmp_path / 'run'
    assert train(data, run, *ACT, '--steps=3', '--save_freq=0') == 0
    page = (run / 'results.html').read_text()
    assert 'http' not in page and '<script' not in page and 'src=' not in page
    drawings = [piece.split('</svg>')[0] for piece in page.split('<svg')[1:]]
    assert len(drawings) >= 4
    for drawing in drawings:
        lines = ElementTree.fromstring(f'<svg{drawing}</svg>').findall('polyline')
        assert lines and all(len(line.get('points').split()) == 3 for line in lines)


def test_train_config(data: Path, tmp_path: Path) -> None:
    """No fields but those of LeRobot are written unless set; the file starts a run."""
    run = tmp_path / 'run'
    assert train(data, run, *ACT, '--steps=1') == 0
    path = run / 'checkpoints' / '000001' / 'pretrained_model' / 'train_config.json'
    values = json.loads(path.read_text())
    golden = json.loads(Path(__file__).with_name('lerobot_train_config.json').read_text())
    assert list(values) == golden['fields']
    assert list(values['dataset']) == golden['dataset']
    assert values['optimizer']['type'] == 'adamw'
    from apprentice_training.train import main
    again = tmp_path / 'again'
    assert main([f'--config_path={path}', f'--output_dir={again}', '--keep_checkpoints=3']) == 0
    assert metrics(again) == metrics(run)
    path = again / 'checkpoints' / '000001' / 'pretrained_model' / 'train_config.json'
    assert json.loads(path.read_text())['keep_checkpoints'] == 3


def test_go_on_with_a_policy(data: Path, tmp_path: Path) -> None:
    """A trained policy begins where it ended, with the statistics of the new data."""
    first = tmp_path / 'first'
    assert train(data, first, *ACT, '--steps=2') == 0
    folder = first / 'checkpoints' / 'last' / 'pretrained_model'
    other = make(tmp_path / 'other', 30)
    assert train(other, tmp_path / 'second', f'--policy.path={folder}', '--steps=1',
                 '--policy.optimizer_lr=1e-12') == 0
    from safetensors.torch import load_file
    last = tmp_path / 'second' / 'checkpoints' / 'last' / 'pretrained_model'
    before, after = (load_file(one / 'model.safetensors') for one in (folder, last))
    assert all(torch.allclose(before[name], after[name], atol=1e-9) for name in before)
    name = 'policy_preprocessor_step_3_normalizer_processor.safetensors'
    stats = json.loads((other / 'meta' / 'stats.json').read_text())['observation.state']['mean']
    assert load_file(last / name)['observation.state.mean'].tolist() == pytest.approx(stats)
    assert json.loads((last / 'config.json').read_text())['pretrained_path'] == str(folder)


def test_renamed(data: Path, probe: dict[str, str], tmp_path: Path) -> None:
    """A dataset that calls a feature otherwise is trained on by --rename_map."""
    assert train(data, tmp_path / 'first', *PROBE, '--steps=1') == 0
    policy = tmp_path / 'first' / 'checkpoints' / 'last' / 'pretrained_model'
    from training_cases import ACTION
    from training_cases import STATE
    from training_cases import WORLD
    other = make(tmp_path / 'other', 9, features={
        'observation.joints': STATE, 'observation.environment_state': WORLD, 'action': ACTION})
    assert train(other, tmp_path / 'second', f'--policy.path={policy}', '--steps=2',
                 '--rename_map={"observation.joints": "observation.state"}') == 0
    from apprentice_policies import load
    loaded = load(tmp_path / 'second' / 'checkpoints' / 'last', 'cpu')
    assert loaded.act({'observation.joints': np.zeros(3, np.float32),
                       'observation.environment_state': np.zeros(2, np.float32)}).shape == (2,)


def test_mixture(data: Path, seen: Path, probe: dict[str, str], tmp_path: Path) -> None:
    """Datasets are mixed by weight, with common statistics, whatever else they have."""
    run = tmp_path / 'run'
    features = ('--policy.input_features={observation.state: {type: STATE, shape: [3]}}',)
    mix = f'--dataset.mix=[{{repo_id: test/seen, root: {seen}, weight: 3.0}}]'
    assert train(data, run, *PROBE, *features, mix, '--steps=4') == 0
    from safetensors.torch import load_file
    name = 'policy_preprocessor_step_3_normalizer_processor.safetensors'
    stats = load_file(run / 'checkpoints' / 'last' / 'pretrained_model' / name)
    counts = [json.loads((root / 'meta' / 'stats.json').read_text())['action']['count'][0]
              for root in (data, seen)]
    assert float(stats['action.count']) == sum(counts)


@pytest.mark.parametrize('flag', ['--policy.use_amp=true', '--policy.drop_n_last_frames=6'])
def test_options(data: Path, probe: dict[str, str], tmp_path: Path, flag: str) -> None:
    """Half precision and dropped frames go through a whole run."""
    assert train(data, tmp_path / 'run', *PROBE, '--steps=3', flag) == 0
    assert len(metrics(tmp_path / 'run')) == 3


def test_compiled(data: Path, probe: dict[str, str], tmp_path: Path,
                  monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled policy takes the same steps and saves the same names."""
    # Which backend makes the code does not matter here, and this one needs no compiler.
    before = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, 'compile',
                        lambda module: before(module, backend='eager'))
    assert train(data, tmp_path / 'compiled', *PROBE, '--steps=4', '--compile=true') == 0
    monkeypatch.undo()
    assert train(data, tmp_path / 'plain', *PROBE, '--steps=4') == 0
    assert metrics(tmp_path / 'compiled') == pytest.approx(metrics(tmp_path / 'plain'), rel=1e-5)


def test_another_package(data: Path, probe: dict[str, str], tmp_path: Path) -> None:
    """A policy of an installed package is trained by its name and loads again."""
    found = subprocess.run(
        [sys.executable, '-m', 'apprentice_training.train',
         *flags(data, tmp_path / 'run', *PROBE, '--policy.optimizer_lr=0.1', '--steps=60')],
        env=probe, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    losses = metrics(tmp_path / 'run')
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])
    from apprentice_policies import load
    loaded = load(tmp_path / 'run' / 'checkpoints' / 'last', 'cpu')
    assert loaded.act({'observation.state': np.zeros(3, np.float32),
                       'observation.environment_state': np.zeros(2, np.float32)}).shape == (2,)


def test_tried_in_an_environment(data: Path, probe: dict[str, str], tmp_path: Path) -> None:
    """Trials while training change nothing of it; they choose the best, results are kept."""
    pytest.importorskip('gymnasium')
    features = ('--policy.input_features={observation.state: {type: STATE, shape: [3]}}',
                '--policy.noise=0.1', '--steps=4', '--save_freq=2')
    assert train(data, tmp_path / 'plain', *PROBE, *features) == 0
    run = tmp_path / 'run'
    assert train(data, run, *PROBE, *features, '--env.type=probe', '--env_eval_freq=2',
                 '--eval.n_episodes=4', '--eval.use_async_envs=false') == 0
    assert metrics(run, 'success_rate') == [0.5, 0.5]
    assert metrics(run) == metrics(tmp_path / 'plain')
    found = json.loads((run / 'eval' / '000004' / 'eval_info.json').read_text())
    assert found['overall']['n_episodes'] == 4
    # Neither was better, so the first one stays.
    assert (run / 'checkpoints' / 'best').resolve().name == '000002'


def test_an_environment_that_fails_costs_no_steps(
        data: Path, probe: dict[str, str], tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    """The checkpoint is there before it is tried; what failed where is said in one line."""
    pytest.importorskip('gymnasium')
    run = tmp_path / 'run'
    assert train(data, run, *PROBE, '--steps=4', '--save_freq=4', '--env.type=probe',
                 '--policy.input_features={observation.state: {type: STATE, shape: [3]}}',
                 '--env.breaks=2', '--env_eval_freq=4', '--eval.n_episodes=2',
                 '--eval.use_async_envs=false') == 1
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and "KeyError: 'no such body'" in said
    assert 'environment.py, line ' in said
    assert (run / 'checkpoints' / 'last').resolve().name == '000004'
