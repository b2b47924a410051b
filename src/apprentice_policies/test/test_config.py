# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read configurations strictly, and write them as LeRobot does."""

from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys
from typing import Any

from apprentice_policies.config import own_fields
from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import FeatureType
from apprentice_policies.features import from_dataset
from apprentice_policies.features import PolicyFeature
import pytest
from tiny import config
from tiny import FRONT
from tiny import VALUES

pytest_plugins = ['tiny_fixtures']


def test_a_round_trip_changes_nothing(tmp_path: Path) -> None:
    """Enums stand as their values, tuples as lists; a missing field has its default."""
    made = config(scale=2, tags=['so100'])
    assert (made.type, made.scale, made.n_obs_steps, made.private) == ('tiny', 2.0, 1, None)
    (tmp_path / 'config.json').write_text(made.to_json())
    assert PolicyConfig.load(tmp_path) == PolicyConfig.load(tmp_path / 'config.json') == made
    values = json.loads(made.to_json())
    assert values['normalization_mapping'] == {
        'VISUAL': 'MEAN_STD', 'STATE': 'MEAN_STD', 'ACTION': 'MIN_MAX'}
    assert values['input_features'] == VALUES['input_features']
    assert own_fields(made) == ['chunk_size', 'n_action_steps', 'scale', 'normalization_mapping',
                                'pretrained_backbone_weights']


def test_views_of_the_features() -> None:
    """Cameras keep the file's order; the environment's state is known by its type."""
    inputs = {'observation.images.b': {'type': 'VISUAL', 'shape': [3, 8, 8]},
              'observation.extra': {'type': 'STATE', 'shape': [1]},
              'observation.world': {'type': 'ENV', 'shape': [2]},
              'observation.images.a': {'type': 'VISUAL', 'shape': [3, 8, 8]}}
    made = config(input_features=inputs)
    assert list(made.images) == ['observation.images.b', 'observation.images.a']
    assert made.robot_state is None
    assert made.environment_state == PolicyFeature(FeatureType.ENV, (2,))
    assert made.environment_key == 'observation.world'
    assert made.action == PolicyFeature(FeatureType.ACTION, (2,))
    assert config().robot_state == PolicyFeature(FeatureType.STATE, (3,))
    assert config(input_features=None).images == {} and made.history == 0


@pytest.mark.parametrize('change, said', [
    ({'type': 'pi9'}, "type: found 'pi9', expected one of .*tiny"),
    ({'type': None}, 'type: found None, expected one of'),
    ({'chunk_sice': 4}, 'chunk_sice'),
    ({'chunk_size': 8.0}, 'chunk_size'),
    ({'chunk_size': 'four'}, 'chunk_size'),
    ({'use_amp': 3}, 'use_amp'),
    ({'n_action_steps': 9}, r'n_action_steps: found 9, expected 1 to chunk_size \(4\)'),
    ({'normalization_mapping': {'STATE': 'mean_std'}}, 'normalization_mapping'),
    ({'input_features': {FRONT: {'type': 'Visual', 'shape': [3]}}}, 'input_features'),
    ({'input_features': {FRONT: {'type': 'VISUAL', 'shape': [3], 'names': []}}}, 'names'),
    ({'input_features': {FRONT: {'type': 'VISUAL', 'shape': [3.5, 2, 2]}}}, 'shape')])
def test_reading_is_strict(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    """At any level: unknown fields, wrong types, values that contradict each other."""
    path = tmp_path / 'config.json'
    path.write_text(json.dumps({**VALUES, **change}))
    with pytest.raises(PolicyError, match=said) as caught:
        PolicyConfig.load(path)
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize('text, said', [
    ('{"type": ', 'not JSON'), ('[]', 'found list, expected a JSON object'),
    (None, 'No such file')])
def test_files_that_are_no_configuration(text: str | None, said: str, tmp_path: Path) -> None:
    """The error names the file."""
    path = tmp_path / 'config.json'
    if text is not None:
        path.write_text(text)
    with pytest.raises(PolicyError, match=said) as caught:
        PolicyConfig.load(path)
    assert str(path) in str(caught.value)


def test_features_of_a_dataset() -> None:
    """Pictures are turned channel first; what is neither observation nor action is left out."""
    names = ['height', 'width', 'channels']
    found = from_dataset({
        FRONT: {'dtype': 'video', 'shape': [48, 64, 3], 'names': names},
        'observation.images.b': {'dtype': 'image', 'shape': [3, 4, 5], 'names': None},
        'observation.state': {'dtype': 'float32', 'shape': [6]},
        'observation.environment_state': {'dtype': 'float32', 'shape': [7]},
        'action': {'dtype': 'float32', 'shape': [6]},
        'next.reward': {'dtype': 'float32', 'shape': [1]},
        'timestamp': {'dtype': 'float32', 'shape': [1]}})
    assert {key: (feature.type.value, feature.shape) for key, feature in found.items()} == {
        FRONT: ('VISUAL', (3, 48, 64)), 'observation.images.b': ('VISUAL', (3, 4, 5)),
        'observation.state': ('STATE', (6,)), 'observation.environment_state': ('ENV', (7,)),
        'action': ('ACTION', (6,))}


def test_configurations_import_no_torch() -> None:
    """A command line lists the fields of every installed policy without waiting for torch."""
    script = ('import sys; from apprentice_policies.config import PolicyConfig; '
              'from apprentice_policies.registry import load_entry_points; load_entry_points(); '
              'import apprentice_policies.optimization; '
              'assert not {"torch", "pyarrow", "transformers"} & set(sys.modules)')
    subprocess.run([sys.executable, '-c', script], check=True)
