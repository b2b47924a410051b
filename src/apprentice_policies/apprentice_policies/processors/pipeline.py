# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A pipeline of steps and its files: one JSON, and a state file a step that has tensors."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import json
from pathlib import Path
from pathlib import PurePosixPath
import re
import shutil
from typing import Any
from typing import Self

from apprentice_policies.errors import PolicyError
from apprentice_policies.features import ACTION
from apprentice_policies.processors.normalize import Normalize
from apprentice_policies.processors.normalize import Unnormalize
from apprentice_policies.processors.prompts import Pi05Prompt
from apprentice_policies.processors.prompts import Pi0FastPrompt
from apprentice_policies.processors.relative import AbsoluteActions
from apprentice_policies.processors.relative import RelativeActions
from apprentice_policies.processors.step import Batch
from apprentice_policies.processors.step import Step
from apprentice_policies.processors.steps import Device
from apprentice_policies.processors.steps import Identity
from apprentice_policies.processors.steps import NewLine
from apprentice_policies.processors.steps import Pi0NewLine
from apprentice_policies.processors.steps import Rename
from apprentice_policies.processors.steps import ToBatch
from apprentice_policies.processors.tokenize import Tokenize
from apprentice_policies.tensor_files import read_tensors
from apprentice_policies.tensor_files import write_tensors
from torch import Tensor

PREPROCESSOR, POSTPROCESSOR = 'policy_preprocessor', 'policy_postprocessor'
STEPS: dict[str, type[Step]] = {kind.NAME: kind for kind in (
    Rename, ToBatch, Device, Normalize, Unnormalize, Tokenize, RelativeActions, AbsoluteActions,
    NewLine, Pi0NewLine, Pi05Prompt, Pi0FastPrompt, Identity)}
"""Every step that a file can name."""
Overrides = Mapping[str, Mapping[str, Any]]
"""By registry name: fields that replace those of the file."""


class Pipeline:
    """Steps in order; called with a batch, or with the action alone by `act`."""

    def __init__(self, name: str, steps: Sequence[Step]) -> None:
        """Take the name, which begins the names of the files, and the steps."""
        self.name = name
        self.steps = list(steps)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch after every step; keys that no step knows stay."""
        for step in self.steps:
            batch = step(batch)
        return batch

    def action(self, action: Tensor) -> Tensor:
        """Return an action or a chunk after every step: what a postprocessor is for."""
        return self({ACTION: action})[ACTION]

    def prepare(self) -> None:
        """Let every step load what it needs; PolicyError where it is not here."""
        for step in self.steps:
            step.prepare()

    def save(self, folder: str | Path) -> None:
        """Write the files of this pipeline into a folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        entries = []
        for index, step in enumerate(self.steps):
            key = 'class' if isinstance(step, Identity) else 'registry_name'
            entry: dict[str, Any] = {key: step.NAME, 'config': step.config()}
            if state := step.state():
                entry['state_file'] = state_file(self.name, index, step)
                write_tensors(folder / entry['state_file'], state)
            if step.artifacts:
                entry['artifacts'] = _copied(step.artifacts, folder)
            entries.append(entry)
        text = json.dumps({'name': self.name, 'steps': entries}, indent=2)
        (folder / f'{self.name}.json').write_text(text, encoding='utf-8')

    @classmethod
    def load(cls, folder: str | Path, name: str, overrides: Overrides | None = None) -> Self:
        """
        Read `NAME.json` and its state files.

        :raises PolicyError: a file is missing or broken, a step unknown, or an override matches
            no step.
        """
        folder = Path(folder)
        path = folder / f'{name}.json'
        found = entries(path)
        overrides = dict(overrides or {})
        unused = overrides.keys() - {_name(path, entry) for entry in found}
        if unused:
            raise PolicyError(f'{path}: found no step {", ".join(sorted(unused))}, expected one '
                              'to override; the file has '
                              f'{", ".join(_name(path, entry) for entry in found)}')
        return cls(name, [_step(path, entry, overrides) for entry in found])


def connect(pre: Pipeline, post: Pipeline) -> None:
    """Let steps that make actions absolute know the one that made them relative."""
    first = next((step for step in pre.steps if isinstance(step, RelativeActions)), None)
    for step in post.steps:
        if isinstance(step, AbsoluteActions):
            step.partner = first


def state_file(name: str, index: int, step: Step) -> str:
    """Return the name of a step's state file."""
    return f'{re.sub(r"[^a-z0-9_]", "_", name.lower())}_step_{index}_{step.NAME}.safetensors'


def entries(path: Path) -> list[dict[str, Any]]:
    """Return the steps of a pipeline's file as they stand there."""
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise PolicyError(
            f'{path}: found no such file, expected the pipeline that belongs to the policy; a '
            'checkpoint from before there were pipelines is brought up to date by `ros2 run '
            'apprentice_policies migrate IN OUT`') from None
    except OSError as error:
        raise PolicyError(f'{path}: {error.strerror}') from None
    except ValueError as error:
        raise PolicyError(f'{path}: not JSON: {error}') from None
    steps = values.get('steps') if isinstance(values, dict) else None
    if not isinstance(steps, list) or not all(isinstance(entry, dict) for entry in steps):
        raise PolicyError(f'{path}: steps: found {steps!r}, expected a list of objects')
    return steps


def _name(path: Path, entry: Mapping[str, Any]) -> str:
    name = entry.get('registry_name', entry.get('class'))
    if name not in STEPS or ('class' in entry) != (name == Identity.NAME):
        raise PolicyError(f'{path}: found step {name!r}, expected one of {", ".join(STEPS)}')
    return str(name)


def _step(path: Path, entry: Mapping[str, Any], overrides: Overrides) -> Step:
    name = _name(path, entry)
    unknown = entry.keys() - {'registry_name', 'class', 'config', 'state_file', 'artifacts'}
    config = entry.get('config') or {}
    if unknown or not isinstance(config, dict):
        raise PolicyError(f'{path}: {name}: found {sorted(unknown) or config!r}, expected '
                          'registry_name, config and, if it has them, state_file and artifacts')
    step = STEPS[name].from_config(config, str(path), overrides.get(name, {}))
    step.artifacts = {key: _inside(path, value)
                      for key, value in (entry.get('artifacts') or {}).items()}
    if step.artifacts.keys() - set(step.ARTIFACTS):
        raise PolicyError(f'{path}: {name}: artifacts: found {", ".join(step.artifacts)}, '
                          f'expected {" or ".join(step.ARTIFACTS) or "none"}')
    if 'state_file' in entry:
        state = _inside(path, entry['state_file'])
        step.load_state(read_tensors(state), str(state))
    return step


def _inside(path: Path, name: Any) -> Path:
    """Return the place of a file or folder of the checkpoint, which it must not leave."""
    pure = PurePosixPath(name) if isinstance(name, str) and name else None
    if pure is None or pure.is_absolute() or '..' in pure.parts or not (
            path.parent / pure).exists():
        raise PolicyError(f'{path}: found {name!r}, expected a file or folder beside it; copy the '
                          'checkpoint again, with all its files')
    return path.parent / pure


def _copied(artifacts: Mapping[str, Path], folder: Path) -> dict[str, str]:
    for source in artifacts.values():
        if not (folder / source.name).exists():
            shutil.copytree(source, folder / source.name)
    return {key: source.name for key, source in artifacts.items()}
