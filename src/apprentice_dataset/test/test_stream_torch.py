# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""StreamingLeRobotDataset shares its items over workers and ranks, and goes on where it was."""
from __future__ import annotations

from collections.abc import Iterator
import json
import multiprocessing
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
import random
from typing import Any

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.stream import Stream
from apprentice_dataset.torch.streaming import StreamingLeRobotDataset
import numpy as np
import pytest
from recording import FRONT
from recording import HEIGHT
from recording import WIDTH
from streamed import FRAMES
from streamed import in_memory
from streamed import LAYOUTS
from streamed import layouts
from streamed import place_of
import torch
from torch import distributed
from torch.utils.data import DataLoader

pytestmark = pytest.mark.filterwarnings('ignore:This DataLoader will create')
WINDOWS = {FRONT: [-1 / 30, 0], 'action': [0, 1 / 30, 2 / 30]}


@pytest.fixture(scope='module')
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the layouts."""
    return layouts(tmp_path_factory.mktemp('streamed'))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let a worker that is forked find no threads of torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def opened(root: Path | str, **options: Any) -> StreamingLeRobotDataset:
    """Open a dataset with a small buffer."""
    return StreamingLeRobotDataset(
        'some/dataset', root, **{'buffer_size': 20, 'max_num_shards': 3, **options})


def batches(
    dataset: StreamingLeRobotDataset, workers: int = 0, size: int = 4, **options: Any,
) -> list[list[int]]:
    """Return the row numbers of all batches of a loader."""
    return [batch['index'].tolist() for batch in DataLoader(
        dataset, size, num_workers=workers, **options)]


@pytest.mark.parametrize('layout', LAYOUTS)
def test_items_are_tensors(layout: str, roots: dict[str, Path]) -> None:
    """They hold what the core gives: pictures as float32 CHW from 0 to 1, int64, float32, bool."""
    dataset = opened(roots[layout], delta_timestamps=WINDOWS, shuffle=False)
    right = Stream(roots[layout], delta_timestamps=WINDOWS, shuffle=False).items()
    count = 0
    for item, plain in zip(dataset, right):
        assert list(item) == list(plain)
        for name, value in plain.items():
            if name == 'task':
                assert item[name] == value
            elif name.startswith('observation.images') and not name.endswith('_is_pad'):
                assert item[name].dtype == torch.float32
                back = np.moveaxis(item[name].numpy(), -3, -1)
                assert np.array_equal(back, value.astype(np.float32) / np.float32(255))
            else:
                assert np.array_equal(item[name].numpy(), value), name
        count += 1
    assert count == len(FRAMES) == dataset.num_frames and dataset.num_episodes == 7
    assert item[FRONT].shape == (2, 3, HEIGHT, WIDTH) and item['action'].shape == (3, 3)
    assert item['timestamp'].shape == () and item['index'].dtype == torch.int64
    assert item['next.done'].dtype == item['action_is_pad'].dtype == torch.bool


def test_bytes_and_transforms(roots: dict[str, Path]) -> None:
    """Pictures stay uint8 on demand; a transform gets cameras only."""
    plain = next(iter(opened(roots['joined'], shuffle=False)))
    item = next(iter(opened(roots['joined'], shuffle=False, return_uint8=True)))
    assert item[FRONT].dtype == torch.uint8
    assert torch.equal(item[FRONT].to(torch.float32) / 255, plain[FRONT])
    item = next(iter(opened(roots['joined'], shuffle=False, image_transforms=lambda x: -x)))
    assert torch.equal(item[FRONT], -plain[FRONT])
    assert torch.equal(item['observation.state'], plain['observation.state'])


@pytest.mark.parametrize('workers', [1, 2, 3, 5])
def test_workers_and_ranks_share(workers: int, roots: dict[str, Path]) -> None:
    """Two ranks with any number of workers give every item once."""
    found = []
    for rank in range(2):
        dataset = opened(roots['joined'], rank=rank, world_size=2)
        for batch in DataLoader(dataset, 4, num_workers=workers):
            found += zip(batch['episode_index'].tolist(), batch['frame_index'].tolist())
    assert sorted(found) == FRAMES


def test_workers_read_stores_and_keep_the_order(roots: dict[str, Path], tmp_path: Path) -> None:
    """One worker, unshuffled, on a store: the dataset's order."""
    url = in_memory(roots['mp4s'], 'workers')
    dataset = opened(url, shuffle=False, cache_folder=tmp_path)
    next(iter(dataset))
    assert sum(batches(dataset, 1), []) == list(range(len(FRAMES)))


def _rank(rank: int, root: Path, store: Path, results: Any) -> None:
    distributed.init_process_group('gloo', f'file://{store}', rank=rank, world_size=2)
    dataset = opened(root)
    results.put([place_of(item) for item in ForkingPickler.loads(ForkingPickler.dumps(dataset))])
    distributed.destroy_process_group()


def test_ranks_are_those_of_torch_distributed(roots: dict[str, Path], tmp_path: Path) -> None:
    """Without arguments too, and in a copy that went to another process."""
    context = multiprocessing.get_context('fork')
    results = context.SimpleQueue()
    processes = [context.Process(target=_rank, args=(rank, roots['joined'], tmp_path / 'store',
                                                     results)) for rank in range(2)]
    for process in processes:
        process.start()
    shares = [results.get() for _ in processes]
    for process in processes:
        process.join()
    assert sorted(shares[0] + shares[1]) == FRAMES and all(shares)


def test_goes_on_in_one_process(roots: dict[str, Path]) -> None:
    """A state taken after any item, through JSON, leads to the next one."""
    dataset = opened(roots['joined'])
    dataset.set_epoch(3)
    whole = [place_of(item) for item in dataset]
    for taken in [0, 1, *random.Random(2).sample(range(len(FRAMES)), 2), len(FRAMES)]:
        dataset = opened(roots['joined'])
        dataset.set_epoch(3)
        items = iter(dataset)
        for _ in range(taken):
            next(items)
        state = json.loads(json.dumps(dataset.state_dict()))
        other = opened(roots['joined'])
        other.load_state_dict(state)
        assert other.state_dict() == state
        assert [place_of(item) for item in other] == whole[taken:]
    assert [place_of(item) for item in other] == whole


@pytest.mark.parametrize('workers', [0, 2])
def test_a_plain_loader_goes_on(workers: int, roots: dict[str, Path]) -> None:
    """The batches after a state, and after one taken on from there, are those that were left."""
    whole = batches(opened(roots['joined']), workers, 3)
    first = opened(roots['joined'])
    second = opened(roots['joined'])
    second.load_state_dict(first.state_after(3, 3, workers))
    assert batches(second, workers, 3) == whole[3:]
    third = opened(roots['joined'])
    second = opened(roots['joined'])
    second.load_state_dict(first.state_after(3, 3, workers))
    third.load_state_dict(second.state_after(4, 3, workers))
    assert batches(third, workers, 3) == whole[7:]
    with pytest.raises(DatasetError, match='take the state of an earlier batch'):
        first.state_after(len(whole) + 1, 3, workers)


def test_each_worker_goes_on_by_its_own_state(roots: dict[str, Path]) -> None:
    """As torchdata's loader does it: states are taken and given back inside the workers."""
    whole = batches(opened(roots['joined']), 2, 1)
    states = list(DataLoader(_States(opened(roots['joined']), [5, 8]), None, num_workers=2))
    resumed = DataLoader(_Resumed(opened(roots['joined']), states), 1, num_workers=2)
    found = [batch['index'].tolist() for batch in resumed]
    assert sorted(found) == sorted(whole[0::2][5:] + whole[1::2][8:])[:len(found)]
    assert len(found) == len(whole) - 13


class _States(torch.utils.data.IterableDataset[Any]):
    """Give the state of each worker after so many items."""

    def __init__(self, dataset: StreamingLeRobotDataset, counts: list[int]) -> None:
        self._dataset, self._counts = dataset, counts

    def __iter__(self) -> Iterator[Any]:
        worker = torch.utils.data.get_worker_info().id
        items = iter(self._dataset)
        for _ in range(self._counts[worker]):
            next(items)
        yield self._dataset.state_dict()


class _Resumed(torch.utils.data.IterableDataset[Any]):
    """Give each worker its state back."""

    def __init__(self, dataset: StreamingLeRobotDataset, states: list[Any]) -> None:
        self._dataset, self._states = dataset, states

    def __iter__(self) -> Iterator[Any]:
        self._dataset.load_state_dict(self._states[torch.utils.data.get_worker_info().id])
        yield from self._dataset


def test_states_that_do_not_fit(roots: dict[str, Path]) -> None:
    """Another seed, selection or number of workers, or no state at all, is refused."""
    state = opened(roots['joined']).state_dict()
    for other in ({'seed': 1}, {'episodes': [1, 2]}, {'buffer_size': 5}, {'shuffle': False}):
        with pytest.raises(DatasetError, match='state of another'):
            opened(roots['joined'], **other).load_state_dict(state)
    with pytest.raises(DatasetError, match='expected one of state_dict'):
        opened(roots['joined']).load_state_dict({'epoch': 1})
    dataset = opened(roots['joined'], rank=0, world_size=2)
    dataset.load_state_dict(opened(roots['joined']).state_after(2, 2))
    with pytest.raises(DatasetError, match='as many as when it was taken'):
        next(iter(dataset))


def test_workers_that_stay_see_the_epoch(roots: dict[str, Path]) -> None:
    """Each epoch has an order of its own, the same one for the same number."""
    dataset = opened(roots['joined'])
    loader = DataLoader(dataset, 4, num_workers=1, persistent_workers=True)
    orders = []
    for epoch in (0, 1, 0):
        dataset.set_epoch(epoch)
        orders.append(sum((batch['index'].tolist() for batch in loader), []))
    assert orders[0] == orders[2] != orders[1]
    assert all(sorted(order) == list(range(len(FRAMES))) for order in orders)
    assert orders[1] != sorted(orders[1])


def test_an_error_in_a_worker_names_the_file(tmp_path: Path) -> None:
    """A file that vanished under way reaches the training loop with its name."""
    root = layouts(tmp_path)['mp4s']
    dataset = opened(root)
    path = root / 'videos/observation.images.wrist/chunk-000/file-004.mp4'
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises((DatasetError, RuntimeError), match='wrist/chunk-000/file-004.mp4: found'):
        batches(dataset, 1)


def test_rng_gives_the_seed(roots: dict[str, Path]) -> None:
    """As lerobot's argument does; equal generators give equal orders."""
    orders = [[place_of(item) for item in opened(
        roots['joined'], rng=np.random.default_rng(seed))] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_lerobots_folder_is_found(
    roots: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A dataset that lies where lerobot keeps it is read there; the Hub is asked for others."""
    (tmp_path / 'some').mkdir()
    (tmp_path / 'some/dataset').symlink_to(roots['joined'])
    monkeypatch.setenv('HF_LEROBOT_HOME', str(tmp_path))
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    assert StreamingLeRobotDataset('some/dataset').num_frames == len(FRAMES)
    for arguments in (('some/other',), ('some/other', tmp_path / 'nothing')):
        with pytest.raises(DatasetError, match='HF_HUB_OFFLINE'):
            StreamingLeRobotDataset(*arguments)
