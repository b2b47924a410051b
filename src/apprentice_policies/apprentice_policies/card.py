# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write the card of a checkpoint, README.md: what the Hub searches and what a reader asks."""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
import re
from typing import Any

from apprentice_policies.checkpoint import TRAIN_CONFIG_FILE
from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import PolicyFeature

README = 'README.md'
LICENSE = 'apache-2.0'
MADE = '<!-- Made from config.json and train_config.json; without this line it is left alone. -->'
_SETTINGS = ('steps', 'batch_size', 'seed', 'num_workers')


def render_card(folder: Path, config: PolicyConfig, repo_id: str, robot: str | None = None) -> str:
    """
    Return the text of a card.

    :param folder: the checkpoint, whose `train_config.json` tells of data and settings.
    :param robot: what the data were recorded with.
    """
    training = _training(folder / TRAIN_CONFIG_FILE)
    dataset = training.get('dataset') or {}
    source = dataset.get('repo_id') if isinstance(dataset, Mapping) else None
    sources = [one for one in (source if isinstance(source, list) else [source]) if one]
    licence = config.license or LICENSE
    tags = dict.fromkeys(['robotics', 'lerobot', config.type, *(config.tags or ())])
    front = {'license': licence, 'library_name': 'lerobot', 'pipeline_tag': 'robotics',
             'tags': list(tags), 'model_name': config.type, 'datasets': sources}
    # JSON is YAML.
    lines = [f'{key}: {json.dumps(value)}' for key, value in front.items() if value]
    body = [
        f'# {_inline(repo_id)}', '',
        f'A robot policy of type `{config.type}`'
        f'{": " + _inline(config.TITLE) if config.TITLE else ""}. It loads in '
        '[LeRobot](https://github.com/huggingface/lerobot) and in apprentice.', '',
        '| | |', '|---|---|',
        f'| licence | {_inline(licence)} |',
        f'| robot | {_inline(robot or "not named")} |',
        f'| cameras | {_inline(", ".join(config.images) or "none")} |', '',
        *_features('Inputs', config.input_features or {}),
        *_features('Outputs', config.output_features or {}),
        *_trained(training, sources), '## Use', '', '```bash',
        f'ros2 run apprentice_policies pull {repo_id} my_policy', '```', '',
        '```python', 'from apprentice_policies import load', '',
        "policy = load('my_policy')", 'action = policy.act(observation)', '```', '']
    return '\n'.join(['---', *lines, '---', MADE, '', *body])


def _training(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise PolicyError(f'{path}: {error}; expected the JSON that training wrote') from None
    return found if isinstance(found, Mapping) else {}


def _features(title: str, features: Mapping[str, PolicyFeature]) -> list[str]:
    rows = [f'| {_inline(key)} | {feature.type.value} | {list(feature.shape)} |'
            for key, feature in features.items()]
    return [f'## {title}', '', '| name | type | shape |', '|---|---|---|', *rows, '']


def _trained(training: Mapping[str, Any], sources: list[str]) -> list[str]:
    rows = [f'| {name} | {_inline(str(training[name]))} |' for name in _SETTINGS
            if training.get(name) is not None]
    if sources:
        rows.insert(0, f'| dataset | {_inline(", ".join(sources))} |')
    return ['## Training', '', '| | |', '|---|---|', *rows, ''] if rows else []


def _inline(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return re.sub(r'([\\`*_{}\[\]<>#|])', r'\\\1', ' '.join(text.split()))
