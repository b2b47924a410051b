# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn raw batches into what a policy takes and back, by files as LeRobot writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apprentice_policies.errors import PolicyError
from apprentice_policies.processors import make_processors
from apprentice_policies.processors import Pipeline
from apprentice_policies.processors import POSTPROCESSOR
from apprentice_policies.processors import PREPROCESSOR
from apprentice_policies.processors.normalize import Normalize
from apprentice_policies.processors.normalize import Unnormalize
from apprentice_policies.processors.pipeline import connect
from apprentice_policies.processors.pipeline import STEPS
from apprentice_policies.processors.prompts import Pi05Prompt
from apprentice_policies.processors.prompts import Pi0FastPrompt
from apprentice_policies.processors.relative import AbsoluteActions
from apprentice_policies.processors.relative import RelativeActions
from apprentice_policies.processors.steps import Device
from apprentice_policies.processors.steps import Identity
from apprentice_policies.processors.steps import NewLine
from apprentice_policies.processors.steps import Pi0NewLine
from apprentice_policies.processors.steps import Rename
from apprentice_policies.processors.steps import ToBatch
from apprentice_policies.processors.tokenize import MASK
from apprentice_policies.processors.tokenize import Tokenize
from apprentice_policies.processors.tokenize import TOKENS
import numpy as np
import pytest
from safetensors.torch import load_file
from tiny import config
from tiny import FRONT
from tiny import STATS
import torch

pytest_plugins = ['tiny_fixtures']
ACTION = {'action': {'type': 'ACTION', 'shape': [2]}}
ONE = {'action': {'min': [-10.0, 5.0], 'max': [10.0, 5.0], 'mean': [1.0, 2.0], 'std': [4.0, 0.0],
                  'q01': [-8.0, 0.0], 'q99': [8.0, 1.0], 'q10': [-4.0, 0.0], 'q90': [4.0, 2.0]}}


def same(found: Any, *expected: float) -> None:
    """Compare a tensor with numbers."""
    torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('mode, value, expected', [
    ('MEAN_STD', [5.0, 2.0], [1.0, 0.0]),
    ('MEAN_STD', [1.0, 3.0], [0.0, 1e8]),
    ('MIN_MAX', [5.0, 5.0], [0.5, -1.0]),
    ('MIN_MAX', [20.0, 6.0], [2.0, 2e8]),
    ('QUANTILES', [4.0, 0.5], [0.5, 0.0]),
    ('QUANTILE10', [4.0, 0.5], [1.0, -0.5]),
    ('IDENTITY', [4.0, 0.5], [4.0, 0.5])])
def test_normalisation(mode: str, value: list[float], expected: list[float]) -> None:
    """The five formulas, a dimension that never changes among them; the way back."""
    both = {'features': ACTION, 'norm_map': {'ACTION': mode}, 'stats': ONE}
    raw = torch.tensor([[value, value]])
    scaled = Normalize(**both)({'action': raw})['action']
    assert scaled.shape == raw.shape
    same(scaled[0, 1], *expected)
    back = Unnormalize(**both)({'action': scaled})['action']
    # A standard deviation of 0 cannot be undone: the mean comes back.
    expected_back = raw if (mode, value[1]) != ('MEAN_STD', 3.0) else torch.tensor(
        [[[1.0, 2.0], [1.0, 2.0]]])
    torch.testing.assert_close(back, expected_back, rtol=1e-6, atol=1e-6)


def test_a_picture_is_scaled_by_channel() -> None:
    """Statistics (3,) and (3, 1, 1) mean the same; other keys and types without mode stay."""
    features = {FRONT: {'type': 'VISUAL', 'shape': [3, 2, 2]},
                'observation.environment_state': {'type': 'ENV', 'shape': [1]}}
    batch = {FRONT: torch.full((1, 5, 3, 2, 2), 0.75), 'next.reward': torch.ones(1),
             'observation.environment_state': torch.ones(1, 1)}
    for shape in ((3,), (3, 1, 1)):
        stats = {FRONT: {'mean': np.full(shape, 0.5), 'std': np.full(shape, 0.25)},
                 'observation.environment_state': {'mean': [9.0], 'std': [9.0]}}
        out = Normalize(features=features, norm_map={'VISUAL': 'MEAN_STD'}, stats=stats)(batch)
        torch.testing.assert_close(out[FRONT], torch.ones(1, 5, 3, 2, 2))
        assert out['next.reward'] is batch['next.reward']
        assert out['observation.environment_state'] is batch['observation.environment_state']


def test_half_precision_leaves_the_statistics_alone() -> None:
    """A bfloat16 batch is scaled in bfloat16; what is saved stays float32."""
    step = Normalize(features=ACTION, norm_map={'ACTION': 'MEAN_STD'}, stats=ONE)
    out = step({'action': torch.ones(1, 2, dtype=torch.bfloat16)})['action']
    assert out.dtype == torch.bfloat16
    assert {value.dtype for value in step.state().values()} == {torch.float32}


def test_statistics_that_a_mode_needs_must_be_there() -> None:
    """A feature without any passes; one without those of its mode is an error."""
    step = Normalize(features=ACTION, norm_map={'ACTION': 'QUANTILES'}, stats={})
    same(step({'action': torch.ones(2)})['action'], 1.0, 1.0)
    step = Normalize(features=ACTION, norm_map={'ACTION': 'QUANTILES'},
                     stats={'action': {'mean': [0.0, 0.0], 'std': [1.0, 1.0]}})
    with pytest.raises(PolicyError, match='action: found statistics mean, std, expected q01 and '):
        step({'action': torch.ones(2)})
    with pytest.raises(PolicyError, match=r'action: found shape \[7\], expected \[2\]'):
        Normalize(features=ACTION, norm_map={'ACTION': 'MEAN_STD'}, stats=ONE)(
            {'action': torch.ones(7)})


def test_the_files_are_lerobots(tmp_path: Path) -> None:
    """Names, order and contents of the JSON; all statistics as float32 in both state files."""
    pre, post = make_processors(config(device='cpu'), STATS)
    pre.save(tmp_path)
    post.save(tmp_path)
    states = ['policy_preprocessor_step_3_normalizer_processor.safetensors',
              'policy_postprocessor_step_0_unnormalizer_processor.safetensors']
    assert {path.name for path in tmp_path.iterdir()} == {
        'policy_preprocessor.json', 'policy_postprocessor.json', *states}
    action = {'type': 'ACTION', 'shape': [2]}
    norm_map = {'VISUAL': 'MEAN_STD', 'STATE': 'MEAN_STD', 'ACTION': 'MIN_MAX'}
    device = {'registry_name': 'device_processor',
              'config': {'device': 'cpu', 'float_dtype': None}}
    expected = {'name': 'policy_preprocessor', 'steps': [
        {'registry_name': 'rename_observations_processor', 'config': {'rename_map': {}}},
        {'registry_name': 'to_batch_processor', 'config': {}}, device,
        {'registry_name': 'normalizer_processor', 'config': {
            'eps': 1e-8, 'features': {FRONT: {'type': 'VISUAL', 'shape': [3, 4, 6]},
                                      'observation.state': {'type': 'STATE', 'shape': [3]},
                                      'action': action}, 'norm_map': norm_map},
         'state_file': states[0]}]}
    text = (tmp_path / 'policy_preprocessor.json').read_text()
    assert text == json.dumps(expected, indent=2)
    assert json.loads((tmp_path / 'policy_postprocessor.json').read_text()) == {
        'name': 'policy_postprocessor', 'steps': [
            {'registry_name': 'unnormalizer_processor', 'config': {
                'eps': 1e-8, 'features': {'action': action}, 'norm_map': norm_map},
             'state_file': states[1]}, device]}
    for state in states:
        found = load_file(tmp_path / state)
        assert set(found) == {f'{key}.{name}' for key, own in STATS.items() for name in own}
        assert {value.dtype for value in found.values()} == {torch.float32}
        same(found['observation.state.std'], 2.0, 4.0, 0.0)


def test_a_loaded_pipeline_does_the_same(tmp_path: Path) -> None:
    """Outputs and files of a pipeline are those of the one that was saved."""
    batch = {FRONT: torch.rand(2, 3, 4, 6), 'observation.state': torch.randn(2, 3),
             'action': torch.randn(2, 4, 2), 'action_is_pad': torch.zeros(2, 4, dtype=torch.bool),
             'task': ['a', 'b'], 'info': {}}
    for pipeline in make_processors(config(), STATS):
        pipeline.save(tmp_path / 'a')
        loaded = Pipeline.load(tmp_path / 'a', pipeline.name)
        loaded.save(tmp_path / 'b')
        before, after = pipeline(batch), loaded(batch)
        assert before.keys() == after.keys() == batch.keys() and after['task'] == ['a', 'b']
        for key in (FRONT, 'observation.state', 'action', 'action_is_pad'):
            assert torch.equal(before[key], after[key])
    assert not torch.equal(before['action'], batch['action'])
    for path in (tmp_path / 'a').iterdir():
        assert path.read_bytes() == (tmp_path / 'b' / path.name).read_bytes()


def test_overrides(tmp_path: Path) -> None:
    """They replace fields and statistics; one that meets no step is an error."""
    make_processors(config(), STATS)[0].save(tmp_path)
    loaded = Pipeline.load(tmp_path, PREPROCESSOR, {
        'rename_observations_processor': {'rename_map': {'observation.images.top': FRONT}},
        'normalizer_processor': {'stats': {'observation.state': {'mean': [0.0] * 3,
                                                                 'std': [1.0] * 3}}}})
    out = loaded({'observation.state': torch.ones(3),
                  'observation.images.top': torch.full((3, 4, 6), 0.5)})
    same(out['observation.state'][0], 1.0, 1.0, 1.0)
    assert out[FRONT].shape == (1, 3, 4, 6) and out[FRONT].mean() == 0.5
    with pytest.raises(PolicyError, match='found no step tokenizer_processor, expected one to'):
        Pipeline.load(tmp_path, PREPROCESSOR, {'tokenizer_processor': {}})


def test_the_batch_axis() -> None:
    """It is put before what lacks it, and only there."""
    batch = {'action': torch.ones(2), 'observation.state': torch.ones(1, 3), 'task': 'go',
             'observation.image': torch.ones(3, 4, 4), 'index': torch.tensor(5),
             'observation.environment_state': torch.ones(4), 'next.reward': 0.0}
    out = ToBatch()(batch)
    shapes = {key: list(value.shape) for key, value in out.items()
              if isinstance(value, torch.Tensor)}
    assert shapes == {'action': [1, 2], 'observation.state': [1, 3], 'index': [1],
                      'observation.image': [1, 3, 4, 4], 'observation.environment_state': [1, 4]}
    assert (out['task'], out['next.reward'], batch['task']) == (['go'], 0.0, 'go')


def test_short_steps() -> None:
    """Renaming takes padding along; floats are cast; tasks end in one line feed."""
    batch = {'observation.a': torch.ones(1), 'observation.a_is_pad': torch.zeros(1).bool(),
             'task': ['x', 'y\n']}
    renamed = Rename({'observation.a': 'observation.b'})(batch)
    assert sorted(renamed) == ['observation.b', 'observation.b_is_pad', 'task']
    moved = Device('cpu', 'float16')(batch)
    assert [moved[key].dtype for key in batch if key != 'task'] == [torch.float16, torch.bool]
    for step in (NewLine(), Pi0NewLine()):
        assert step(batch)['task'] == ['x\n', 'y\n']
        assert step({'action': None}) == {'action': None}
    assert Identity()(batch) is batch
    with pytest.raises(PolicyError, match="float_dtype: found 'int8'"):
        Device('cpu', 'int8')
    with pytest.raises(PolicyError, match="device: found 'toaster'"):
        Device('toaster')


def test_relative_actions(tmp_path: Path) -> None:
    """They come back absolute, also after loading; excluded joints are left alone."""
    names = ['Shoulder.pos', 'GRIPPER.pos']
    pre = Pipeline(PREPROCESSOR, [RelativeActions(True, ['gripper'], names)])
    post = Pipeline(POSTPROCESSOR, [AbsoluteActions(True)])
    for pipeline in (pre, post):
        pipeline.save(tmp_path)
    pre, post = (Pipeline.load(tmp_path, pipeline.name) for pipeline in (pre, post))
    state, chunk = torch.tensor([[5.0, 7.0]]), torch.tensor([[[6.0, 8.0], [9.0, 9.0]]])
    with pytest.raises(PolicyError, match='found no relative_actions_processor'):
        post.action(chunk)
    connect(pre, post)
    with pytest.raises(PolicyError, match='run the preprocessor first'):
        post.action(chunk)
    relative = pre({'observation.state': state, 'action': chunk})['action']
    same(relative[0, 0], 1.0, 8.0)
    same(relative[0, 1], 4.0, 9.0)
    assert torch.equal(post.action(relative), chunk)
    assert torch.equal(post.action(relative[:, 1]), chunk[:, 1])
    saved = json.loads((tmp_path / f'{PREPROCESSOR}.json').read_text())['steps'][0]
    assert saved == {'registry_name': 'relative_actions_processor', 'config': {
        'enabled': True, 'exclude_joints': ['gripper'], 'action_names': names}}


def test_prompts_hold_the_state() -> None:
    """By 256 bins, the newest state of a history; without a state it is an error."""
    state = torch.tensor([[-1.0, 0.0, 0.999], [-1.5, 1.0, 0.0079]])
    batch = {'task': [' pick_the\ncube ', 'go'], 'observation.state': state}
    assert Pi05Prompt()(batch)['task'] == [
        'Task: pick the cube, State: 0 128 255;\nAction: ',
        'Task: go, State: -1 255 129;\nAction: ']
    history = {**batch, 'observation.state': torch.stack([state + 9, state], 1)}
    assert Pi0FastPrompt()(history)['task'][1] == 'Task: go, State: -1 255 129;\n'
    with pytest.raises(PolicyError, match='observation.state: found none'):
        Pi05Prompt()({'task': ['go']})


def tokenizer(folder: Path) -> Path:
    """Write a tokenizer of words: begin, words, end."""
    tokenizers = pytest.importorskip('tokenizers')
    words = {word: number for number, word in enumerate(
        ['<pad>', '<s>', '</s>', '<unk>', 'pick', 'the', 'cube'])}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, '<unk>'))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single='<s> $A </s>', special_tokens=[('<s>', 1), ('</s>', 2)])
    folder.mkdir(parents=True)
    made.save(str(folder / 'tokenizer.json'))
    (folder / 'tokenizer_config.json').write_text(json.dumps({'pad_token': {'content': '<pad>'}}))
    return folder


def test_tokens(tmp_path: Path) -> None:
    """Padded to a length or to the longest, cut with the end kept, either side."""
    name = str(tokenizer(tmp_path / 'words'))
    batch = {'task': ['pick the cube', 'cube'], 'observation.state': torch.ones(2, 3)}
    out = Tokenize(max_length=6, tokenizer_name=name)(batch)
    assert out[TOKENS].tolist() == [[1, 4, 5, 6, 2, 0], [1, 6, 2, 0, 0, 0]]
    assert out[MASK].tolist() == [[True] * 5 + [False], [True] * 3 + [False] * 3]
    assert (out[TOKENS].dtype, out[MASK].dtype) == (torch.int64, torch.bool)
    out = Tokenize(4, padding='longest', padding_side='left', tokenizer_name=name)(batch)
    assert out[TOKENS].tolist() == [[1, 4, 5, 2], [0, 1, 6, 2]]
    with pytest.raises(PolicyError, match='task: found None, expected the task in words'):
        Tokenize(tokenizer_name=name)({'observation.state': torch.ones(1)})


def test_a_tokenizer_is_never_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes from a folder, the Hub's local cache or the checkpoint; else it is an error."""
    monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'hub'))
    step = Tokenize(max_length=5, tokenizer_name='some/clip')
    with pytest.raises(PolicyError, match='run .hf download some/clip. once'):
        step.prepare()
    repository = tmp_path / 'hub/models--some--clip'
    folder = tokenizer(repository / 'snapshots/abc')
    (repository / 'refs').mkdir()
    (repository / 'refs/main').write_text('abc')
    assert step({'task': 'pick'})[TOKENS].tolist() == [[1, 4, 2, 0, 0]]
    (folder / 'tokenizer.json').write_text('{}')
    with pytest.raises(PolicyError, match='tokenizer.json: not a tokenizer'):
        Tokenize(tokenizer_name='some/clip').prepare()


def test_a_tokenizer_inside_the_checkpoint(tmp_path: Path) -> None:
    """It is used instead of the name, and saved again with the pipeline."""
    folder = tmp_path / 'one'
    tokenizer(folder / 'tokenizer')
    step = {'registry_name': 'tokenizer_processor',
            'config': {'max_length': 4, 'tokenizer_name': 'some/clip'},
            'artifacts': {'tokenizer_name': 'tokenizer'}}
    path = folder / f'{PREPROCESSOR}.json'
    path.write_text(json.dumps({'name': PREPROCESSOR, 'steps': [step]}))
    Pipeline.load(folder, PREPROCESSOR).save(tmp_path / 'two')
    loaded = Pipeline.load(tmp_path / 'two', PREPROCESSOR)
    assert loaded({'task': 'pick'})[TOKENS].tolist() == [[1, 4, 2, 0]]
    step['artifacts'] = {'tokenizer_name': '../one/tokenizer'}
    path.write_text(json.dumps({'name': PREPROCESSOR, 'steps': [step]}))
    with pytest.raises(PolicyError, match='expected a file or folder beside it'):
        Pipeline.load(folder, PREPROCESSOR)


@pytest.mark.parametrize('change, said', [
    ({'registry_name': 'groot_action_unpack_unnormalize_v2'}, 'found step .groot.*expected one'),
    ({'class': 'os.system'}, "found step 'os.system', expected one of rename"),
    ({'registry_name': 'lerobot.processor.pipeline.IdentityProcessorStep'}, 'found step'),
    ({'registry_name': 'device_processor', 'config': {'devise': 'cpu'}},
     'device_processor: found devise, expected device or float_dtype'),
    ({'registry_name': 'device_processor', 'config': {'device': 3.5}}, 'device_processor: '),
    ({'registry_name': 'normalizer_processor', 'config': {'norm_map': {'STATE': 'mean'}}},
     "norm_map STATE: found 'mean', expected one of MIN_MAX"),
    ({'registry_name': 'normalizer_processor', 'config': {'features': {'a': {'type': 'STATE'}}}},
     'features a: found .* expected type and shape'),
    ({'registry_name': 'normalizer_processor', 'state_file': '/etc/hostname'},
     'expected a file or folder beside it'),
    ({'registry_name': 'normalizer_processor', 'state_file': 'gone.safetensors'},
     "found 'gone.safetensors', expected a file"),
    ({'registry_name': 'to_batch_processor', 'args': []}, r"found \['args'\], expected"),
    (None, 'steps: found .* expected a list of objects')])
def test_bad_files(change: Any, said: str, tmp_path: Path) -> None:
    """Each is one error that names file and step."""
    (tmp_path / f'{PREPROCESSOR}.json').write_text(json.dumps({'steps': [change]}))
    with pytest.raises(PolicyError, match=said) as caught:
        Pipeline.load(tmp_path, PREPROCESSOR)
    assert str(tmp_path / PREPROCESSOR) in str(caught.value)


def test_the_identity_step_is_known_by_lerobots_class(tmp_path: Path) -> None:
    """It is the only one that a class names, and is written so again."""
    assert Identity.NAME in STEPS
    Pipeline(POSTPROCESSOR, [Identity()]).save(tmp_path)
    entry = {'class': 'lerobot.processor.pipeline.IdentityProcessorStep', 'config': {}}
    assert json.loads((tmp_path / f'{POSTPROCESSOR}.json').read_text())['steps'] == [entry]
    assert isinstance(Pipeline.load(tmp_path, POSTPROCESSOR).steps[0], Identity)
