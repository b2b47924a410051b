# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Everything a training is told, as `train_config.json` holds it.

Fields and defaults are LeRobot's; what it does not know is written only where it was set, so
that LeRobot reads the file of every training that it could have run itself. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from dataclasses import MISSING
import json
from pathlib import Path
from typing import Any
from typing import ClassVar

from apprentice_policies.config import PolicyConfig
from apprentice_policies.optimization import OptimizerConfig
from apprentice_policies.optimization import SchedulerConfig
from apprentice_training.environments.config import EnvConfig
from apprentice_training.errors import TrainingError
import draccus

TRAIN_CONFIG = 'train_config.json'


@dataclass
class ImageTransformConfig:
    """A random change of a picture: how often it is chosen, what it is, and its ranges."""

    weight: float = 1.0
    type: str = 'Identity'
    kwargs: dict[str, Any] = field(default_factory=dict)


def _transforms() -> dict[str, ImageTransformConfig]:
    def jitter(name: str, low: float, high: float) -> ImageTransformConfig:
        kind = 'SharpnessJitter' if name == 'sharpness' else 'ColorJitter'
        return ImageTransformConfig(1.0, kind, {name: [low, high]})
    return {
        'brightness': jitter('brightness', 0.8, 1.2), 'contrast': jitter('contrast', 0.8, 1.2),
        'saturation': jitter('saturation', 0.5, 1.5), 'hue': jitter('hue', -0.05, 0.05),
        'sharpness': jitter('sharpness', 0.5, 1.5),
        'affine': ImageTransformConfig(
            1.0, 'RandomAffine', {'degrees': [-5.0, 5.0], 'translate': [0.05, 0.05]})}


@dataclass
class ImageTransformsConfig:
    """Which changes are drawn for a picture: at most so many, each once, by weight."""

    enable: bool = False
    max_num_transforms: int = 3
    random_order: bool = False
    tfs: dict[str, ImageTransformConfig] = field(default_factory=_transforms)


@dataclass
class MixedDataset:
    """A further dataset; its weight is relative to the others', whatever their lengths."""

    repo_id: str
    root: str | None = None
    episodes: list[int] | None = None
    revision: str | None = None
    weight: float = 1.0


@dataclass
class DatasetConfig:
    """
    What is trained on; `eval_split` is the share of episodes that are held out.

    `video_backend`: torchcodec (where it does not work: PyAV) or pyav. `mix`: further datasets,
    drawn from by `weight`.
    """

    repo_id: str
    repo_type: str = 'dataset'
    root: str | None = None
    episodes: list[int] | None = None
    image_transforms: ImageTransformsConfig = field(default_factory=ImageTransformsConfig)
    revision: str | None = None
    use_imagenet_stats: bool = True
    video_backend: str = 'torchcodec'
    return_uint8: bool = False
    depth_output_unit: str = 'mm'
    streaming: bool = False
    eval_split: float = 0.0
    weight: float = 1.0
    mix: list[MixedDataset] = field(default_factory=list)

    OWN: ClassVar[tuple[str, ...]] = ('weight', 'mix')


@dataclass
class EvalConfig:
    """How the policy is tried in `env` every `env_eval_freq` steps."""

    n_episodes: int = 50
    batch_size: int = 1
    use_async_envs: bool = True
    recording: bool = False
    recording_repo_id: str | None = None
    recording_private: bool = False


@dataclass
class WandBConfig:
    """Weights & Biases, off unless `enable`."""

    enable: bool = False
    disable_artifact: bool = False
    project: str = 'lerobot'
    entity: str | None = None
    notes: str | None = None
    run_id: str | None = None
    mode: str | None = None
    add_tags: bool = True


@dataclass
class EmaConfig:
    """A running mean of the weights, saved in `pretrained_model_ema/` beside the weights."""

    enable: bool = False
    decay: float = 0.999


def _job() -> dict[str, Any]:
    return {'target': None, 'image': 'huggingface/lerobot-gpu:latest', 'timeout': '2d',
            'detach': False, 'tags': []}


@dataclass
class TrainConfig:
    """
    A training; `steps` counts updates of the weights.

    An update takes `gradient_accumulation_steps` batches of `batch_size` in each process.
    `keep_checkpoints`: how many of the newest are kept beside the best, 0: all.
    """

    dataset: DatasetConfig
    env: EnvConfig | None = None
    policy: PolicyConfig | None = None
    reward_model: dict[str, Any] | None = None
    output_dir: str | None = None
    job_name: str | None = None
    resume: bool = False
    seed: int | None = 1000
    cudnn_deterministic: bool = False
    num_workers: int = 4
    batch_size: int = 8
    prefetch_factor: int = 4
    persistent_workers: bool = True
    dataloader_multiprocessing_context: str | None = 'spawn'
    steps: int = 100_000
    env_eval_freq: int = 20_000
    log_freq: int = 200
    eval_steps: int = 0
    max_eval_samples: int = 0
    tolerance_s: float = 1e-4
    save_checkpoint: bool = True
    save_freq: int = 20_000
    use_policy_training_preset: bool = True
    optimizer: OptimizerConfig | None = None
    scheduler: SchedulerConfig | None = None
    eval: EvalConfig = field(default_factory=EvalConfig)
    wandb: WandBConfig = field(default_factory=WandBConfig)
    peft: dict[str, Any] | None = None
    job: dict[str, Any] = field(default_factory=_job)
    save_checkpoint_to_hub: bool = False
    sample_weighting: dict[str, Any] | None = None
    rename_map: dict[str, str] = field(default_factory=dict)
    checkpoint_path: str | None = None
    ema: EmaConfig = field(default_factory=EmaConfig)
    gradient_accumulation_steps: int = 1
    compile: bool = False
    keep_checkpoints: int = 0

    OWN: ClassVar[tuple[str, ...]] = (
        'ema', 'gradient_accumulation_steps', 'compile', 'keep_checkpoints')

    def check(self) -> None:
        """Raise `TrainingError` about the first field that cannot be."""
        for name, least in (('steps', 1), ('batch_size', 1), ('num_workers', 0), ('log_freq', 0),
                            ('save_freq', 0), ('eval_steps', 0), ('env_eval_freq', 0),
                            ('max_eval_samples', 0), ('prefetch_factor', 1),
                            ('gradient_accumulation_steps', 1), ('keep_checkpoints', 0)):
            self._demand(getattr(self, name) >= least, name, f'a number from {least}')
        for name in ('reward_model', 'peft', 'sample_weighting'):
            self._demand(not getattr(self, name), name, 'nothing: it is not supported here')
        self._demand(not self.job.get('target'), 'job', 'no target: training runs where it is '
                     'started')
        self._demand(not self.dataset.streaming, 'dataset.streaming',
                     'false: training reads a whole dataset; dataset pull fetches it')
        self._demand(not self.save_checkpoint_to_hub, 'save_checkpoint_to_hub',
                     'false: only the last checkpoint is pushed, where --policy.repo_id is set')
        self._demand(0 <= self.dataset.eval_split < 1, 'dataset.eval_split',
                     'a share from 0 to below 1')
        self._demand(not self.eval_steps or self.dataset.eval_split > 0, 'eval_steps',
                     '0, or held-out episodes by --dataset.eval_split=0.1')
        weights = [self.dataset.weight, *(one.weight for one in self.dataset.mix)]
        self._demand(min(weights) > 0, 'dataset.weight', 'weights above 0')
        self._demand(0 < self.ema.decay < 1, 'ema.decay', 'a number between 0 and 1')
        self._demand(self.use_policy_training_preset or self.optimizer is not None, 'optimizer',
                     '--optimizer.type and its fields where use_policy_training_preset is false')

    def _demand(self, holds: bool, name: str, expected: str) -> None:
        if not holds:
            found: Any = self
            for part in name.split('.'):
                found = getattr(found, part)
            raise TrainingError(f'--{name}: found {found!r}, expected {expected}')

    def to_dict(self) -> dict[str, Any]:
        """Return what `train_config.json` holds."""
        found = draccus.encode(self)
        _leave_out(found, self)
        _leave_out(found['dataset'], self.dataset)
        return found

    def to_json(self) -> str:
        """Return the text of `train_config.json`."""
        return json.dumps(self.to_dict(), indent=4) + '\n'


def _leave_out(values: dict[str, Any], config: TrainConfig | DatasetConfig) -> None:
    for one in fields(config):
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if one.name in config.OWN and getattr(config, one.name) == default:
            del values[one.name]


def read_train_config(path: Path) -> dict[str, Any]:
    """Return the JSON object of a `train_config.json`; raise `TrainingError`."""
    try:
        values = json.loads(path.read_bytes())
    except OSError as error:
        raise TrainingError(f'{path}: {error.strerror}; expected the {TRAIN_CONFIG} of a '
                            'checkpoint') from None
    except ValueError as error:
        raise TrainingError(f'{path}: not JSON: {error}') from None
    if not isinstance(values, dict):
        raise TrainingError(f'{path}: found {type(values).__name__}, expected a JSON object')
    return values
