# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep rows on disk in Arrow's own format, which is read by mapping it into memory."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
import os
from pathlib import Path
import re
import secrets

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import sync_path
import pyarrow as pa

_PARTIAL = re.compile(r'\.partial-(\d+)-')
_MODES = pa.ipc.IpcWriteOptions(unify_dictionaries=True)


def cache_home() -> Path:
    """Return where this user's programs keep what can be made again."""
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'apprentice'


class RowCache:
    """
    Keep files of rows by key in a folder of limited size, the longest unused out first.

    A file appears whole; a process that dies leaves one that the next writer removes. Another
    process may hold a file that is removed: it goes on reading it.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Take the folder, which need not exist, and its limit."""
        self.folder, self.most_bytes = folder, most_bytes

    def get(self, key: str, schema: pa.Schema, rows: int) -> list[pa.RecordBatch] | None:
        """Return the mapped rows of a key; None where they are not there as expected."""
        path = self._path(key)
        try:
            os.utime(path)
            file = pa.ipc.open_file(pa.memory_map(str(path)))
            batches = [file.get_batch(number) for number in range(file.num_record_batches)]
        except (OSError, pa.ArrowException):
            return None
        whole = file.schema.equals(schema) and sum(len(batch) for batch in batches) == rows
        return batches if whole else None

    def put(self, key: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """
        Write the rows of a key.

        :raises DatasetError: the disk is full, the folder cannot be written, or they are larger
            than the limit.
        """
        path = self._path(key)
        beside = path.with_name(f'{key}.partial-{os.getpid()}-{secrets.token_hex(4)}')
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            with pa.OSFile(str(beside), 'wb') as sink, \
                    pa.ipc.new_file(sink, schema, options=_MODES) as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    if sink.tell() > self.most_bytes:
                        raise DatasetError(
                            f'{self.folder}: found more than {self.most_bytes} bytes in one '
                            'piece, expected less; raise the limit of the cache')
            # Else a power failure leaves a name in front of nothing.
            sync_path(beside)
            os.replace(beside, path)
        except OSError as error:
            raise DatasetError(f'{self.folder}: {error.strerror or error}; free space, name '
                               'another cache folder or allow more memory') from None
        finally:
            with suppress(OSError):
                beside.unlink()
        self._evict(path)

    def _path(self, key: str) -> Path:
        return self.folder / f'{key}.arrow'

    def _sweep(self) -> None:
        for path in self.folder.iterdir():
            match = _PARTIAL.search(path.name)
            if match and not Path('/proc', match[1]).exists():
                path.unlink(missing_ok=True)

    def _evict(self, kept: Path) -> None:
        found = []
        for path in self.folder.glob('*.arrow'):
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.most_bytes:
                return
            if path != kept:
                path.unlink(missing_ok=True)
                total -= size
