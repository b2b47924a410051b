# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""LeRobotDataset gives what the files hold, alone, in batches and in workers."""
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
import json
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
import tarfile
from typing import Any

from apprentice_dataset import frame_cache
from apprentice_dataset.decoder_cache import DecoderCache
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.reader import Dataset
from apprentice_dataset.torch import EpisodeBlockSampler
from apprentice_dataset.torch import LeRobotDataset
from apprentice_dataset.torch.decoders import TorchcodecFile
import numpy as np
import pytest
from recording import BITS
from recording import FRONT
from recording import HEIGHT
from recording import make
from recording import number_in
from recording import WIDTH
from recording import WRIST
import torch
from torch.utils.data import DataLoader

pytestmark = pytest.mark.filterwarnings('ignore:This DataLoader will create')
GOLDEN = Path(__file__).with_name('golden')
LENGTHS = (7, 5, 9)
WINDOWS = {WRIST: [-1 / 30, 0], 'action': [-1 / 30, 0, 1 / 30, 2 / 30]}


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset of three episodes, an mp4 a camera each."""
    folder = tmp_path_factory.mktemp('items') / 'dataset'
    make(folder, *LENGTHS)
    return folder


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let a worker that is forked find no threads of torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seen(picture: torch.Tensor) -> int:
    """Read the number drawn into a picture."""
    return number_in(picture.movedim(0, -1).numpy() * 255)


def place(index: int) -> tuple[int, int]:
    """Return episode and frame of a row."""
    for episode, length in enumerate(LENGTHS):
        if index < length:
            return episode, index
        index -= length
    raise AssertionError(index)


def check(item: dict[str, Any], index: int) -> None:
    """Hold an item with `WINDOWS` to its row."""
    episode, frame = place(index)
    last = LENGTHS[episode] - 1
    assert list(item) == [FRONT, WRIST, 'observation.state', 'action', 'timestamp', 'frame_index',
                          'episode_index', 'index', 'task_index', f'{WRIST}_is_pad',
                          'action_is_pad', 'task']
    assert (int(item['index']), int(item['episode_index']), int(item['frame_index'])) \
        == (index, episode, frame)
    assert seen(item[FRONT]) == frame and item[FRONT].shape == (3, HEIGHT, WIDTH)
    assert [seen(one) for one in item[WRIST]] == [
        (1000 + max(0, frame - 1)) % 2 ** BITS, 1000 + frame]
    assert item[f'{WRIST}_is_pad'].tolist() == [frame == 0, False]
    wanted = [frame + offset for offset in (-1, 0, 1, 2)]
    assert item['action'][:, 0].tolist() == [min(max(one, 0), last) for one in wanted]
    assert item['action_is_pad'].tolist() == [not 0 <= one <= last for one in wanted]
    assert item['index'].dtype == torch.int64 and item['timestamp'].dtype == torch.float32
    assert item['index'].shape == () and item['task'] == 'pick the cube'


@pytest.mark.parametrize('backend', ['torchcodec', 'pyav'])
def test_every_item(backend: str, root: Path) -> None:
    """Rows, windows and pictures of every item, one by one and all at once, in any order."""
    dataset = LeRobotDataset('a/b', root, delta_timestamps=WINDOWS, video_backend=backend)
    assert (len(dataset), dataset.num_frames, dataset.num_episodes, dataset.fps) == (21, 21, 3, 30)
    for index in range(len(dataset)):
        check(dataset[index], index)
    order = [20, 3, 3, 0, 12, 7, 11, 6]
    for index, item in zip(order, dataset.__getitems__(order)):
        check(item, index)
    check(dataset[-1], 20)
    assert [int(item['index']) for item in dataset[4:8]] == [4, 5, 6, 7]
    with pytest.raises(IndexError):
        dataset[21]


def test_backends_agree(root: Path) -> None:
    """Both decoders give the same pixels, and uint8 the same as float."""
    one = LeRobotDataset('a/b', root, video_backend='torchcodec')[9]
    two = LeRobotDataset('a/b', root, video_backend='pyav', return_uint8=True)[9]
    assert two[FRONT].dtype == torch.uint8
    assert (one[FRONT] * 255 - two[FRONT]).abs().max() <= 2
    with pytest.raises(DatasetError, match='video_backend'):
        LeRobotDataset('a/b', root, video_backend='other')


def test_chosen_episodes(root: Path) -> None:
    """Episodes come in the order of the dataset and keep their numbers; a filter chooses too."""
    dataset = LeRobotDataset('a/b', root, episodes=[2, 0], delta_timestamps=WINDOWS)
    rows = [*range(7), *range(12, 21)]
    assert len(dataset) == 16
    for index, item in zip(rows, dataset[:]):
        check(item, index)
    filtered = LeRobotDataset('a/b', root, episode_filter=lambda row: row['length'] > 5)
    assert [int(item['index']) for item in filtered[:]] == rows
    with pytest.raises(DatasetError, match='episode_filter'):
        LeRobotDataset('a/b', root, episode_filter=lambda row: False)
    for wrong in ([3], [-1], []):
        with pytest.raises(DatasetError):
            LeRobotDataset('a/b', root, episodes=wrong)


@pytest.mark.parametrize('backend', ['torchcodec', 'pyav'])
def test_smaller_pictures(backend: str, root: Path) -> None:
    """They are scaled while they are decoded and show the same."""
    small = LeRobotDataset('a/b', root, size=(24, 32), video_backend=backend)[10][FRONT]
    whole = LeRobotDataset('a/b', root, video_backend=backend)[10][FRONT]
    assert small.shape == (3, 24, 32)
    folded = whole.reshape(3, 24, 2, 32, 2).mean((2, 4))
    assert (small - folded).abs().mean() < 0.03
    with pytest.raises(DatasetError, match='size'):
        LeRobotDataset('a/b', root, size=(0, 32))


def test_transforms(root: Path) -> None:
    """A transform gets pictures only, and can be taken away."""
    dataset = LeRobotDataset('a/b', root, image_transforms=lambda picture: picture * 0)
    assert dataset[5][FRONT].max() == 0 and dataset[5]['action'][0] == 5
    dataset.clear_image_transforms()
    assert dataset[5][FRONT].max() > 0.5


@pytest.mark.parametrize(('workers', 'method'), [(0, None), (2, 'fork'), (2, 'spawn')])
def test_loader(workers: int, method: str | None, root: Path) -> None:
    """Batches of blocks hold every item once, whatever process made them."""
    dataset = LeRobotDataset('a/b', root, delta_timestamps=WINDOWS)
    check(dataset[0], 0)
    sampler = EpisodeBlockSampler(dataset, 4, 3)
    found = []
    for batch in DataLoader(dataset, batch_sampler=sampler, num_workers=workers,
                            multiprocessing_context=method):
        for number, index in enumerate(batch['index'].tolist()):
            check({name: value[number] for name, value in batch.items()}, index)
            found.append(index)
    assert sorted(found) == list(range(21)) and found != sorted(found)
    check(dataset[20], 20)


def test_blocks(root: Path) -> None:
    """An epoch has each position once, in runs, and another order than the next; as seeded."""
    dataset = LeRobotDataset('a/b', root)
    sampler = EpisodeBlockSampler(dataset, 21, 4, seed=1)
    first, second = (next(iter(sampler)) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(21)) and first != second
    assert sum(b == a + 1 for a, b in zip(first, first[1:])) >= 10
    assert next(iter(EpisodeBlockSampler(dataset, 21, 4, seed=1))) == first
    assert len(EpisodeBlockSampler(dataset, 4)) == 6
    assert len(list(EpisodeBlockSampler(dataset, 4, drop_last=True))) == 5
    with pytest.raises(DatasetError):
        EpisodeBlockSampler(dataset, 0)


def test_small_cache(root: Path) -> None:
    """With one decoder at a time every item is the same, and no more stay open."""
    cache = DecoderCache(1)
    dataset = LeRobotDataset('a/b', root, delta_timestamps=WINDOWS, decoder_cache=cache)
    order = list(range(0, 21, 4))
    for index, item in zip(order, dataset.__getitems__(order)):
        check(item, index)
    assert len(cache) == 1


def test_goes_to_another_process(root: Path) -> None:
    """It goes whole, after use as well."""
    dataset = LeRobotDataset('a/b', root, delta_timestamps=WINDOWS)
    check(dataset[8], 8)
    check(ForkingPickler.loads(ForkingPickler.dumps(dataset))[8], 8)


def test_metadata_by_known_names(root: Path) -> None:
    """What LeRobot's users ask `meta` for is there."""
    meta = LeRobotDataset('a/b', root).meta
    assert meta.camera_keys == meta.video_keys == [FRONT, WRIST]
    assert meta.image_keys == meta.depth_keys == []
    assert (meta.fps, meta.robot_type, meta.total_episodes, meta.total_frames, meta.total_tasks) \
        == (30, 'test_arm', 3, 21, 1)
    assert meta.shapes['action'] == (3,) and meta.features[FRONT]['dtype'] == 'video'
    assert meta.names['action'] == ['a.pos', 'b.pos', 'c.pos'] and 'action' in meta.stats


@pytest.mark.parametrize('kind', [
    'deleted', 'depth_image', 'depth_metres', 'depth_video', 'files', 'image', 'merged', 'resumed',
    'split', 'video'])
def test_what_lerobot_wrote(kind: str, tmp_path: Path) -> None:
    """Every item of a golden dataset is what the reader of episodes gives, in LeRobot's types."""
    with tarfile.open(GOLDEN / f'{kind}.tar.xz') as archive:
        archive.extractall(tmp_path)
    plain = Dataset.open(tmp_path / kind)
    dataset = LeRobotDataset('a/b', tmp_path / kind, video_backend='pyav')
    items = iter(dataset[:])
    for episode in plain.episodes:
        rows = plain.rows(episode.index).to_pylist()
        frames = {name: plain.frames(episode.index, name) for name in dataset.meta.camera_keys}
        for number, row in enumerate(rows):
            item = next(items)
            assert item['task'] == plain.tasks[row['task_index']]
            for name, feature in plain.info.features.items():
                if name in frames:
                    right = np.moveaxis(frames[name][number], -1, 0).astype(np.float32)
                    scale = 1 if name in dataset.meta.depth_keys else 255
                    assert item[name].dtype == torch.float32
                    assert np.array_equal(item[name].numpy(), right / np.float32(scale)), name
                elif feature.dtype == 'string':
                    assert item[name] == row[name]
                else:
                    assert np.allclose(item[name].numpy(), row[name], rtol=1e-7), name
    assert next(items, None) is None


def test_broken_files(root: Path, tmp_path: Path) -> None:
    """A file that is missing or is no mp4 gives a typed error that names it."""
    make(tmp_path / 'dataset', 3)
    path = next((tmp_path / 'dataset').glob(f'videos/{FRONT}/*/*.mp4'))
    for content in (b'no mp4', None):
        path.write_bytes(content) if content else path.unlink()
        for backend in ('torchcodec', 'pyav'):
            with pytest.raises(DatasetBroken, match=path.name):
                LeRobotDataset('a/b', tmp_path / 'dataset', video_backend=backend)[0]


def test_a_replaced_file_is_seen(tmp_path: Path) -> None:
    """A decoder of what lay there before is not used."""
    make(tmp_path / 'dataset', 4)
    dataset = LeRobotDataset('a/b', tmp_path / 'dataset')
    assert seen(dataset[0][FRONT]) == 0
    front, wrist = (next((tmp_path / 'dataset').glob(f'videos/{one}/*/*.mp4'))
                    for one in (FRONT, WRIST))
    (tmp_path / 'other').write_bytes(wrist.read_bytes())
    (tmp_path / 'other').rename(front)
    assert seen(dataset[0][FRONT]) == 1000


@pytest.mark.parametrize('backend', ['torchcodec', 'pyav'])
def test_pictures_of_another_size(backend: str, tmp_path: Path) -> None:
    """An mp4 that is not of the size in info.json is a typed error that names both."""
    make(tmp_path / 'dataset', 4)
    info = tmp_path / 'dataset' / 'meta' / 'info.json'
    values = json.loads(info.read_text())
    height, width, channels = values['features'][FRONT]['shape']
    values['features'][FRONT]['shape'] = [height + 2, width, channels]
    info.write_text(json.dumps(values))
    dataset = LeRobotDataset('a/b', tmp_path / 'dataset', video_backend=backend)
    found, told = f'{height}, {width}', f'{height + 2}, {width}'
    with pytest.raises(DatasetBroken, match=f'{found}.*{told}.*info.json'):
        dataset[0]


def test_frames_beyond_the_end(root: Path) -> None:
    """A frame that is not there is a typed error, also where torchcodec would clamp."""
    path = next(root.glob(f'videos/{FRONT}/*/*.mp4'))
    with pytest.raises(DatasetBroken, match='no frame 40'):
        list(TorchcodecFile(path, Fraction(30)).frames([1, 40]))


def test_frames_on_disk(root: Path, tmp_path: Path) -> None:
    """From the second time on no mp4 is needed; workers share what is there."""
    options: dict[str, Any] = {'delta_timestamps': WINDOWS, 'frame_cache_bytes': 1 << 30,
                               'frame_cache_folder': tmp_path / 'frames'}
    make(tmp_path / 'dataset', *LENGTHS)
    dataset = LeRobotDataset('a/b', tmp_path / 'dataset', **options)
    for batch in DataLoader(dataset, 4, num_workers=2, multiprocessing_context='fork'):
        for number, index in enumerate(batch['index'].tolist()):
            check({name: value[number] for name, value in batch.items()}, index)
    cache = DecoderCache()
    again = LeRobotDataset('a/b', tmp_path / 'dataset', decoder_cache=cache, **options)
    for index in range(21):
        check(again[index], index)
    assert len(cache) == 0
    assert sum(path.stat().st_size for path in (tmp_path / 'frames').glob('*.frames')) \
        == 2 * 21 * HEIGHT * WIDTH * 3
    plain = LeRobotDataset('a/b', tmp_path / 'dataset')
    assert torch.equal(plain[3][FRONT], again[3][FRONT])


def test_frames_of_before_a_restart_are_decoded_again(
        root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a power failure took is not given as a black picture."""
    options: dict[str, Any] = {'frame_cache_bytes': 1 << 30, 'frame_cache_folder': tmp_path}
    before = LeRobotDataset('a/b', root, **options)[3]
    for path in tmp_path.glob('*.frames'):
        path.write_bytes(bytes(path.stat().st_size))
    assert not LeRobotDataset('a/b', root, **options)[3][FRONT].any()
    (tmp_path / 'boot').write_text('another\n')
    monkeypatch.setattr(frame_cache, '_BOOT', tmp_path / 'boot')
    assert torch.equal(LeRobotDataset('a/b', root, **options)[3][FRONT], before[FRONT])
    assert len(list(tmp_path.glob('*.there'))) == 2


def test_frames_beyond_the_limit(root: Path, tmp_path: Path) -> None:
    """A camera that does not fit is decoded, and nothing of it is written."""
    one = 21 * HEIGHT * WIDTH * 3
    dataset = LeRobotDataset('a/b', root, delta_timestamps=WINDOWS, frame_cache_bytes=one,
                             frame_cache_folder=tmp_path)
    for index in (3, 3, 20):
        check(dataset[index], index)
    assert sum(path.stat().st_size for path in tmp_path.glob('*.frames')) == one
