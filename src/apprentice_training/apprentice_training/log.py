# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Tell how a training goes: a line on the console, `metrics.jsonl`, TensorBoard, W&B."""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
import sys
import time
from typing import Any

from apprentice_training.config import TrainConfig
from apprentice_training.errors import TrainingError
from apprentice_training.watch import PARTS

METRICS = 'metrics.jsonl'
_FAST_S = 1.0
_CLEAR = '\x1b[K'


def read_metrics(path: Path, until: int | None = None) -> list[dict[str, Any]]:
    """Return the records up to a step; a line that was cut short is left out."""
    found = []
    for line in path.read_text(encoding='utf-8').splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if until is None or record['step'] <= until:
            found.append(record)
    return found


def duration(seconds: float) -> str:
    """Return a time as `1h 02m`, `3m 20s` or `5s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours}h {minutes:02d}m'
    return f'{minutes}m {rest:02d}s' if minutes else f'{rest}s'


class Log:
    """Write records of a run; only the main process has one."""

    def __init__(self, root: Path, config: TrainConfig, first: int) -> None:
        """Go on after a step: what a killed process told of later ones is dropped."""
        self._path, self._steps, self._first = root / METRICS, config.steps, first
        records = read_metrics(self._path, first)
        self._path.write_text(''.join(f'{json.dumps(one)}\n' for one in records),
                              encoding='utf-8')
        self._file = self._path.open('a', encoding='utf-8')
        self._board = _tensorboard(root / 'tensorboard', first)
        self._wandb = _wandb(root, config)
        self._begin = self._shown = time.monotonic()
        self._live = sys.stdout.isatty()

    def write(self, step: int, **values: float) -> None:
        """Keep figures of a step."""
        record = {'step': step, **values}
        self._file.write(json.dumps(record) + '\n')
        self._file.flush()
        for name, value in values.items():
            if self._board is not None:
                self._board.add_scalar(name, value, step)
        if self._wandb is not None:
            self._wandb.log(values, step=step)

    def progress(self, step: int, figures: Mapping[str, float], parts: Mapping[str, float],
                 samples: int, seconds: float, epochs: float) -> None:
        """Keep and print what the last steps did: `samples` in `seconds`, the time by part."""
        total = sum(parts.values()) or 1.0
        shares = {name: parts[name] / total for name in PARTS}
        rate = samples / seconds if seconds else 0.0
        self.write(step, **figures, samples_per_s=rate, epochs=epochs,
                   **{f'{name}_share': value for name, value in shares.items()})
        left = duration((time.monotonic() - self._begin) / (step - self._first)
                        * (self._steps - step))
        where = ' '.join(f'{name} {value:.0%}' for name, value in shares.items())
        self.line(f'step {step}/{self._steps}  loss {figures["loss"]:.4g}  '
                  f'lr {figures["lr"]:.2g}  grad {figures["grad_norm"]:.3g}  '
                  f'epoch {epochs:.2f}  {rate:.1f} samples/s  left {left}  |  {where}')

    def live(self, step: int, loss: float) -> None:
        """Show on a terminal, at most once a second, that it goes on."""
        now = time.monotonic()
        if self._live and now - self._shown >= _FAST_S:
            self._shown = now
            self._print(f'\rstep {step}/{self._steps}  loss {loss:.4g}{_CLEAR}')

    def line(self, text: str) -> None:
        """Print a line of its own."""
        self._print(f'\r{text}{_CLEAR}\n' if self._live else f'{text}\n')

    @staticmethod
    def _print(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def close(self) -> None:
        """Close all files."""
        self._file.close()
        if self._board is not None:
            self._board.close()
        if self._wandb is not None:
            self._wandb.finish()


def _tensorboard(folder: Path, first: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        print(f'train: no TensorBoard: {error}', file=sys.stderr)
        return None
    return SummaryWriter(str(folder), purge_step=first + 1 if first else None)


def _wandb(root: Path, config: TrainConfig) -> Any:
    settings = config.wandb
    if not settings.enable:
        return None
    try:
        import wandb
    except ImportError as error:
        raise TrainingError(f'--wandb.enable: found no wandb here ({error}), expected it; pip '
                            'install wandb') from None
    tags = [config.policy.type, config.dataset.repo_id] if config.policy and settings.add_tags \
        else None
    return wandb.init(
        project=settings.project, entity=settings.entity, name=config.job_name,
        notes=settings.notes, id=settings.run_id, mode=settings.mode or 'online', tags=tags,
        resume='must' if config.resume and settings.run_id else None,
        dir=str(root), config=config.to_dict())
