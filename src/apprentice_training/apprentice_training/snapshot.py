# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write a training into the folder of a checkpoint, and bring it back."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import TYPE_CHECKING

from apprentice_policies.checkpoint import save_pretrained
from apprentice_policies.tensor_files import read_tensors
from apprentice_policies.tensor_files import write_tensors
from apprentice_training.data import Source
from apprentice_training.ema import EMA_FILE
from apprentice_training.errors import TrainingError
from apprentice_training.features import table
from apprentice_training.state import read_optimizer
from apprentice_training.state import read_scheduler
from apprentice_training.state import read_state_json
from apprentice_training.state import rng_file
from apprentice_training.state import set_rng_state
from apprentice_training.state import STATE
from apprentice_training.state import STEP_FILE
from apprentice_training.state import write_json
from apprentice_training.state import write_optimizer
from apprentice_training.state import write_scheduler
from torch import Tensor

if TYPE_CHECKING:
    from apprentice_training.session import Session

_DATA_FILE = 'data.json'


def write_snapshot(folder: Path, session: Session,
                   random_states: Sequence[Mapping[str, Tensor]]) -> None:
    """Fill a checkpoint: `pretrained_model/`, `training_state/`, and the means where kept."""
    config = session.config
    values = config.to_dict()
    save_pretrained(folder / 'pretrained_model', session.policy, session.pre, session.post,
                    values)
    if session.ema is not None:
        with session.ema.applied():
            save_pretrained(folder / 'pretrained_model_ema', session.policy, session.pre,
                            session.post, values)
    state = folder / STATE
    state.mkdir()
    step = {'step': session.step, 'num_processes': session.world.size,
            'batch_size': config.batch_size, 'samples': session.samples}
    if config.gradient_accumulation_steps > 1:
        step['grad_accum_steps'] = config.gradient_accumulation_steps
    write_json(state / STEP_FILE, step)
    for rank, one in enumerate(random_states):
        write_tensors(state / rng_file(rank), one)
    write_optimizer(state, session.optimizer)
    write_scheduler(state, session.scheduler)
    write_json(state / _DATA_FILE, _facts(session.sources))
    if session.ema is not None:
        write_tensors(state / EMA_FILE, session.ema.tensors)


def read_snapshot(checkpoint: Path, session: Session) -> None:
    """
    Put optimiser, schedule, means, step and random numbers where they stood.

    :raises TrainingError: or PolicyError: a file is missing or does not fit.
    """
    state = checkpoint / STATE
    read_optimizer(state, session.optimizer)
    read_scheduler(state, session.scheduler)
    if session.ema is not None and (state / EMA_FILE).exists():
        session.ema.load(read_tensors(state / EMA_FILE))
    found = read_state_json(state / STEP_FILE)
    session.step = int(found['step'])
    session.samples = _samples(found, session)
    session.policy.continue_from(session.step)
    # A process more than before has no state of its own: it keeps its seed.
    own = state / rng_file(session.world.rank)
    if own.exists():
        set_rng_state(read_tensors(own))


def _samples(found: Mapping[str, Any], session: Session) -> int:
    """Return how far the order was; LeRobot tells it by sizes alone."""
    if 'samples' in found:
        return int(found['samples'])
    config, world = session.config, session.world
    processes = found.get('num_processes') or found.get('dp_world_size') or world.size
    return int(found['step']) * int(processes) \
        * int(found.get('batch_size') or config.batch_size) \
        * int(found.get('grad_accum_steps') or config.gradient_accumulation_steps)


def _facts(sources: Sequence[Source]) -> list[dict[str, Any]]:
    return [{'repo_id': source.repo_id, 'fps': source.meta.fps,
             'episodes': len(source.training), 'frames': int(source.meta.total_frames)}
            for source in sources]


def check_same_data(checkpoint: Path, sources: Sequence[Source]) -> None:
    """Raise `TrainingError` where the data is not what the run began with."""
    path = checkpoint / STATE / _DATA_FILE
    if not path.exists():
        return
    then, now = read_state_json(path), _facts(sources)
    rows = [['dataset', 'what', 'checkpoint', 'now']]
    rows += [['', 'datasets', str(len(then)), str(len(now))]] if len(then) != len(now) else []
    for old, new in zip(then, now):
        rows += [[new['repo_id'], name, str(old.get(name)), str(value)]
                 for name, value in new.items() if old.get(name) != value]
    if len(rows) > 1:
        raise TrainingError(f'{checkpoint}: the data is not that of the run:{table(rows)}\n'
                            'resuming is exact, so it has to be; train further on other data by '
                            f'--policy.path={checkpoint / "pretrained_model"} and a new '
                            '--output_dir')
