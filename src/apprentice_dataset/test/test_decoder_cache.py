# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The decoder cache keeps its limits, closes what leaves, and survives threads and processes."""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
import multiprocessing
import os
from pathlib import Path
from threading import get_ident
from typing import Any

from apprentice_dataset.decoder_cache import DecoderCache
from apprentice_dataset.decoder_cache import MOST_BYTES
from apprentice_dataset.decoder_cache import MOST_ENTRIES
from apprentice_dataset.decoder_cache import VARIABLES
from apprentice_dataset.errors import DatasetError
import pytest


class Handle:
    """Hold a real file open, and tell who used it after it was closed or beside another."""

    def __init__(self, path: Path, nbytes: int = 10) -> None:
        """Open the file."""
        self.nbytes, self.closed, self.user = nbytes, False, 0
        self.descriptor = os.open(path, os.O_RDONLY)

    def use(self) -> None:
        """Read; another thread must not be at it."""
        assert not self.closed and self.user == 0
        self.user = get_ident()
        os.pread(self.descriptor, 1, 0)
        assert self.user == get_ident()
        self.user = 0

    def close(self) -> None:
        """Close the file, once."""
        assert not self.closed and self.user == 0
        os.close(self.descriptor)
        self.closed = True


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no limit come from outside."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def made(tmp_path: Path) -> list[Handle]:
    """Return an empty list for the handles that a test makes."""
    (tmp_path / 'file').write_bytes(b'x')
    return []


@pytest.fixture
def make(tmp_path: Path, made: list[Handle]) -> Callable[[], Handle]:
    """Return what opens a handle and notes it."""
    def one() -> Handle:
        made.append(Handle(tmp_path / 'file'))
        return made[-1]
    return one


def touch(cache: DecoderCache, make: Callable[[], Handle], *keys: object) -> None:
    """Borrow and use handles one after the other."""
    for key in keys:
        with cache.lent(key, make) as handle:
            handle.use()


def test_bounded_by_default(make: Callable[[], Handle], made: list[Handle]) -> None:
    """Without a word of the user it keeps so many, and the descriptors of the others are gone."""
    cache = DecoderCache()
    assert (cache.max_size, cache.max_bytes) == (MOST_ENTRIES, MOST_BYTES)
    touch(cache, make, *range(MOST_ENTRIES + 9))
    assert len(cache) == MOST_ENTRIES
    assert [handle.closed for handle in made] == [True] * 9 + [False] * MOST_ENTRIES
    cache.clear()


def test_cap_and_order(make: Callable[[], Handle], made: list[Handle]) -> None:
    """The one that was not used longest goes, not the one that came first."""
    cache = DecoderCache(3)
    touch(cache, make, 'a', 'b', 'c', 'a', 'd')
    assert cache.keys() == ['c', 'a', 'd']
    assert [handle.closed for handle in made] == [False, True, False, False]


def test_hits_make_nothing_new(make: Callable[[], Handle], made: list[Handle]) -> None:
    """What is there is lent again, the very same."""
    cache = DecoderCache(2)
    for _ in range(5):
        touch(cache, make, 'a', 'b')
    assert len(made) == 2 and cache.keys() == ['a', 'b']
    with cache.lent('a', make) as first, cache.lent('b', make) as second:
        assert [first, second] == made


def test_bounded_by_bytes(make: Callable[[], Handle], made: list[Handle]) -> None:
    """The sum of their sizes counts; one that is too large alone is kept while it is the only."""
    cache = DecoderCache(100, 35)
    touch(cache, make, *'abcd')
    assert cache.keys() == ['b', 'c', 'd'] and cache.nbytes == 30
    small = DecoderCache(100, 5)
    touch(small, make, *'ab')
    assert small.keys() == ['b']


def test_clear_closes(make: Callable[[], Handle], made: list[Handle]) -> None:
    """Nothing stays open; one that is lent is closed when it comes back."""
    cache = DecoderCache()
    touch(cache, make, *'ab')
    with cache.lent('c', make) as lent:
        cache.clear()
        assert len(cache) == 0 and not lent.closed
        lent.use()
    assert all(handle.closed for handle in made)


def test_no_limit(make: Callable[[], Handle], made: list[Handle]) -> None:
    """None keeps everything."""
    cache = DecoderCache(None)
    assert cache.max_bytes is None
    touch(cache, make, *range(3 * MOST_ENTRIES))
    assert len(cache) == 3 * MOST_ENTRIES and not any(handle.closed for handle in made)
    cache.clear()


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours wins over lerobot's, the constructor over both; nonsense is refused."""
    ours, theirs = VARIABLES
    monkeypatch.setenv(theirs, '7')
    assert DecoderCache().max_size == 7
    monkeypatch.setenv(ours, '5')
    assert DecoderCache().max_size == 5 and DecoderCache(2).max_size == 2
    monkeypatch.setenv(ours, 'none')
    assert DecoderCache().max_size is None
    for text in ('0', '-1', 'many', '1.5'):
        monkeypatch.setenv(ours, text)
        with pytest.raises(DatasetError, match=ours):
            DecoderCache()
    with pytest.raises(DatasetError, match='max_size'):
        DecoderCache(0)


def test_what_fails_is_forgotten(make: Callable[[], Handle], made: list[Handle]) -> None:
    """A decoder that raised is closed and made anew; one that cannot be made leaves nothing."""
    cache = DecoderCache()
    with pytest.raises(KeyError):
        with cache.lent('a', make):
            raise KeyError('a')
    assert made[0].closed and len(cache) == 0
    with pytest.raises(FileNotFoundError):
        with cache.lent('a', lambda: Handle(Path('/nowhere'))):
            pass
    assert len(cache) == 0
    touch(cache, make, 'a')
    assert len(made) == 2


def test_threads(make: Callable[[], Handle], made: list[Handle]) -> None:
    """Each handle has one user at a time, none is used closed, and none leaks."""
    cache = DecoderCache(3)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: touch(cache, make, number * 7 % 11), range(3000)))
    assert len(cache) <= 3
    cache.clear()
    assert all(handle.closed for handle in made)


def _child(cache: DecoderCache, path: Path, answer: Any) -> None:
    before = len(cache)
    touch(cache, lambda: Handle(path), *'ab')
    cache.clear()
    answer.put((before, cache.max_size, cache.max_bytes))


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_processes(
    method: str, make: Callable[[], Handle], made: list[Handle], tmp_path: Path,
) -> None:
    """A child begins empty with the same limits; the parent's handles go on working."""
    cache = DecoderCache(5, 1000)
    touch(cache, make, *'ab')
    context = multiprocessing.get_context(method)
    answer = context.Queue()
    with cache.lent('c', make):
        process = context.Process(target=_child, args=(cache, tmp_path / 'file', answer))
        process.start()
        assert answer.get(timeout=60) == (0, 5, 1000)
        process.join()
    assert process.exitcode == 0
    touch(cache, make, *'abc')
    assert len(made) == 3 and not any(handle.closed for handle in made)
