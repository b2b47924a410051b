# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep decoders of mp4s open, within limits of number and memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator
from contextlib import contextmanager
import os
from threading import Lock
from threading import RLock
from typing import Any
from typing import Literal
from typing import Protocol
from weakref import WeakSet

from apprentice_dataset.errors import DatasetError

VARIABLES = ('APPRENTICE_DECODER_CACHE_SIZE', 'LEROBOT_VIDEO_DECODER_CACHE_SIZE')
"""Environment variables for the number of decoders, ours first; `none` lifts the limits."""
MOST_ENTRIES = 64
MOST_BYTES = 64 << 20
Limit = int | None | Literal['auto']


class Decoder(Protocol):
    """What a cache keeps; `nbytes` is about what it takes of memory, open and warm."""

    nbytes: int

    def close(self) -> None:
        """Give back what it holds."""


class _Entry:
    def __init__(self) -> None:
        self.lock = Lock()
        self.users = 0
        self.decoder: Any = None
        self.out = False

    @property
    def nbytes(self) -> int:
        return self.decoder.nbytes if self.decoder is not None else 0


class DecoderCache:
    """
    Lend decoders, each to one thread at a time, and close those that were not used longest.

    A process that is forked begins with an empty cache and leaves its parent's decoders alone; to
    a spawned one only the limits go.
    """

    def __init__(self, max_size: Limit = 'auto', max_bytes: Limit = 'auto') -> None:
        """
        Take the limits.

        :param max_size: number of decoders; None: no limit at all; 'auto': as one of `VARIABLES`
            says, else `MOST_ENTRIES`.
        :param max_bytes: sum of their `nbytes`; None: no limit; 'auto': `MOST_BYTES`, and no limit
            where there is none for the number.
        :raises DatasetError: a limit below 1, or a variable that is no number.
        """
        self.max_size = _from_environment() if max_size == 'auto' else max_size
        if max_bytes == 'auto':
            max_bytes = None if self.max_size is None else MOST_BYTES
        self.max_bytes = max_bytes
        for name, limit in (('max_size', self.max_size), ('max_bytes', self.max_bytes)):
            if limit is not None and limit < 1:
                raise DatasetError(f'{name}: found {limit}, expected a number from 1 or None')
        self._begin()
        _caches.add(self)

    def _begin(self) -> None:
        self._lock = RLock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process without a decoder."""
        return DecoderCache, (self.max_size, self.max_bytes)

    def __len__(self) -> int:
        """Return the number of decoders that are kept."""
        return len(self._entries)

    @property
    def nbytes(self) -> int:
        """Return about what the kept decoders take of memory."""
        with self._lock:
            return sum(entry.nbytes for entry in self._entries.values())

    def keys(self) -> list[Hashable]:
        """Return the keys, the longest unused first."""
        with self._lock:
            return list(self._entries)

    @contextmanager
    def lent(self, key: Hashable, make: Callable[[], Decoder]) -> Iterator[Any]:
        """
        Lend the decoder of a key, which is made where there is none.

        One that fails is closed and forgotten. One that is evicted while it is lent is closed when
        it comes back.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            entry.users += 1
        try:
            with entry.lock:
                if entry.decoder is None:
                    entry.decoder = make()
                    self._shrink(entry)
                yield entry.decoder
        except BaseException:
            with self._lock:
                entry.out = True
                if self._entries.get(key) is entry:
                    del self._entries[key]
            raise
        finally:
            with self._lock:
                entry.users -= 1
                _close_unused(entry)

    def clear(self) -> None:
        """Close all decoders; those that are lent when they come back."""
        with self._lock:
            while self._entries:
                self._evict()

    def _shrink(self, newest: _Entry) -> None:
        with self._lock:
            used = sum(entry.nbytes for entry in self._entries.values())
            while len(self._entries) > 1 and (
                    self.max_size is not None and len(self._entries) > self.max_size
                    or self.max_bytes is not None and used > self.max_bytes):
                if next(iter(self._entries.values())) is newest:
                    break
                used -= self._evict()

    def _evict(self) -> int:
        _, entry = self._entries.popitem(last=False)
        size = entry.nbytes
        entry.out = True
        _close_unused(entry)
        return size

    def _after_fork(self) -> None:
        # Closing them, even forgetting them, would join threads that exist in the parent only.
        _of_the_parent.append(self._entries)
        self._begin()


def _close_unused(entry: _Entry) -> None:
    if entry.out and not entry.users and entry.decoder is not None:
        decoder, entry.decoder = entry.decoder, None
        decoder.close()


def _from_environment() -> int | None:
    for name in VARIABLES:
        text = os.environ.get(name, '').strip()
        if not text:
            continue
        if text.lower() == 'none':
            return None
        if not text.isdecimal() or int(text) < 1:
            raise DatasetError(f'{name}: found {text!r}, expected a number from 1 or none')
        return int(text)
    return MOST_ENTRIES


_caches: WeakSet[DecoderCache] = WeakSet()
_of_the_parent: list[object] = []


def _forked() -> None:
    for cache in list(_caches):
        cache._after_fork()


os.register_at_fork(after_in_child=_forked)
