# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Turn the command line into a configuration: LeRobot's flags, read by draccus. Imports no torch.

Beside plain fields there are `--config_path=FILE` (a `train_config.json` that the other flags
change), `--policy.path=FOLDER` (a policy to go on from) and `--resume=true` (go on with a run).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
import json
from pathlib import Path
import tempfile
from typing import Any

from apprentice_policies.config import CONFIG_FILE
from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.registry import load_entry_points
from apprentice_training.config import read_train_config
from apprentice_training.config import TRAIN_CONFIG
from apprentice_training.config import TrainConfig
from apprentice_training.errors import TrainingError
import draccus

_OLD = {'--eval_freq': '--env_eval_freq'}
_FOLDER = 'pretrained_model'


@dataclass
class Start:
    """What to train, and the `pretrained_model` folder that weights come from, if any."""

    config: TrainConfig
    pretrained: Path | None = None


def parse(arguments: Sequence[str]) -> Start:
    """
    Return what the command line asks for.

    :raises TrainingError: a flag or a field of a file that cannot be.
    :raises SystemExit: help was asked for, or a flag is unknown.
    """
    load_entry_points()
    given = _Flags(arguments)
    config_path, policy_path = given.take('--config_path'), given.take('--policy.path')
    values: dict[str, Any] = {}
    pretrained = None
    if _true(given.get('--resume')):
        folder = _resumed(config_path, given.get('--output_dir'))
        values = read_train_config(folder / TRAIN_CONFIG)
        values['policy'] = PolicyConfig.load(folder).to_dict()
        values['checkpoint_path'] = str(folder.parent)
        values['output_dir'] = str(folder.parent.parent.parent)
        given.take('--output_dir')
        pretrained = folder
    elif config_path:
        values = read_train_config(_file(config_path))
        values.update(checkpoint_path=None, resume=False, output_dir=None)
    if policy_path:
        if pretrained:
            raise TrainingError('--policy.path: found it beside --resume=true, expected one of '
                                'them; a resumed run has its policy in its checkpoint')
        pretrained = _policy_folder(policy_path)
        values['policy'] = PolicyConfig.load(pretrained).to_dict()
        values['policy']['pretrained_path'] = policy_path
    if not (values.get('policy') or given.any('--policy.type') or given.asks_help):
        raise TrainingError('--policy.type: found none, expected one of '
                            f'{", ".join(sorted(PolicyConfig.get_known_choices()))}, or a policy '
                            'to go on from by --policy.path')
    start = Start(_decoded(values, given.rest), pretrained)
    _complete(start.config, given)
    return start


class _Flags:
    """The arguments, each as one `--name=value` or alone."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.rest: list[str] = []
        waiting = list(arguments)
        while waiting:
            one = waiting.pop(0)
            name, equals, value = one.partition('=')
            name = _OLD.get(name, name)
            if name.startswith('--') and not equals and waiting \
                    and not waiting[0].startswith('--'):
                equals, value = '=', waiting.pop(0)
            self.rest.append(name + equals + value)

    def get(self, name: str) -> str | None:
        """Return the last value of a flag."""
        found = [one.partition('=')[2] for one in self.rest if one.partition('=')[0] == name]
        return found[-1] if found else None

    def take(self, name: str) -> str | None:
        """Return it and let no one else see the flag."""
        found = self.get(name)
        self.rest = [one for one in self.rest if one.partition('=')[0] != name]
        return found

    @property
    def asks_help(self) -> bool:
        """Tell whether help is wanted, and nothing else."""
        return '-h' in self.rest or '--help' in self.rest

    def any(self, prefix: str) -> str | None:
        """Return the first flag that begins so."""
        return next((one for one in self.rest if one.startswith(prefix)), None)


def _true(value: str | None) -> bool:
    return value is not None and value.lower() in ('', 'true', '1', 'yes')


def _file(path: str) -> Path:
    found = Path(path).expanduser()
    return found / TRAIN_CONFIG if found.is_dir() else found


def _resumed(config_path: str | None, output_dir: str | None) -> Path:
    """Return the `pretrained_model` folder of the checkpoint to go on from."""
    if config_path:
        found = _file(config_path)
    elif output_dir:
        found = Path(output_dir) / 'checkpoints' / 'last' / _FOLDER / TRAIN_CONFIG
    else:
        raise TrainingError('--resume: found no --config_path, expected that of a checkpoint: '
                            f'RUN/checkpoints/last/{_FOLDER}/{TRAIN_CONFIG}, or --output_dir=RUN')
    # The link `last` moves while the run goes on.
    found = found.expanduser().resolve()
    if not found.is_file():
        raise TrainingError(f'{found}: no such file; expected a checkpoint to resume. A run that '
                            'saved none is started anew, without --resume')
    if not (found.parent.parent / 'training_state').is_dir():
        raise TrainingError(f'{found.parent.parent}: found no training_state, expected a '
                            'checkpoint of a training; a policy alone is trained further by '
                            f'--policy.path={found.parent}')
    return found.parent


def _policy_folder(path: str) -> Path:
    given = Path(path).expanduser()
    for found in (given, given / _FOLDER, given / 'checkpoints' / 'last' / _FOLDER):
        if (found / CONFIG_FILE).is_file():
            return found
    raise TrainingError(f'--policy.path: found no {CONFIG_FILE} in {given}, expected the '
                        f'{_FOLDER} folder of a checkpoint; `ros2 run apprentice_policies pull` '
                        'fetches one from the Hub')


def _decoded(values: dict[str, Any], arguments: Sequence[str]) -> TrainConfig:
    try:
        if not values:
            return draccus.parse(TrainConfig, args=list(arguments))
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
            json.dump(values, file)
            file.flush()
            return draccus.parse(TrainConfig, config_path=file.name, args=list(arguments))
    except (draccus.utils.DraccusException, PolicyError) as error:
        raise TrainingError(' '.join(str(_reason(error)).split())) from None


def _reason(error: BaseException) -> BaseException:
    """Return what a policy itself says, which draccus wraps."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, PolicyError):
        inner = inner.__cause__ or inner.__context__
    return inner or error


def _complete(config: TrainConfig, given: _Flags) -> None:
    """Fill in what follows from other fields."""
    config.check()
    assert config.policy is not None
    if not config.resume and config.use_policy_training_preset:
        flag = given.any('--optimizer.') or given.any('--scheduler.')
        if flag:
            raise TrainingError(f'{flag}: the policy brings its own optimiser and schedule; add '
                                '--use_policy_training_preset=false, or change fields such as '
                                '--policy.optimizer_lr')
        preset = config.policy.preset()
        config.optimizer, config.scheduler = preset.optimizer, preset.scheduler
    if config.seed is None:
        # Resuming needs it.
        config.seed = datetime.now().microsecond
    config.job_name = config.job_name or config.policy.type
    if not config.output_dir:
        now = datetime.now()
        config.output_dir = f'outputs/train/{now:%Y-%m-%d}/{now:%H-%M-%S}_{config.job_name}'
    config.output_dir = str(Path(config.output_dir).expanduser().absolute())
