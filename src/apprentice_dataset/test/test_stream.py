# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A stream gives every item once, with its own pictures, in an order that can be told again."""
from __future__ import annotations

import gc
import os
from pathlib import Path
import random
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.reader import Dataset
from apprentice_dataset.stream import Stream
from apprentice_dataset.stream_order import Order
from apprentice_dataset.stream_order import Plan
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import WRIST
from streamed import check_item
from streamed import FRAMES
from streamed import in_memory
from streamed import LAYOUTS
from streamed import layouts
from streamed import LENGTHS
from streamed import place_of

FPS = 30
# Beyond every episode on both sides, with holes, and not in order.
WINDOWS = {FRONT: [-2, 0, 3], WRIST: [1], 'action': list(range(-150, 151)),
           'observation.state': [5, -30, 0]}


@pytest.fixture(scope='module')
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the layouts."""
    return layouts(tmp_path_factory.mktemp('streamed'))


def seconds(windows: dict[str, list[int]]) -> dict[str, list[float]]:
    """Return windows as `delta_timestamps`."""
    return {name: [offset / FPS for offset in offsets] for name, offsets in windows.items()}


@pytest.mark.parametrize('layout', LAYOUTS)
def test_unshuffled_is_the_dataset(layout: str, roots: dict[str, Path]) -> None:
    """Every item comes in the dataset's order, its rows and pictures are its own."""
    dataset = Dataset.open(roots[layout])
    found = []
    for item in Stream(roots[layout], shuffle=False).items():
        check_item(item, dataset)
        found.append(place_of(item))
    assert found == FRAMES


@pytest.mark.parametrize('layout', LAYOUTS)
def test_windows_never_reach_the_neighbour(layout: str, roots: dict[str, Path]) -> None:
    """Beyond an episode its edge is repeated and marked, whatever the length of the window."""
    dataset = Dataset.open(roots[layout])
    stream = Stream(roots[layout], delta_timestamps=seconds(WINDOWS), buffer_size=30,
                    max_num_shards=3)
    found = []
    for item in stream.items():
        check_item(item, dataset, WINDOWS)
        found.append(place_of(item))
    assert sorted(found) == FRAMES != found


def test_a_store_gives_what_a_folder_gives(roots: dict[str, Path], tmp_path: Path) -> None:
    """By ranges through a cache of a few small blocks, which stays small."""
    url = in_memory(roots['mp4s'], 'mp4s')
    stream = Stream(url, shuffle=False, block_bytes=2048, cache_bytes=8192,
                    cache_folder=tmp_path)
    pairs = 0
    for item, right in zip(stream.items(), Stream(roots['mp4s'], shuffle=False).items()):
        assert list(item) == list(right)
        assert all(np.array_equal(item[name], right[name]) for name in right)
        assert sum(map(len, stream.store._blocks.values())) <= 8192
        pairs += 1
    assert pairs == len(FRAMES)


@pytest.mark.parametrize('layout, readers', [
    *(('joined', readers) for readers in (1, 2, 4, 6, 10)), ('group', 3), ('group', 10)])
def test_readers_share_without_overlap_or_loss(
    layout: str, readers: int, roots: dict[str, Path],
) -> None:
    """Whatever their number; it is told beforehand how many items each one has."""
    stream = Stream(roots[layout], buffer_size=16, max_num_shards=2)
    dataset = Dataset.open(roots[layout])
    found = []
    for reader in range(readers):
        share = list(stream.items(3, reader, readers))
        assert len(share) == stream.length(3, reader, readers)
        for item in share:
            check_item(item, dataset)
        found += [place_of(item) for item in share]
    assert sorted(found) == FRAMES


@pytest.mark.parametrize('shuffle', [False, True])
def test_chosen_episodes_only(shuffle: bool, roots: dict[str, Path]) -> None:
    """In the dataset's order, with their own numbers; the files of others are not touched."""
    stream = Stream(roots['mp4s'], [5, 1, 5], shuffle=shuffle, delta_timestamps=seconds(WINDOWS))
    dataset = Dataset.open(roots['mp4s'])
    items = list(stream.items())
    for item in items:
        check_item(item, dataset, WINDOWS)
    found = [place_of(item) for item in items]
    right = [place for place in FRAMES if place[0] in (1, 5)]
    assert (sorted(found) if shuffle else found) == right and len(stream) == len(right)


def test_order_follows_from_seed_and_epoch(roots: dict[str, Path]) -> None:
    """The same again for the same, another for the next epoch and for another seed."""
    def order(seed: int, epoch: int) -> list[tuple[int, int]]:
        stream = Stream(roots['joined'], seed=seed, buffer_size=40)
        return [(chunk.episode, frame) for chunk, frame in Order(stream.plan, epoch, 0, 1)]
    orders = [order(1, 0), order(1, 1), order(2, 0)]
    assert order(1, 0) == orders[0] and order(1, 1) == orders[1]
    assert len({tuple(one) for one in orders}) == 3
    assert all(sorted(one) == FRAMES for one in orders)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.integers(1, 9),
       st.integers(1, 6), st.integers(1, 60), st.integers(1, 5), st.booleans())
def test_any_order_is_whole(
    lengths: list[int], readers: int, run: int, buffer: int, shards: int, shuffle: bool,
) -> None:
    """Each frame comes once, whatever the lengths, and no more wait than the buffer may hold."""
    plan = Plan(range(len(lengths)), lengths, run, shuffle, buffer, shards)
    found = []
    for reader in range(readers):
        waiting: dict[int, Any] = {}
        for chunk, frame in Order(plan, 0, reader, readers):
            waiting[id(chunk)] = chunk
            found.append((chunk.episode, frame))
            assert sum(len(one.left) for one in waiting.values()) < buffer + plan.chunk
    assert sorted(found) == [(episode, frame) for episode, length in enumerate(lengths)
                             for frame in range(length)]


@pytest.mark.parametrize('shuffle', [False, True])
def test_goes_on_anywhere(shuffle: bool, roots: dict[str, Path]) -> None:
    """What comes after n items is what would have come, for any n."""
    stream = Stream(roots['joined'], shuffle=shuffle, buffer_size=25, max_num_shards=3)
    whole = [place_of(item) for item in stream.items(2, 1, 2)]
    for skip in [0, *random.Random(5).sample(range(len(whole)), 4), len(whole), len(whole) + 3]:
        rest = list(stream.items(2, 1, 2, skip))
        assert [place_of(item) for item in rest] == whole[skip:]
    dataset = Dataset.open(roots['joined'])
    for item in stream.items(2, 1, 2, 7):
        check_item(item, dataset)


def test_buffer_is_bounded_by_bytes(roots: dict[str, Path]) -> None:
    """Large pictures make it smaller; one item always fits."""
    item_bytes = 2 * 48 * 64 * 3
    assert Stream(roots['joined'], buffer_bytes=10 * item_bytes).plan.buffer == 10
    assert Stream(roots['joined'], buffer_bytes=1).plan.buffer == 1
    long = Stream(roots['joined'], buffer_bytes=10 * item_bytes,
                  delta_timestamps={FRONT: [0, 1 / FPS, 2 / FPS]})
    assert long.plan.buffer == 5


def test_open_files_are_bounded_and_closed(roots: dict[str, Path]) -> None:
    """So many decoders as allowed, none after the end, an early one too."""
    def opened() -> list[str]:
        names = []
        for entry in os.listdir('/proc/self/fd'):
            try:
                names.append(os.readlink(f'/proc/self/fd/{entry}'))
            except OSError:
                continue
        return [name for name in names if name.startswith(str(roots['mp4s']))]
    stream = Stream(roots['mp4s'], max_num_shards=7, buffer_size=70, max_decoders=4)
    most = 0
    for _ in stream.items():
        most = max(most, sum(name.endswith('.mp4') for name in opened()))
    assert most == 4 and opened() == []
    items = stream.items()
    next(items)
    assert opened()
    items.close()
    gc.collect()
    assert opened() == []


@pytest.mark.parametrize('wrong', [
    {'episodes': [7]}, {'episodes': [-1]}, {'episodes': []}, {'buffer_size': 0},
    {'max_num_shards': 0}, {'max_decoders': 0}, {'depth_output_unit': 'cm'},
    {'delta_timestamps': {'nothing': [0]}}, {'delta_timestamps': {'action': []}},
    {'delta_timestamps': {'action': [0.01]}}, {'delta_timestamps': {'action': [float('nan')]}}])
def test_impossible_wishes(wrong: dict[str, Any], roots: dict[str, Path]) -> None:
    """They are refused at once."""
    with pytest.raises(DatasetError, match='found'):
        Stream(roots['joined'], **wrong)


def test_tolerance_decides_about_windows(roots: dict[str, Path]) -> None:
    """A time off the frames counts as the nearest one within the tolerance."""
    stream = Stream(roots['joined'], delta_timestamps={'action': [0.034]}, tolerance_s=1e-3)
    assert stream.windows['action'].tolist() == [1]


def test_rows_out_of_order_are_refused(tmp_path: Path) -> None:
    """Rows of another episode, or moved in time, never pass for those that are wanted."""
    root = layouts(tmp_path)['group']
    path = root / 'data/chunk-000/file-000.parquet'
    table = pq.read_table(path)
    pq.write_table(table.take(pa.array(np.arange(sum(LENGTHS))[::-1])), path)
    with pytest.raises(DatasetBroken, match='file-000.parquet: index'):
        list(Stream(root, shuffle=False).items())
    late = pc.add(table['timestamp'], pa.scalar(0.01, pa.float32()))
    pq.write_table(table.set_column(
        table.column_names.index('timestamp'), 'timestamp', late), path)
    with pytest.raises(DatasetBroken, match=r'file-000.mp4: found no frame at 0\.01'):
        list(Stream(root, shuffle=False).items())
    assert len(list(Stream(root, shuffle=False, tolerance_s=0.02).items())) == len(FRAMES)
