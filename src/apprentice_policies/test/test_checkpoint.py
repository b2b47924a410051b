# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Save checkpoints whole or not at all, and load only those that fit."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import resource
import signal
import subprocess
import sys

from apprentice_policies.checkpoint import build
from apprentice_policies.checkpoint import find_checkpoint
from apprentice_policies.checkpoint import load_pretrained
from apprentice_policies.checkpoint import load_weights
from apprentice_policies.checkpoint import save_pretrained
from apprentice_policies.checkpoint import weights
from apprentice_policies.errors import PolicyError
from apprentice_policies.processors import make_processors
from apprentice_policies.tensor_files import read_tensors
from apprentice_policies.tensor_files import write_tensors
import pytest
from safetensors import safe_open
from safetensors.torch import load_file
from safetensors.torch import save_file
from tiny import config
from tiny import policy
from tiny import STATS
import torch

pytest_plugins = ['tiny_fixtures']
FILES = {
    'config.json', 'model.safetensors', 'policy_preprocessor.json', 'policy_postprocessor.json',
    'policy_preprocessor_step_3_normalizer_processor.safetensors',
    'policy_postprocessor_step_0_unnormalizer_processor.safetensors'}


def test_what_is_saved_is_loaded(checkpoint: Path) -> None:
    """Configuration, every tensor under its own name, and outputs."""
    assert {path.name for path in checkpoint.iterdir()} == FILES
    made, (loaded, pre, post) = policy(), load_pretrained(checkpoint)
    assert not loaded.training and loaded.config.type == 'tiny'
    assert loaded.config.pretrained_backbone_weights == 'Somewhere.ELSE'
    assert set(load_file(checkpoint / 'model.safetensors')) == set(made.state_dict())
    for name, value in made.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    batch = pre({'observation.state': torch.tensor([1.0, 4.0, 3.0]),
                 'observation.images.front': torch.rand(3, 4, 6)})
    chunk = post.action(loaded.predict_chunk(batch))
    assert chunk.shape == (1, 4, 2) and torch.all(chunk[..., 1] == 5)


def test_the_configuration_is_written_in_order(checkpoint: Path) -> None:
    """The type comes first, then LeRobot's fields, then the policy's own."""
    values = json.loads((checkpoint / 'config.json').read_text())
    assert list(values) == [
        'type', 'n_obs_steps', 'input_features', 'output_features', 'device', 'use_amp',
        'use_peft', 'push_to_hub', 'repo_id', 'private', 'tags', 'license', 'pretrained_path',
        'pretrained_revision', 'chunk_size', 'n_action_steps', 'scale', 'normalization_mapping',
        'pretrained_backbone_weights']
    assert values['input_features']['observation.state'] == {'type': 'STATE', 'shape': [3]}


def test_a_checkpoint_is_found_from_above(checkpoint: Path, tmp_path: Path) -> None:
    """By itself, its folder, and the run whose last one it is."""
    run = tmp_path / 'run' / 'checkpoints'
    run.mkdir(parents=True)
    (run / 'last').symlink_to(checkpoint.parent)
    for path in (checkpoint, checkpoint.parent, run, run.parent):
        assert find_checkpoint(path).samefile(checkpoint)
    with pytest.raises(PolicyError, match='found no such folder, expected a checkpoint.*pull'):
        find_checkpoint('somebody/policy')


def test_saving_replaces_a_checkpoint(checkpoint: Path) -> None:
    """Nothing of the old one stays, and nothing lies beside."""
    (checkpoint / 'old.txt').write_text('old')
    made = policy(scale=2.0)
    save_pretrained(checkpoint, made, *make_processors(made.config, STATS), {'steps': 7})
    assert {path.name for path in checkpoint.iterdir()} == {*FILES, 'train_config.json'}
    assert [path.name for path in checkpoint.parent.iterdir()] == [checkpoint.name]
    assert load_pretrained(checkpoint)[0].config.scale == 2.0
    assert json.loads((checkpoint / 'train_config.json').read_text()) == {'steps': 7}


def test_a_full_disk_leaves_the_old_checkpoint(checkpoint: Path) -> None:
    """What was there is whole, nothing lies beside, and the error says so."""
    before = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
    made = policy()
    # A file that must not grow beyond some bytes fails as on a full disk.
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256, hard))
    try:
        with pytest.raises(PolicyError, match='what was there before is unchanged. Free space'):
            save_pretrained(checkpoint, made, *make_processors(made.config, STATS))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert {path.name: path.read_bytes() for path in checkpoint.iterdir()} == before
    assert [path.name for path in checkpoint.parent.iterdir()] == [checkpoint.name]


def test_tensors_that_do_not_fit_are_all_named(checkpoint: Path) -> None:
    """Missing, too much, another shape, another kind: one error."""
    tensors = load_file(checkpoint / 'model.safetensors')
    tensors['net.weight'] = tensors['net.weight'][:, :2].contiguous()
    tensors['steps'] = torch.zeros(())
    tensors['head.bias'] = tensors.pop('net.bias')
    save_file(tensors, checkpoint / 'model.safetensors')
    with pytest.raises(PolicyError) as caught:
        load_pretrained(checkpoint)
    text = str(caught.value)
    assert '4 tensor(s) do not fit policy tiny' in text and 'model.safetensors' in text
    for line in ('missing: net.bias [8] float32', 'not of this policy: head.bias [8] float32',
                 'another shape: net.weight found [8, 2] float32, expected [8, 6] float32',
                 'another shape: steps found [] float32, expected [] int64'):
        assert f'\n  {line}' in text


def test_a_failed_load_changes_nothing(checkpoint: Path) -> None:
    """A policy keeps its weights unless all of them come."""
    tensors = load_file(checkpoint / 'model.safetensors')
    del tensors['steps']
    save_file({name: value + 1 for name, value in tensors.items()},
              checkpoint / 'model.safetensors')
    made = policy()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    with pytest.raises(PolicyError, match='missing: steps'):
        load_weights(made, checkpoint / 'model.safetensors')
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _empty(path: Path) -> None:
    path.write_bytes(b'')


def _garble(path: Path) -> None:
    path.write_bytes(b'\xff' * 100)


def _remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize('harm, said', [
    (_cut, 'no whole safetensors file.*copy it again'), (_empty, 'found 0 bytes'),
    (_garble, 'found 100 bytes'), (_remove, 'found no such file')])
@pytest.mark.parametrize('name', sorted(FILES - {'config.json', 'policy_preprocessor.json',
                                                 'policy_postprocessor.json'}))
def test_broken_tensor_files(harm: Callable[[Path], None], said: str, name: str,
                             checkpoint: Path) -> None:
    """Whatever file it is, the error names it and says what to do."""
    harm(checkpoint / name)
    with pytest.raises(PolicyError, match=said if 'step' not in name or harm is not _remove
                       else 'expected a file or folder beside it') as caught:
        load_pretrained(checkpoint)
    assert name in str(caught.value)


@pytest.mark.parametrize('name', ['pytorch_model.bin', 'model.pt', 'model.safetensors'])
def test_pickles_are_refused(name: str, checkpoint: Path, tmp_path: Path) -> None:
    """Also under a better name; the program inside does not run, the cure is told and works."""
    harm = tmp_path / 'harmed'

    class Harm:
        def __reduce__(self) -> object:
            return Path.touch, (harm,)

    (checkpoint / 'model.safetensors').unlink()
    torch.save({'net.weight': Harm()}, checkpoint / name)
    with pytest.raises(PolicyError, match=f'{name}: found a pickle.*convert it'):
        load_pretrained(checkpoint)
    with pytest.raises(PolicyError, match='found a pickle'):
        find_checkpoint(checkpoint / name) if name.endswith('bin') else read_tensors(
            checkpoint / name)
    assert not harm.exists()


def test_a_header_whose_length_begins_as_a_pickle_does_is_read(tmp_path: Path) -> None:
    """A length that ends in the byte 0x80 makes no pickle of a file."""
    path = tmp_path / 'model.safetensors'
    for names in range(1, 64):
        save_file({f'{number:03}': torch.ones(1) for number in range(names)}, path,
                  {'padding': 'x' * names})
        if path.read_bytes()[0] == 0x80:
            break
    assert path.read_bytes()[0] == 0x80
    assert len(read_tensors(path)) == names


def test_the_cure_for_pickles_works(checkpoint: Path) -> None:
    """The command that the error gives writes weights that load."""
    (checkpoint / 'model.safetensors').unlink()
    torch.save(policy().state_dict(), checkpoint / 'model.pt')
    with pytest.raises(PolicyError) as caught:
        load_pretrained(checkpoint)
    command = str(caught.value).split('python3 -c "')[1].rstrip('"')
    subprocess.run([sys.executable, '-c', command], cwd=checkpoint, check=True)
    load_pretrained(checkpoint)


def test_other_kinds_of_checkpoints_are_named(checkpoint: Path) -> None:
    """Adapters and weights in several files are not loaded in part."""
    (checkpoint / 'model.safetensors').rename(checkpoint / 'adapter_model.safetensors')
    with pytest.raises(PolicyError, match='found an adapter to other weights'):
        load_pretrained(checkpoint)


def test_shared_tensors_are_stored_once(tmp_path: Path) -> None:
    """The first name holds them, the others stand in the metadata, and all come back."""
    one = torch.arange(6.0).reshape(2, 3)
    write_tensors(tmp_path / 'a.safetensors', {'b': one, 'a': one, 'c': one.T, 'd': one[:0],
                                               'e': one[:0]})
    with safe_open(tmp_path / 'a.safetensors', 'pt') as file:
        assert set(file.keys()) == {'a', 'c', 'd', 'e'}
        assert file.metadata() == {'format': 'pt', 'b': 'a'}
    found = read_tensors(tmp_path / 'a.safetensors')
    assert torch.equal(found['b'], one) and torch.equal(found['c'], one.T)


def test_compiled_modules_keep_their_names(checkpoint: Path) -> None:
    """A module that torch wraps to compile it is saved and loaded under the plain names."""
    made = policy()
    # The names are torch.compile's, whose import takes seconds.
    made.net = torch.nn.ModuleDict({'_orig_mod': made.net})
    assert set(weights(made)) == set(policy().state_dict())
    load_weights(made, checkpoint / 'model.safetensors')
    tensors = {name.replace('net.', 'net._orig_mod.'): value
               for name, value in load_file(checkpoint / 'model.safetensors').items()}
    save_file(tensors, checkpoint / 'model.safetensors')
    load_pretrained(checkpoint)


def test_nothing_is_fetched_to_load(checkpoint: Path) -> None:
    """A backbone's origin is a name in the file, no more; other fields are as they were."""
    made = build(config(pretrained_backbone_weights='Somewhere.ELSE'))
    assert made.config.pretrained_backbone_weights == 'Somewhere.ELSE'


def test_missing_processors_name_the_cure(checkpoint: Path) -> None:
    """An old checkpoint has none."""
    (checkpoint / 'policy_postprocessor.json').unlink()
    with pytest.raises(PolicyError, match='ros2 run apprentice_policies migrate IN OUT'):
        load_pretrained(checkpoint)
