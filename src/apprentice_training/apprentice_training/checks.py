# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What is checked before the first step: the numbers in the data, memory and disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import shutil

from apprentice_dataset.columns import to_numpy
from apprentice_policies.policy import Policy
from apprentice_training.config import TrainConfig
from apprentice_training.data import batch_bytes
from apprentice_training.data import Mixture
from apprentice_training.errors import TrainingError
import numpy as np
import torch

_ROWS = 1 << 16
_LISTED = 10
_GIB = 1 << 30
_SHARED = Path('/dev/shm')
# Adam keeps two numbers for each that is trained.
_OPTIMIZER = 2


def check_numbers(data: Mixture) -> None:
    """Raise `TrainingError` that names episode, frame and feature of what is no number."""
    faults = []
    for fault in _faults(data):
        faults.append(fault)
        if len(faults) > _LISTED:
            faults[-1] = 'and more'
            break
    if faults:
        lines = ''.join(f'\n  {fault}' for fault in faults)
        raise TrainingError(f'the data has values that are no numbers:{lines}\nleave the episodes '
                            'out by --dataset.episodes, or mend them by `dataset '
                            'delete-episodes` or `trim`')


def _faults(data: Mixture) -> Iterator[str]:
    for name, dataset in zip(data.names, data.datasets):
        items = dataset.items
        floats = {key: feature for key, feature in items.metadata.info.columns.items()
                  if feature.dtype in ('float32', 'float64', 'float16') and key != 'timestamp'}
        ends = items.metadata.episodes.column('dataset_to_index')
        begins = items.metadata.episodes.column('dataset_from_index')
        for first in range(0, len(items), _ROWS) if floats else ():
            rows = items.indices(np.arange(first, min(first + _ROWS, len(items))))
            found = items.rows.take(rows, list(floats))
            for key, feature in floats.items():
                values = np.asarray(to_numpy(found[key], feature), np.float64)
                values = values.reshape(len(rows), -1)
                for row, place in np.argwhere(~np.isfinite(values)):
                    episode = int(np.searchsorted(ends, rows[row], 'right'))
                    yield (f'{name}: episode {episode}, frame {rows[row] - begins[episode]}, '
                           f'{key}[{place}]: {values[row, place]}')


def weight_bytes(policy: Policy) -> tuple[int, int]:
    """Return the bytes of all tensors of a policy, and of those that are trained."""
    tensors = policy.state_dict().values()
    trained = (one for one in policy.parameters() if one.requires_grad)
    return sum(one.nbytes for one in tensors), sum(one.nbytes for one in trained)


def check_memory(policy: Policy, data: Mixture, config: TrainConfig,
                 device: torch.device) -> None:
    """Raise `TrainingError` where not even weights and waiting batches have room."""
    whole, trained = weight_bytes(policy)
    fixed = trained * (1 + _OPTIMIZER) + whole * (2 if config.ema.enable else 1)
    batch = batch_bytes(data, config)
    waiting = batch * max(1, config.num_workers * config.prefetch_factor)
    pictures = batch * 4
    lower = ('lower --batch_size, --num_workers or --prefetch_factor, or make the policy smaller')
    if device.type == 'cuda':
        free, _ = torch.cuda.mem_get_info(device)
        _demand(fixed + pictures, free, f'memory of {device}', lower)
        _demand(waiting, _free_memory(), 'memory', lower)
    else:
        _demand(fixed + pictures + waiting, _free_memory(), 'memory', lower)
    if config.num_workers and _SHARED.is_dir():
        _demand(waiting, shutil.disk_usage(_SHARED).free, f'shared memory ({_SHARED})',
                'lower --num_workers or --prefetch_factor; in a container raise --shm-size')


def check_disk(policy: Policy, config: TrainConfig, root: Path) -> None:
    """Raise `TrainingError` where the checkpoints that the run would keep have no room."""
    if not config.save_checkpoint:
        return
    whole, trained = weight_bytes(policy)
    one = whole + trained * _OPTIMIZER + (2 * whole if config.ema.enable else 0)
    count = 1 + (config.steps - 1) // config.save_freq if config.save_freq else 1
    if config.keep_checkpoints:
        # The best and the one that is being written stand beside.
        count = min(count, config.keep_checkpoints + 2)
    _demand(one * count, shutil.disk_usage(root).free, f'disk space at {root} for {count} '
            f'checkpoints of {one / _GIB:.2f} GiB',
            'free some, keep fewer by --keep_checkpoints=2, or save less often by --save_freq')


def _demand(needed: int, free: int, what: str, cure: str) -> None:
    if needed > free:
        raise TrainingError(f'too little {what}: found {free / _GIB:.2f} GiB, expected at least '
                            f'{needed / _GIB:.2f} GiB; {cure}')


def _free_memory() -> int:
    """Return the bytes that can be had, within the limit of a container, too."""
    found = [int(line.split()[1]) * 1024
             for line in Path('/proc/meminfo').read_text().splitlines()
             if line.startswith('MemAvailable:')] if Path('/proc/meminfo').exists() else []
    group = Path('/sys/fs/cgroup')
    try:
        limit = int((group / 'memory.max').read_text())
        stat = dict(line.split() for line in (group / 'memory.stat').read_text().splitlines())
        # Files in the cache give way.
        used = int((group / 'memory.current').read_text()) - int(stat['file'])
        found.append(limit - used)
    except (OSError, ValueError, KeyError):
        # No such group here, or no limit: it says `max`.
        pass
    return min(found, default=1 << 62)
