# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Open the datasets of a training, with the windows that its policy asks for."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
import math
from typing import Any

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.statistics import combine
from apprentice_dataset.torch import collate
from apprentice_dataset.torch import LeRobotDataset
from apprentice_policies.config import PolicyConfig
from apprentice_policies.features import ACTION
from apprentice_training.config import DatasetConfig
from apprentice_training.config import MixedDataset
from apprentice_training.config import TrainConfig
from apprentice_training.errors import TrainingError
from apprentice_training.order import Batches
import numpy as np
from numpy.typing import NDArray
import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset

REWARD = 'next.reward'
# Numbers of the rows, which every batch has.
_ROWS = ('index', 'episode_index', 'frame_index', 'timestamp', 'task_index')


@dataclass(frozen=True)
class Source:
    """A dataset of the mixture: what it is called, its weight, its parts."""

    repo_id: str
    weight: float
    dataset: LeRobotDataset
    training: list[int]
    held_out: list[int]

    @property
    def meta(self) -> Any:
        """Return everything below meta/."""
        return self.dataset.meta


def open_sources(config: DatasetConfig, seed: int) -> list[Source]:
    """
    Open the datasets, which are pulled where they are not there; share out their episodes.

    :raises TrainingError: there is no such dataset, or it has no such episodes.
    """
    first = MixedDataset(config.repo_id, config.root, config.episodes, config.revision,
                         config.weight)
    found = []
    for number, one in enumerate([first, *config.mix]):
        try:
            dataset = _opened(one, config)
        except DatasetError as error:
            raise TrainingError(f'dataset {one.repo_id}: {error}') from None
        episodes = dataset.items.episodes.tolist()
        held_out = _held_out(episodes, config.eval_split, (seed, number))
        training = sorted(set(episodes) - set(held_out))
        if not training:
            raise TrainingError(f'dataset {one.repo_id}: found {len(episodes)} episodes, '
                                'expected some beside those held out; lower --dataset.eval_split')
        found.append(Source(one.repo_id, one.weight, dataset, training, held_out))
    return found


def _opened(one: MixedDataset, config: DatasetConfig, **more: Any) -> LeRobotDataset:
    backend = None if config.video_backend == 'torchcodec' else config.video_backend
    options = {'episodes': one.episodes, 'video_backend': backend, 'return_uint8': True,
               'depth_output_unit': config.depth_output_unit, **more}
    return LeRobotDataset(one.repo_id, one.root, revision=one.revision, **options)


def _held_out(episodes: list[int], share: float, seed: tuple[int, int]) -> list[int]:
    if not share:
        return []
    count = max(1, round(len(episodes) * share))
    drawn = np.random.default_rng(seed).permutation(len(episodes))[:count]
    return sorted(episodes[place] for place in drawn)


def statistics(sources: Sequence[Source]) -> dict[str, Any]:
    """Return the statistics by feature of all datasets together."""
    if len(sources) == 1:
        return dict(sources[0].meta.stats)
    return combine([source.meta.stats for source in sources])


def used_keys(config: PolicyConfig, names: Sequence[str],
              rename: Mapping[str, str]) -> list[str]:
    """Return the features of a dataset that the policy is given."""
    wanted = {*(config.input_features or {}), *(config.output_features or {})}
    return [name for name in names if rename.get(name, name) in wanted]


def delta_timestamps(config: PolicyConfig, names: Sequence[str],
                     fps: float) -> dict[str, list[float]]:
    """Return the windows of features in seconds: whole frames of the policy's indices."""
    found = {}
    for name in names:
        indices = None
        if name.startswith('observation'):
            indices = config.observation_delta_indices
        elif name.startswith(ACTION):
            indices = config.action_delta_indices
        elif name == REWARD:
            indices = config.reward_delta_indices
        if indices is not None:
            found[name] = [number / fps for number in indices]
    return found


class Mixture(Dataset[dict[str, Any]]):
    """
    Give the samples of all sources by number, one source after the other.

    Samples are the frames of the chosen episodes without the last ones that a policy drops.
    """

    def __init__(self, sources: Sequence[Source], config: TrainConfig,
                 held_out: bool = False) -> None:
        """Open each dataset anew with windows, and only with what the policy is given."""
        assert config.policy is not None
        self.names = [source.repo_id for source in sources]
        self.datasets, self._usable = [], []
        dropped = getattr(config.policy, 'drop_n_last_frames', 0) or 0
        for source in sources:
            features = list(source.meta.info.features)
            keys = [*used_keys(config.policy, features, config.rename_map),
                    *(name for name in features if name.startswith('next.'))]
            windows = delta_timestamps(config.policy, keys, source.meta.fps)
            one = MixedDataset(source.repo_id, str(source.dataset.root),
                               source.held_out if held_out else source.training)
            dataset = _opened(one, config.dataset, delta_timestamps=windows,
                              tolerance_s=config.tolerance_s)
            _narrow(dataset, keys)
            self.datasets.append(dataset)
            self._usable.append(_usable(dataset, dropped))
        self.lengths = [len(usable) for usable in self._usable]
        self._ends = np.cumsum(self.lengths)
        if 0 in self.lengths:
            name = self.names[self.lengths.index(0)]
            raise TrainingError(f'dataset {name}: no episode is longer than the {dropped} frames '
                                'that the policy drops; lower --policy.drop_n_last_frames')

    def __len__(self) -> int:
        """Return the number of samples."""
        return int(self._ends[-1])

    def __getitem__(self, sample: int) -> dict[str, Any]:
        """Return a sample."""
        return self.__getitems__([sample])[0]

    def __getitems__(self, samples: Sequence[int]) -> list[dict[str, Any]]:
        """Return samples; those of a dataset are fetched at once."""
        if len(self.datasets) == 1:
            return self.datasets[0].__getitems__(self._usable[0][list(samples)].tolist())
        which, positions = self._places(samples)
        found: list[Any] = [None] * len(which)
        for number in np.unique(which):
            places = np.flatnonzero(which == number)
            items = self.datasets[number].__getitems__(positions[places].tolist())
            for place, item in zip(places, items):
                found[place] = item
        shared = set.intersection(*(set(item) for item in found))
        return [{name: item[name] for name in found[0] if name in shared} for item in found]

    def _places(self, samples: Sequence[int]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return which dataset each sample is of, and its position there."""
        at = np.asarray(samples, np.int64)
        which = np.searchsorted(self._ends, at, 'right')
        within = at - (self._ends - self.lengths)[which]
        return which, np.array([self._usable[number][place]
                                for number, place in zip(which, within)], np.int64)

    def cameras(self) -> list[str]:
        """Return the colour cameras that samples have."""
        meta = self.datasets[0].meta
        return [name for name in meta.camera_keys if name not in meta.depth_keys
                and name in self.datasets[0].items.metadata.info.features]

    def where(self, sample: int) -> tuple[str, int, int]:
        """Return dataset, episode and frame of a sample."""
        which, positions = self._places([sample])
        items = self.datasets[which[0]].items
        index = int(items.indices(positions)[0])
        ends = items.metadata.episodes.column('dataset_to_index')
        episode = int(np.searchsorted(ends, index, 'right'))
        first = int(items.metadata.episodes.column('dataset_from_index')[episode])
        return self.names[which[0]], episode, index - first


def _narrow(dataset: LeRobotDataset, keys: Sequence[str]) -> None:
    """Let a dataset give these features alone, so that no other camera is decoded."""
    items = dataset.items
    features = {name: feature for name, feature in items.metadata.info.features.items()
                if name in keys or name in _ROWS}
    items.metadata = replace(items.metadata, info=replace(items.metadata.info, features=features))


def _usable(dataset: LeRobotDataset, dropped: int) -> NDArray[np.int64]:
    lengths = dataset.meta.episodes.column('length')[dataset.items.episodes]
    begins = np.cumsum(lengths) - lengths
    within = np.arange(int(lengths.sum())) - np.repeat(begins, lengths)
    return np.flatnonzero(within < np.repeat(lengths - dropped, lengths))


def loader(data: Mixture, batches: Batches | list[list[int]], config: TrainConfig,
           pin: bool) -> DataLoader[Any]:
    """Return what loads the batches, by workers where the configuration has some."""
    workers = min(config.num_workers, len(batches))
    options: dict[str, Any] = {}
    if workers:
        options = {'prefetch_factor': config.prefetch_factor,
                   'persistent_workers': config.persistent_workers,
                   'multiprocessing_context': config.dataloader_multiprocessing_context}
    # A generator of its own: otherwise a loader would draw from the one that training uses.
    return DataLoader(data, batch_sampler=batches, num_workers=workers, collate_fn=collate,
                      pin_memory=pin, generator=torch.Generator(), **options)


def batch_bytes(data: Mixture, config: TrainConfig) -> int:
    """Return the size of a batch as it comes from the dataset."""
    found = 0
    dataset = data.datasets[0]
    for name, feature in dataset.items.metadata.info.features.items():
        if feature.dtype not in ('string', 'language'):
            window = len((dataset.delta_timestamps or {}).get(name, [0]))
            size = 1 if feature.dtype == 'video' else 4 if feature.dtype == 'image' else 8
            found += window * math.prod(feature.shape) * size
    return found * config.batch_size
