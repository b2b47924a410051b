# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a stream does with stores that fail, lie or change."""
from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.stores import open_store
from apprentice_dataset.stores import StoreFailed
from apprentice_dataset.stream import Stream
import fsspec
from fsspec.implementations.memory import MemoryFileSystem
import pytest
from streamed import FRAMES
from streamed import in_memory
from streamed import layouts
from streamed import place_of


class FaultyFileSystem(MemoryFileSystem):
    """Lose connections, cut answers, list nothing: each as the class is told."""

    protocol = 'faulty'
    cachable = False
    fails: int = 0
    lost: str = '?'
    lists: bool = True
    asked = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return MemoryFileSystem._strip_protocol(path.replace('faulty://', 'memory://'))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None,
                 **options: Any) -> bytes:
        """Fail on the first, cut the second of every `fails` answers; never give `lost`."""
        cls = type(self)
        cls.asked += 1
        if cls.lost in path or cls.fails and cls.asked % cls.fails == 0:
            raise ConnectionResetError('connection reset by peer')
        data = super().cat_file(path, start, end, **options)
        return data[:-1] if cls.fails and end and cls.asked % cls.fails == 1 else data

    def find(self, path: str, *arguments: Any, **options: Any) -> Any:
        """List, or say that there is no listing."""
        return super().find(path, *arguments, **options) if type(self).lists else {}


fsspec.register_implementation('faulty', FaultyFileSystem, clobber=True)


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset with an mp4 an episode."""
    return layouts(tmp_path_factory.mktemp('stores'))['mp4s']


@pytest.fixture
def faulty() -> Iterator[type[FaultyFileSystem]]:
    """Return the file system, which does its work again afterwards."""
    FaultyFileSystem.asked = 0
    yield FaultyFileSystem
    FaultyFileSystem.fails, FaultyFileSystem.lost, FaultyFileSystem.lists = 0, '?', True


def test_lost_connections_and_cut_answers_are_repeated(
    root: Path, faulty: type[FaultyFileSystem], tmp_path: Path,
) -> None:
    """Two of eight answers are none, and yet every item comes, whole."""
    url = in_memory(root, 'flaky', 'faulty')
    faulty.fails = 8
    stream = Stream(url, shuffle=False, cache_folder=tmp_path)
    assert [place_of(item) for item in stream.items()] == FRAMES
    assert faulty.asked > 16


@pytest.mark.parametrize('lost', [
    'videos/observation.images.wrist/chunk-000/file-003.mp4', 'data/chunk-000/file-000.parquet',
    'meta/tasks.parquet'])
def test_a_store_that_gives_up_names_the_file(
    lost: str, root: Path, faulty: type[FaultyFileSystem], tmp_path: Path,
) -> None:
    """After four tries there is one error of ours, also through the decoder and PyArrow."""
    url = in_memory(root, 'lost', 'faulty')
    faulty.lost = lost
    with pytest.raises(StoreFailed, match=f'faulty://lost/{lost}: ConnectionResetError'):
        list(Stream(url, shuffle=False, cache_folder=tmp_path).items())


@pytest.mark.parametrize('missing', [
    'videos/observation.images.wrist/chunk-000/file-003.mp4', 'data/chunk-000/file-000.parquet',
    'meta/info.json'])
@pytest.mark.parametrize('remote', [False, True])
def test_a_missing_file_is_named(
    missing: str, remote: bool, root: Path, tmp_path: Path,
) -> None:
    """It is not asked for again and again, in a folder as in a store."""
    url = in_memory(root, 'missing')
    (copy := tmp_path / 'copy').mkdir()
    fsspec.filesystem('memory').get('/missing/', f'{copy}/', recursive=True)
    if remote:
        fsspec.filesystem('memory').rm(f'/missing/{missing}')
    else:
        (copy / missing).unlink()
    with pytest.raises(DatasetBroken, match=f'{missing}: found no such file'):
        list(Stream(url if remote else copy, shuffle=False,
                    **({'cache_folder': tmp_path / 'cache'} if remote else {})).items())


def test_a_server_that_lists_nothing(
    root: Path, faulty: type[FaultyFileSystem], tmp_path: Path,
) -> None:
    """The files below meta/ are found by their names."""
    faulty.lists = False
    store = open_store(in_memory(root, 'unlisted', 'faulty'), cache_folder=tmp_path)
    folder = store.metadata_folder()
    found = {str(path.relative_to(folder)): path.read_bytes()
             for path in folder.rglob('*') if path.is_file()}
    assert found == {str(path.relative_to(root)): path.read_bytes()
                     for path in (root / 'meta').rglob('*') if path.is_file()}
    assert store.metadata_folder() == folder


def test_metadata_is_fetched_once_a_version(
    root: Path, faulty: type[FaultyFileSystem], tmp_path: Path,
) -> None:
    """Another reader takes it from the cache; when it changes it is fetched anew."""
    url = in_memory(root, 'changing', 'faulty')
    stream = Stream(url, cache_folder=tmp_path)
    asked = faulty.asked
    assert open_store(url, cache_folder=tmp_path).metadata_folder() == stream.metadata.root
    assert faulty.asked == asked
    info = json.loads((root / 'meta/info.json').read_text())
    fsspec.filesystem('faulty').pipe_file(
        '/changing/meta/info.json', json.dumps({**info, 'robot_type': 'other'}).encode())
    assert Stream(url, cache_folder=tmp_path).metadata.info.robot_type == 'other'
    assert not list(tmp_path.glob('*partial*'))


def test_listed_paths_do_not_leave_the_cache(root: Path, tmp_path: Path) -> None:
    """A name with `..` is not written."""
    url = in_memory(root, 'hostile')
    store = fsspec.filesystem('memory')
    store.store['/hostile/meta/../../../evil'] = store.store['/hostile/meta/info.json']
    cache = tmp_path / 'a/b/cache'
    Stream(url, cache_folder=cache)
    del store.store['/hostile/meta/../../../evil']
    assert not list(tmp_path.rglob('evil'))


def test_a_read_only_disk_is_named(root: Path, tmp_path: Path) -> None:
    """One line says that the cache cannot be written."""
    (tmp_path / 'file').write_text('')
    with pytest.raises(DatasetError, match='file/cache: Not a directory'):
        Stream(in_memory(root, 'full'), cache_folder=tmp_path / 'file/cache')


def test_unknown_protocols(tmp_path: Path) -> None:
    """They are refused with what fsspec says of them."""
    with pytest.raises(DatasetError, match='nonsense://a'):
        open_store('nonsense://a')


def test_a_folder_needs_no_fsspec(root: Path) -> None:
    """Neither fsspec nor torch is imported for what lies on a disk."""
    code = ('import sys; from apprentice_dataset.stream import Stream; '
            f'print(sum(1 for _ in Stream({str(root)!r}).items())); '
            'print({"fsspec", "torch", "huggingface_hub"} & set(sys.modules))')
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                            check=True)
    assert result.stdout.split('\n')[:2] == [str(len(FRAMES)), 'set()']
