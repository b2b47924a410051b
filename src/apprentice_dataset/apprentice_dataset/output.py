# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make a dataset beside its place: tables that grow by row groups, and one rename at the end."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
from typing import Any

from apprentice_dataset.episodes import VideoPlace
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.files import make_folder
from apprentice_dataset.files import storage_errors
from apprentice_dataset.files import sync_path
from apprentice_dataset.files import translated
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.layout import following
import pyarrow as pa
import pyarrow.parquet as pq


@contextmanager
def built_beside(output: Path) -> Iterator[Path]:
    """
    Yield an empty folder that takes the place of `output` when the body ends well.

    Until then `output` is not there; a process that dies leaves a folder `NAME.partial-PID`,
    which the next one removes.

    :raises DatasetError: `output` exists and is no empty folder, or the disk refuses.
    """
    with storage_errors(output):
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise DatasetError(f'{output}: found something, expected no such folder; name another')
        make_folder(output.parent)
        for left in output.parent.glob(f'{output.name}.partial-*'):
            if _is_left_behind(left.name.rpartition('-')[2]):
                shutil.rmtree(left)
        partial = output.with_name(f'{output.name}.partial-{os.getpid()}')
        partial.mkdir()
        try:
            yield partial
            for folder in [*(path for path in partial.rglob('*') if path.is_dir()), partial]:
                sync_path(folder)
            os.replace(partial, output)
            sync_path(output.parent)
        except BaseException as error:
            shutil.rmtree(partial, ignore_errors=True)
            if isinstance(error, OSError) and isinstance(translated(error, output), DatasetFull) \
                    or isinstance(error, DatasetFull):
                raise DatasetFull(f'{output}: the disk is full; nothing was written. Free space '
                                  'and try again') from None
            raise


def _is_left_behind(pid: str) -> bool:
    if not pid.isdigit():
        return False
    # One of our own number is of a process long gone.
    return int(pid) == os.getpid() or not Path('/proc', pid).exists()


class TableFiles:
    """Write tables as row groups of numbered parquet files, none beyond a limit in bytes."""

    def __init__(
        self, root: Path, template: str, schema: pa.Schema, limit: int, chunks_size: int,
        repeated: list[str],
    ) -> None:
        """Take the columns, and the names of those whose values repeat."""
        self._root, self._template, self._schema = root, template, schema
        self._limit, self._chunks_size, self._repeated = limit, chunks_size, repeated
        self._number: FileNumber | None = None
        self._file: Any = None
        self._writer: pq.ParquetWriter | None = None
        self._rows = 0

    def place(self, rows: int) -> FileNumber:
        """Return the file that the next rows will lie in; a new one when the open one is full."""
        size = self._file.tell() if self._file else 0
        if self._number is None or self._writer is None \
                or size + size * rows / max(1, self._rows) >= self._limit:
            self._number, path = self.next_path()
            self._file = open(path, 'wb')
            self._writer = pq.ParquetWriter(
                self._file, self._schema, version='2.6', compression='snappy',
                use_dictionary=self._repeated or False)
            self._rows = 0
        return self._number

    def next_path(self) -> tuple[FileNumber, Path]:
        """Close the open file and return the number and the path of one after it."""
        self.close()
        self._number = FileNumber(0, 0) if self._number is None else following(
            self._number, self._chunks_size, self._root / self._template.split('/')[0])
        make_folder(self._path().parent)
        return self._number, self._path()

    def write(self, table: pa.Table) -> None:
        """Write rows as one row group of the file that `place` named."""
        assert self._writer is not None
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self._rows += table.num_rows

    def _path(self) -> Path:
        assert self._number is not None
        return self._root / self._number.path(self._template)

    def abandon(self) -> None:
        """Let the open file be as it is; it is about to be removed."""
        if self._writer is not None:
            # Else it tries to write its footer when it is collected, and complains.
            self._writer.is_open = False
            self._file.close()

    def close(self) -> None:
        """Write the footer of the open file and bring it to the disk."""
        if self._writer is not None:
            self._writer.close()
            self._file.close()
            sync_path(self._path())
        self._writer = self._file = None


def video_columns(videos: Mapping[str, VideoPlace]) -> dict[str, Any]:
    """Return the columns of meta/episodes that say where pictures lie."""
    columns: dict[str, Any] = {}
    for camera, place in videos.items():
        columns.update({
            f'videos/{camera}/chunk_index': place.number.chunk,
            f'videos/{camera}/file_index': place.number.file,
            f'videos/{camera}/from_timestamp': place.begin_s,
            f'videos/{camera}/to_timestamp': place.end_s})
    return columns
