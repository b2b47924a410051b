# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Everything that a training cannot do is told in one message that says what would do."""

from __future__ import annotations

import json
from pathlib import Path
import shutil

from apprentice_dataset.features import Feature
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from training_cases import ACT
from training_cases import make
from training_cases import metrics
from training_cases import PROBE
from training_cases import train

torch = pytest.importorskip('torch')


def told(capsys: pytest.CaptureFixture[str], *parts: str) -> str:
    """Return the message, which has these parts and no traceback."""
    message = capsys.readouterr().err
    assert message.startswith('train: ') and 'Traceback' not in message
    missing = [part for part in parts if part not in message]
    assert not missing, f'{missing} in {message}'
    return message


def test_no_statistics(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dataset without statistics is refused, every feature named."""
    bare = shutil.copytree(data, tmp_path / 'bare')
    (bare / 'meta' / 'stats.json').unlink()
    assert train(bare, tmp_path / 'run', *ACT, '--steps=1') == 1
    told(capsys, 'observation.state', 'MEAN_STD', 'mean, std', 'recompute-stats')


def test_other_features(data: Path, seen: Path, tmp_path: Path,
                        capsys: pytest.CaptureFixture[str]) -> None:
    """A policy that wants others is told so in one table, and how to rename."""
    assert train(data, tmp_path / 'first', *ACT, '--steps=1') == 0
    capsys.readouterr()
    names = {'observation.state': Feature('float32', (4,)),
             'observation.environment': Feature('float32', (2,)),
             'action': Feature('float32', (2,))}
    other = make(tmp_path / 'other', 9, features=names)
    policy = tmp_path / 'first' / 'checkpoints' / 'last' / 'pretrained_model'
    assert train(other, tmp_path / 'run', f'--policy.path={policy}', '--steps=1') == 1
    told(capsys, 'observation.environment_state', 'missing', 'another shape', '(3,)', '(4,)',
         'not used')


def test_mixed_rates(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Datasets of different rates are not mixed."""
    other = make(tmp_path / 'other', 9, fps=25)
    mix = f'--dataset.mix=[{{repo_id: test/fast, root: {other}}}]'
    assert train(data, tmp_path / 'run', *ACT, '--steps=1', mix) == 1
    told(capsys, 'fps', '10', '25', 'test/fast')


def test_nan_in_the_data(data: Path, tmp_path: Path,
                         capsys: pytest.CaptureFixture[str]) -> None:
    """Episode, frame and feature of a value that is no number are named."""
    broken = shutil.copytree(data, tmp_path / 'broken')
    path = sorted((broken / 'data').rglob('*.parquet'))[1]
    table = pq.read_table(path)
    values = table['observation.state'].to_pylist()
    values[2] = [0.0, float('nan'), 0.0]
    place = table.schema.get_field_index('observation.state')
    field = table.schema.field(place)
    pq.write_table(table.set_column(place, field, pa.array(values, field.type)), path)
    assert train(broken, tmp_path / 'run', *ACT, '--steps=1') == 1
    told(capsys, 'episode 1, frame 2, observation.state[1]: nan')


def test_output_folder_not_empty(data: Path, tmp_path: Path,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that is there already is touched."""
    (tmp_path / 'notes.txt').write_text('mine')
    assert train(data, tmp_path, *ACT, '--steps=1') == 1
    told(capsys, str(tmp_path), '--resume=true')
    assert [path.name for path in tmp_path.iterdir()] == ['notes.txt']


def test_loss_no_number(data: Path, probe: dict[str, str], tmp_path: Path,
                        capsys: pytest.CaptureFixture[str]) -> None:
    """It stops before the weights are changed; the batch and the last checkpoint are named."""
    run = tmp_path / 'run'
    assert train(data, run, *PROBE, '--policy.poison=6', '--steps=9', '--save_freq=2') == 1
    told(capsys, 'step 6: the loss is nan', 'test/data: episode', 'frame',
         str(run / 'checkpoints' / '000004'))
    assert sorted(path.name for path in (run / 'checkpoints').iterdir()) == \
        ['000002', '000004', 'last']
    assert len(metrics(run)) == 5


def test_out_of_memory(data: Path, probe: dict[str, str], tmp_path: Path,
                       capsys: pytest.CaptureFixture[str]) -> None:
    """The batch size is named, and what to lower."""
    assert train(data, tmp_path / 'run', *PROBE, f'--policy.hoard={1 << 50}', '--steps=1') == 1
    told(capsys, 'out of memory', '--batch_size=4', '--batch_size=2',
         '--gradient_accumulation_steps=2')


def test_too_little_memory(data: Path, tmp_path: Path,
                           capsys: pytest.CaptureFixture[str]) -> None:
    """Batches that cannot be held are refused before the first step."""
    assert train(data, tmp_path / 'run', *ACT, '--steps=1', f'--batch_size={1 << 40}') == 1
    told(capsys, 'too little memory', '--batch_size')


def test_too_little_disk(data: Path, tmp_path: Path,
                         capsys: pytest.CaptureFixture[str]) -> None:
    """Checkpoints that the disk cannot hold are refused before the first step."""
    assert train(data, tmp_path / 'run', *ACT, f'--steps={1 << 50}', '--save_freq=1') == 1
    told(capsys, 'too little disk space', '--keep_checkpoints')


@pytest.mark.parametrize(('flag', 'parts'), [
    ('--batch_size=0', ['--batch_size', 'from 1']),
    ('--steps=many', ['steps', 'many']),
    ('--eval_steps=5', ['eval_steps', 'eval_split']),
    ('--optimizer.lr=1', ['use_policy_training_preset']),
    ('--policy.chunk_size=0', ['chunk_size']),
    ('--dataset.episodes=[7]', ['episodes 7', '0 to 2']),
    ('--policy.path=nowhere', ['--policy.path', 'config.json']),
    ('--resume=true', ['train_config.json']),
    ('--peft={method_type: LORA}', ['peft', 'not supported']),
    ('--dataset.image_transforms.tfs={a: {type: Flip}}', ['Flip', 'ColorJitter']),
])
def test_flags(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str,
               parts: list[str]) -> None:
    """A flag that cannot be is named with what could."""
    more = ['--dataset.image_transforms.enable=true'] if 'tfs' in flag else []
    assert train(data, tmp_path / 'run', *ACT, '--steps=1', flag, *more) == 1
    told(capsys, *parts)


def test_unknown_policy(data: Path, tmp_path: Path,
                        capsys: pytest.CaptureFixture[str]) -> None:
    """The known ones are listed."""
    assert train(data, tmp_path / 'run', '--steps=1') == 1
    told(capsys, '--policy.type', 'act')


def test_truncated_state(data: Path, tmp_path: Path,
                         capsys: pytest.CaptureFixture[str]) -> None:
    """A checkpoint with a broken state says which file it is."""
    run = tmp_path / 'run'
    assert train(data, run, *ACT, '--steps=2') == 0
    capsys.readouterr()
    path = run / 'checkpoints' / '000002' / 'training_state' / 'optimizer_param_groups.json'
    groups = json.loads(path.read_text())
    path.write_text(path.read_text()[:40])
    from apprentice_training.train import main
    assert main(['--resume=true', f'--output_dir={run}', '--steps=3']) == 1
    told(capsys, 'optimizer_param_groups.json')
    path.write_text(json.dumps(groups[:1]))
    assert main(['--resume=true', f'--output_dir={run}', '--steps=3']) == 1
    told(capsys, 'optimizer_param_groups.json', 'parameters')
