# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read the files of a dataset where they lie: in a folder, on the Hub, in any fsspec store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Iterator
import hashlib
import io
import json
import os
from pathlib import Path
from pathlib import PurePosixPath
import secrets
import shutil
import threading
import time
from typing import Any
from typing import BinaryIO
from typing import Protocol
from typing import TypeVar

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import storage_errors
from apprentice_dataset.layout import EPISODES_PATH
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.layout import INFO
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.row_cache import cache_home

BLOCK_BYTES = 1 << 20
CACHE_BYTES = 64 << 20
# Metadata of so many datasets stay in the user's cache.
_KEPT, _MOST_METADATA = 16, 4 << 30
_TRIES, _FIRST_WAIT_S = 4, 0.1
_MARKS = ('size', 'ETag', 'etag', 'blob_id', 'mtime', 'LastModified', 'md5Hash', 'created')
_T = TypeVar('_T')


class StoreFailed(DatasetError):
    """Report that a store does not give a file, after several tries."""


class Store(Protocol):
    """Give the files of a dataset by their path below its root; they are only read."""

    name: str

    def metadata_folder(self) -> Path:
        """Return a folder on this machine with everything below meta/."""

    def source(self, path: str) -> str | BinaryIO:
        """Return what PyArrow, PyAV and torchcodec open: a path, or a file to be closed."""


def open_store(place: str | Path, **options: Any) -> Store:
    """
    Return the store behind a folder or a URL such as `hf://datasets/USER/NAME`.

    :param options: what fsspec's file system takes, for example `token`; not for a folder.
    :raises DatasetError: fsspec, or what it needs for this protocol, is not installed.
    """
    text = os.fspath(place)
    return RemoteStore(text, **options) if '://' in text else Folder(Path(text))


class Folder:
    """Give files of a folder; needs no fsspec."""

    def __init__(self, root: Path) -> None:
        """Take the dataset's root."""
        self.name = str(root)
        self._root = root

    def metadata_folder(self) -> Path:
        """Return the dataset itself."""
        return self._root

    def source(self, path: str) -> str:
        """Return the path; DatasetBroken where there is no such file."""
        found = self._root / path
        if not os.path.isfile(found):
            raise DatasetBroken(str(found), 'no such file', 'a file of the dataset',
                                'restore it from a copy')
        return str(found)


class RemoteStore:
    """
    Give files of an fsspec store by ranges, with a block cache that all of them share.

    A request that fails is repeated. A store may go to other processes and be used by threads.
    """

    def __init__(
        self, url: str, *, block_bytes: int = BLOCK_BYTES, cache_bytes: int = CACHE_BYTES,
        cache_folder: Path | None = None, **options: Any,
    ) -> None:
        """
        Take where the dataset lies.

        :param block_bytes: least size of a request.
        :param cache_bytes: limit of the block cache.
        :param cache_folder: where metadata is kept, instead of the user's cache folder.
        """
        self.name = url.rstrip('/')
        self.block_bytes = block_bytes
        self._most_blocks = max(1, cache_bytes // block_bytes)
        self._folder = cache_folder or cache_home() / 'metadata'
        self._options = options
        self._forget()
        self._connected()

    def _forget(self) -> None:
        self._connection: tuple[int, Any, str] | None = None
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        """Go to another process without connection and blocks."""
        return {**self.__dict__, '_connection': None, '_blocks': OrderedDict(), '_lock': None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive in another process."""
        self.__dict__.update(state)
        self._forget()

    def _connected(self) -> tuple[Any, str]:
        """Return file system and root; a process that was forked makes its own."""
        if self._connection is None or self._connection[0] != os.getpid():
            self._forget()
            try:
                import fsspec
                found = fsspec.url_to_fs(self.name, **self._options)
            except ImportError as error:
                raise DatasetError(f'{self.name}: found no module for it ({error}), expected '
                                   'fsspec, which comes with huggingface_hub, and what it names'
                                   ) from None
            except ValueError as error:
                raise DatasetError(f'{self.name}: {error}') from None
            self._connection = os.getpid(), found[0], str(found[1]).rstrip('/')
        return self._connection[1:]

    def _tried(self, where: str, action: Callable[[], _T]) -> _T:
        """Do something with the store, again where it fails; the last failure is StoreFailed."""
        wait = _FIRST_WAIT_S
        for left in reversed(range(_TRIES)):
            try:
                return action()
            except DatasetError:
                raise
            # Each store has exceptions of its own, and of the client below it.
            except Exception as error:
                if _is_missing(error):
                    raise DatasetBroken(where, 'no such file', 'a file of the dataset',
                                        'restore it from a copy') from None
                if not left or isinstance(error, PermissionError):
                    text = str(error).splitlines()[0] if str(error) else ''
                    raise StoreFailed(f'{where}: {type(error).__name__} {text}, {_TRIES - left} '
                                      'tries; check network, address and token') from error
            time.sleep(wait)
            wait *= 2
        raise AssertionError

    def source(self, path: str) -> BinaryIO:
        """
        Return a file that reads by ranges.

        :raises DatasetBroken: there is no such file.
        :raises StoreFailed: the store does not answer.
        """
        where = f'{self.name}/{path}'

        def size() -> int:
            files, root = self._connected()
            found = files.info(f'{root}/{path}')['size']
            if type(found) is not int:
                raise OSError('the store does not say how large the file is')
            return found
        return _RangeFile(self, path, self._tried(where, size))

    def read(self, path: str, begin: int, end: int, size: int) -> bytes:
        """Return a range of a file of this size; StoreFailed when it does not come."""
        with self._lock:
            first, last = begin // self.block_bytes, -(-end // self.block_bytes)
            found: dict[int, bytes] = {}
            missing: list[int] = []
            for block in range(first, last):
                if (path, block) in self._blocks:
                    self._blocks.move_to_end((path, block))
                    found[block] = self._blocks[path, block]
                else:
                    missing.append(block)
            if missing:
                # One request, though blocks between may be there: requests cost more than bytes.
                low = missing[0] * self.block_bytes
                data = self._ranged(path, low, min(size, (missing[-1] + 1) * self.block_bytes))
                for block in range(missing[0], missing[-1] + 1):
                    at = block * self.block_bytes - low
                    found[block] = data[at:at + self.block_bytes]
                    self._keep(path, block, found[block])
            joined = b''.join(found[block] for block in range(first, last))
            at = begin - first * self.block_bytes
            return joined[at:at + end - begin]

    def _keep(self, path: str, block: int, data: bytes) -> None:
        self._blocks[path, block] = data
        self._blocks.move_to_end((path, block))
        while len(self._blocks) > self._most_blocks:
            self._blocks.popitem(last=False)

    def _ranged(self, path: str, begin: int, end: int) -> bytes:
        def request() -> bytes:
            files, root = self._connected()
            # Else fsspec would read ahead for what is one request here.
            plain = {} if files.async_impl else {'cache_type': 'none'}
            data = files.cat_file(f'{root}/{path}', begin, end, **plain)
            if len(data) != end - begin:
                raise OSError(f'found {len(data)} bytes from {begin} on, expected {end - begin}')
            return data
        return self._tried(f'{self.name}/{path}', request)

    def _whole(self, path: str) -> bytes:
        return self._tried(f'{self.name}/{path}', lambda: self._connected()[0].cat_file(
            f'{self._connected()[1]}/{path}'))

    def metadata_folder(self) -> Path:
        """
        Copy meta/ into the user's cache, once for each version of it, and return the folder.

        :raises StoreFailed: the store does not answer.
        :raises DatasetBroken: there is no dataset.
        """
        listed = self._listed()
        if INFO in listed:
            return self._fetched(sorted(listed), json.dumps([self.name, sorted(listed.items())]))
        # A plain web server lists nothing.
        return self._fetched(self._guessed(), None)

    def _listed(self) -> dict[str, str]:
        """Return the files below meta/ with what tells one version of each from the next."""
        files, root = self._connected()

        def listing() -> dict[str, Any]:
            try:
                return dict(files.find(f'{root}/meta', detail=True))
            except (FileNotFoundError, NotImplementedError):
                return {}
        found = {}
        for name, about in self._tried(f'{self.name}/meta', listing).items():
            path = str(name).removeprefix(root).lstrip('/')
            if path.startswith('meta/') and '..' not in PurePosixPath(path).parts:
                found[path] = str([about.get(mark) for mark in _MARKS])
        return found

    def _guessed(self) -> Iterator[str]:
        """Yield the files that lie below meta/, by asking for one after the other."""
        yield INFO
        for path in (TASKS, STATS, *(f'meta/{name}.jsonl' for name in (
                'tasks', 'episodes', 'episodes_stats')), 'meta/subtasks.parquet'):
            if self._exists(path):
                yield path
        number = FileNumber(0, 0)
        while number.file or self._exists(number.path(EPISODES_PATH)):
            if number.file and not self._exists(number.path(EPISODES_PATH)):
                number = FileNumber(number.chunk + 1, 0)
                continue
            yield number.path(EPISODES_PATH)
            number = FileNumber(number.chunk, number.file + 1)

    def _exists(self, path: str) -> bool:
        def known() -> bool:
            files, root = self._connected()
            return bool(files.info(f'{root}/{path}'))
        try:
            return self._tried(f'{self.name}/{path}', known)
        except DatasetBroken:
            return False

    def _fetched(self, paths: Any, version: str | None) -> Path:
        key = hashlib.sha256((version or self.name).encode()).hexdigest()[:32]
        folder = self._folder / key
        if version is not None and (folder / INFO).is_file():
            os.utime(folder)
            return folder
        beside = self._folder / f'{key}.partial-{os.getpid()}-{secrets.token_hex(4)}'
        digest, total = hashlib.sha256(self.name.encode()), 0
        try:
            with storage_errors(self._folder):
                for path in paths:
                    data = self._whole(path)
                    total += len(data)
                    if total > _MOST_METADATA:
                        raise DatasetBroken(f'{self.name}/meta', f'more than {total} bytes',
                                            f'at most {_MOST_METADATA}')
                    digest.update(path.encode() + data)
                    (beside / path).parent.mkdir(parents=True, exist_ok=True)
                    (beside / path).write_bytes(data)
                if version is None:
                    folder = self._folder / digest.hexdigest()[:32]
                if not folder.exists():
                    os.rename(beside, folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        self._evict()
        return folder

    def _evict(self) -> None:
        folders = sorted((path for path in self._folder.iterdir() if path.suffix == ''),
                         key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for folder in folders[_KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)


def _is_missing(error: Exception) -> bool:
    """Return whether it says that there is no such file; fsspec says so of a lost connection."""
    cause = error.__cause__
    lost = isinstance(cause, (ConnectionError, TimeoutError)) \
        or type(cause).__module__.startswith('aiohttp') \
        and getattr(cause, 'status', None) not in (404, 410)
    return isinstance(error, FileNotFoundError) and not lost


class _RangeFile(io.RawIOBase):
    """Read a file of a store like one on a disk."""

    def __init__(self, store: RemoteStore, path: str, size: int) -> None:
        self._store, self._path, self._size, self._at = store, path, size, 0

    @property
    def name(self) -> str:
        return f'{self._store.name}/{self._path}'

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        end = min(self._size, self._at + len(view))
        if end <= self._at:
            return 0
        data = self._store.read(self._path, self._at, end, self._size)
        view[:len(data)] = data
        self._at = end
        return len(data)
