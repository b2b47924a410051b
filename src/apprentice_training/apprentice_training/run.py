# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The folder of a run: `checkpoints/STEP/`, with `last` and `best` as relative links.

A checkpoint is written beside its place, synced, and put there in one step, so one that has a
name is whole, whatever stopped the program.
"""

from __future__ import annotations

from collections.abc import Callable
import math
import os
from pathlib import Path
import re
import shutil

from apprentice_dataset.files import sync_path
from apprentice_policies.errors import PolicyError
from apprentice_policies.folders import replacing
from apprentice_training.errors import TrainingError
from apprentice_training.state import read_state_json
from apprentice_training.state import STATE
from apprentice_training.state import write_json

CHECKPOINTS = 'checkpoints'
_SCORE = 'score.json'
_STEP = re.compile(r'\d{6,}')
_DIGITS = 6


class RunFolder:
    """The checkpoints of a run of so many steps; `keep` of the newest stay, 0: all."""

    def __init__(self, root: Path, steps: int, keep: int = 0) -> None:
        """Take the place; nothing is written."""
        self.root, self._keep = root, keep
        self.checkpoints = root / CHECKPOINTS
        self._digits = max(_DIGITS, len(str(steps)))

    def begin(self) -> None:
        """Refuse a folder that is in use, then make it."""
        if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
            raise TrainingError(
                f'--output_dir: found {self.root} with something in it, expected a new folder; '
                'name another one, or go on with the run there by --resume=true '
                f'--output_dir={self.root}')
        self.root.mkdir(parents=True, exist_ok=True)

    def clean(self) -> None:
        """Remove what a killed process left half written."""
        for path in self.checkpoints.glob('.*.partial-*'):
            shutil.rmtree(path, ignore_errors=True)

    def place(self, step: int) -> Path:
        """Return the folder of a checkpoint."""
        return self.checkpoints / f'{step:0{self._digits}d}'

    def steps(self) -> list[int]:
        """Return the steps of the checkpoints that are there."""
        if not self.checkpoints.is_dir():
            return []
        return sorted(int(path.name) for path in self.checkpoints.iterdir()
                      if path.is_dir() and not path.is_symlink() and _STEP.fullmatch(path.name))

    def save(self, step: int, write: Callable[[Path], None]) -> Path:
        """
        Put a checkpoint in its place and let `last` show it.

        :param write: fills the folder it is given.
        :raises TrainingError: it could not be written; those before are whole.
        """
        place = self.place(step)
        try:
            with replacing(place) as beside:
                write(beside)
            self._link('last', place)
        except (OSError, PolicyError, RuntimeError) as error:
            last = self.linked('last')
            kept = f'the last good one is {last}' if last else 'there is none before it'
            raise TrainingError(f'checkpoint of step {step} was not written: {error}; {kept}'
                                ) from None
        self._remove_old()
        return place

    def rate(self, step: int, score: float) -> None:
        """
        Note what `best` is chosen by, lower is better, and let it show the checkpoint if so.

        :raises TrainingError: it could not be written; the checkpoint is whole without it.
        """
        path = self.place(step) / STATE / _SCORE
        beside = path.with_suffix('.new')
        try:
            write_json(beside, {'score': score})
            os.replace(beside, path)
            if score < self.best_score():
                self._link('best', self.place(step))
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise TrainingError(f'the score of step {step} was not written: {error}; its '
                                f'checkpoint is whole: {self.place(step)}') from None
        self._remove_old()

    def linked(self, name: str) -> Path | None:
        """Return the checkpoint that `last` or `best` shows."""
        link = self.checkpoints / name
        return self.checkpoints / os.readlink(link) if link.is_symlink() else None

    def best_score(self) -> float:
        """Return the score of the best checkpoint, infinite where there is none."""
        best = self.linked('best')
        path = best / STATE / _SCORE if best else None
        return float(read_state_json(path)['score']) if path and path.exists() else math.inf

    def _link(self, name: str, place: Path) -> None:
        beside = self.checkpoints / f'.{name}.new'
        beside.unlink(missing_ok=True)
        beside.symlink_to(place.name)
        os.replace(beside, self.checkpoints / name)
        sync_path(self.checkpoints)

    def _remove_old(self) -> None:
        if not self._keep:
            return
        kept = {self.place(step) for step in self.steps()[-self._keep:]}
        kept |= {path for name in ('last', 'best') if (path := self.linked(name))}
        for step in self.steps():
            if self.place(step) not in kept:
                shutil.rmtree(self.place(step))
