# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Stream a dataset into PyTorch: LeRobot's StreamingLeRobotDataset, over workers and ranks."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from apprentice_dataset.depth import is_depth
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.hub import check_repo_id
from apprentice_dataset.hub import client
from apprentice_dataset.hub import default_root
from apprentice_dataset.hub import resolve
from apprentice_dataset.layout import INFO
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.stream import Stream
import numpy as np
import torch
from torch import distributed
from torch.utils.data import get_worker_info
from torch.utils.data import IterableDataset


class StreamingLeRobotDataset(IterableDataset[dict[str, Any]]):
    """
    Give the items of a dataset where it lies, with the keys and tensors of the map-style one.

    Workers of a DataLoader and ranks of torch.distributed share the items out, none twice and none
    left out. The order follows from `seed` and `set_epoch`; `shuffle=False` is the dataset's.
    """

    def __init__(
        self, repo_id: str, root: str | Path | None = None, episodes: list[int] | None = None,
        image_transforms: Callable[[Any], Any] | None = None,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None, tolerance_s: float = 1e-4,
        revision: str | None = None, force_cache_sync: bool = False, streaming: bool = True,
        buffer_size: int = 1000, max_num_shards: int = 16, seed: int = 42,
        rng: np.random.Generator | None = None, shuffle: bool = True, return_uint8: bool = False,
        depth_output_unit: str = 'mm', *, repo_type: str = 'dataset',
        token: str | bool | None = None, rank: int | None = None, world_size: int | None = None,
        **options: Any,
    ) -> None:
        """
        Read the metadata, no rows and no pictures.

        :param repo_id: USER/NAME on the Hub.
        :param root: a folder or a URL such as `s3://bucket/dataset`, which is read instead; a
            folder without a dataset is passed over.
        :param force_cache_sync: do not take the folder that LeRobot keeps for `repo_id`.
        :param streaming: nothing is ever downloaded as a whole; taken because LeRobot has it.
        :param rng: gives the seed instead of `seed`.
        :param return_uint8: pictures of videos as uint8, not as float32 from 0 to 1.
        :param repo_type: `dataset`, or `bucket`, which has no revisions.
        :param rank: with `world_size`, instead of what torch.distributed says.
        :param options: `buffer_bytes`, `max_decoders`, and what the store takes, see `Stream`.
        :raises DatasetError: an argument that cannot be, or no dataset there.
        """
        if (rank is None) != (world_size is None):
            raise DatasetError(f'found rank={rank} and world_size={world_size}, expected both')
        self.repo_id, self.repo_type, self.revision = repo_id, repo_type, revision
        self.episodes, self.image_transforms = episodes, image_transforms
        self.delta_timestamps, self.tolerance_s = delta_timestamps, tolerance_s
        self.streaming, self.shuffle, self.buffer_size = streaming, shuffle, buffer_size
        self.seed = seed if rng is None else int(rng.integers(1 << 62))
        place, more = _place(repo_id, root, revision, force_cache_sync, repo_type, token)
        self._stream = Stream(
            place, episodes, delta_timestamps=delta_timestamps, tolerance_s=tolerance_s,
            buffer_size=buffer_size, max_num_shards=max_num_shards, seed=self.seed,
            shuffle=shuffle, depth_output_unit=depth_output_unit, **more, **options)
        self._return_uint8 = return_uint8
        self._fixed = None if rank is None or world_size is None else (rank, world_size)
        self._world = self._fixed or (0, 1)
        # Workers that go on from epoch to epoch see what set_epoch writes.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()
        self._loaded: dict[str, Any] | None = None
        self._given: tuple[int, int] | None = None

    @property
    def meta(self) -> Metadata:
        """Return everything below meta/."""
        return self._stream.metadata

    @property
    def root(self) -> str:
        """Return the folder or URL that is read."""
        return self._stream.store.name

    @property
    def fps(self) -> int | float:
        """Return the rate in frames/s."""
        return self.meta.info.fps

    @property
    def num_frames(self) -> int:
        """Return the number of items of all workers and ranks together."""
        return len(self._stream)

    @property
    def num_episodes(self) -> int:
        """Return the number of chosen episodes."""
        return len(self._stream.episodes)

    @property
    def num_shards(self) -> int:
        """Return how many shards one worker keeps open at most."""
        return self._stream.plan.shards

    def __getstate__(self) -> dict[str, Any]:
        """Take the rank along to a worker, which does not know torch.distributed."""
        self._rank()
        return self.__dict__.copy()

    def _rank(self) -> tuple[int, int]:
        if self._fixed is None and distributed.is_available() and distributed.is_initialized():
            self._world = distributed.get_rank(), distributed.get_world_size()
        return self._world

    def set_epoch(self, epoch: int) -> None:
        """Begin another epoch with the next iterator; each has its own order."""
        if epoch < 0:
            raise DatasetError(f'found epoch {epoch}, expected a number from 0')
        self._epoch[0] = epoch
        self._loaded = self._given = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """
        Yield what is this worker's and rank's share of the epoch.

        :raises DatasetBroken: a file is missing or contradicts the metadata.
        :raises StoreFailed: a store does not give a file.
        """
        if self._given:
            # It goes on once; after that a pass has the whole epoch.
            self._loaded = None
        reader, readers = self._reader()
        state = self._begin()
        if readers != state['readers'] or str(reader) not in state['given'] and self._loaded:
            raise DatasetError(
                f'{self.root}: worker {reader} of {readers} found a state of workers '
                f'{sorted(state["given"])} of {state["readers"]}, expected as many as when it '
                'was taken, and its own')
        skip = state['given'].get(str(reader), 0)
        self._given = reader, skip
        for item in self._stream.items(state['epoch'], reader, readers, skip):
            skip += 1
            self._given = reader, skip
            yield self._tensors(item)

    def _begin(self) -> dict[str, Any]:
        """Return where the next or the current pass begins."""
        if self._loaded and self._loaded['epoch'] == int(self._epoch):
            return self._loaded
        self._loaded = None
        reader, readers = self._reader()
        return self._state(readers, 0, {str(reader): 0})

    def _reader(self) -> tuple[int, int]:
        """Return the number of this worker among those of all ranks, and how many there are."""
        worker = get_worker_info()
        number, count = (0, 1) if worker is None else (worker.id, worker.num_workers)
        rank, ranks = self._rank()
        first = self._loaded['first'] if self._loaded else 0
        return rank * count + (number + first) % count, count * ranks

    def state_dict(self) -> dict[str, Any]:
        """
        Return where this process stands: after the last item that it took.

        With workers each has a state of its own, which torchdata's StatefulDataLoader collects;
        with a plain DataLoader take `state_after`.
        """
        begin = self._begin()
        if self._given is None:
            return begin
        reader, given = self._given
        return self._state(begin['readers'], begin['first'], {str(reader): given})

    def state_after(self, batches: int, batch_size: int, num_workers: int = 0) -> dict[str, Any]:
        """
        Return where this rank stands after batches that a plain DataLoader has given.

        It counts from the begin of the pass, which may have gone on from a state itself. The next
        batch after `load_state_dict` is then the one that would have come.

        :raises DatasetError: a worker may have come to its end before. From there on the order of
            batches is a matter of time; take the state of an earlier batch, or go to the next
            epoch.
        """
        count = max(1, num_workers)
        rank, ranks = self._rank()
        begin = self._begin()
        given = {}
        for number in range(count):
            reader = rank * count + (number + begin['first']) % count
            taken = batch_size * (batches // count + (number < batches % count))
            given[str(reader)] = begin['given'].get(str(reader), 0) + taken
            there = self._stream.length(int(self._epoch), reader, count * ranks)
            if given[str(reader)] > there:
                raise DatasetError(f'found {batches} batches of {batch_size}, but worker {reader} '
                                   f'has only {there} items; take the state of an earlier batch')
        return self._state(count * ranks, (begin['first'] + batches) % count, given)

    def _state(self, readers: int, first: int, given: dict[str, int]) -> dict[str, Any]:
        return {'epoch': int(self._epoch), 'readers': readers, 'first': first, 'given': given,
                'order': self._order()}

    def _order(self) -> str:
        plan = self._stream.plan
        text = json.dumps([list(plan.episodes), list(plan.lengths), plan.run, plan.shuffle,
                           plan.buffer, plan.shards, plan.seed])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """
        Let the next iterator go on where a state was taken, in its epoch.

        :raises DatasetError: it is of another dataset, selection, seed or buffer.
        """
        if {'epoch', 'readers', 'first', 'given', 'order'} - state.keys():
            raise DatasetError(f'found a state with {sorted(state)}, expected one of state_dict()')
        if state['order'] != self._order():
            raise DatasetError(f'{self.root}: found a state of another dataset, selection of '
                               'episodes, seed, shuffle, buffer or number of shards')
        self.set_epoch(int(state['epoch']))
        self._loaded = dict(state)

    def _tensors(self, item: dict[str, Any]) -> dict[str, Any]:
        features = self.meta.info.features
        for name, value in item.items():
            if name in features and features[name].dtype in ('video', 'image'):
                item[name] = self._picture(value, features[name])
            elif isinstance(value, (np.ndarray, np.generic)):
                item[name] = _number(value)
        return item

    def _picture(self, value: np.ndarray[Any, Any], feature: Feature) -> Any:
        picture = torch.from_numpy(value).movedim(-1, -3).contiguous()
        if is_depth(feature):
            return picture
        if not (self._return_uint8 and feature.is_video):
            picture = picture.to(torch.float32).div_(255)
        return self.image_transforms(picture) if self.image_transforms else picture


def _number(value: np.ndarray[Any, Any] | np.generic) -> torch.Tensor:
    """Return a tensor of the types that LeRobot gives: float32, int64 and bool."""
    kind = {'f': np.float32, 'i': np.int64, 'u': np.int64, 'b': np.bool_}[value.dtype.kind]
    return torch.from_numpy(np.array(value, kind))


def _place(
    repo_id: str, root: str | Path | None, revision: str | None, sync: bool, repo_type: str,
    token: str | bool | None,
) -> tuple[str | Path, dict[str, Any]]:
    """Return folder or URL of a dataset, and what its store takes."""
    if root is not None and ('://' in os.fspath(root) or (Path(root) / INFO).is_file()):
        return root, {}
    check_repo_id(repo_id)
    known = default_root(repo_id)
    if root is None and revision is None and not sync and (known / INFO).is_file():
        return known, {}
    options: dict[str, Any] = {'token': token}
    if endpoint := os.environ.get('HF_ENDPOINT'):
        options['endpoint'] = endpoint
    if repo_type == 'bucket':
        return f'hf://buckets/{repo_id}', options
    api = client(token if isinstance(token, str) else None)
    return f'hf://datasets/{repo_id}@{resolve(api, repo_id, revision).commit}', options
