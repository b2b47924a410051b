# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Give any rows of a dataset by number, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import hashlib
import json
from pathlib import Path
from typing import Any
from typing import NamedTuple

from apprentice_dataset.columns import column_type
from apprentice_dataset.columns import in_one_form
from apprentice_dataset.episodes import FileRun
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.row_cache import cache_home
from apprentice_dataset.row_cache import RowCache
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.tables import parquet_errors
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa

MEMORY_BYTES = 256 << 20
CACHE_BYTES = 64 << 30
# Read at once when a row of it is asked for.
_BLOCK_BYTES = 16 << 20
# Small files are read together, else rows of 10^5 files would lie in as many pieces.
_SMALL_ROWS, _MOST_FILES = 1 << 14, 64
_FORM = 1


class _Part(NamedTuple):
    """Hold row groups of one file that follow each other."""

    path: Path
    groups: list[int]


class _Block(NamedTuple):
    """Hold what is read at once: rows `begin` to `end`, the files' parts, bytes in memory."""

    begin: int
    end: int
    parts: list[_Part]
    size: int


class _Rows(NamedTuple):
    """Hold the rows of a block; batch n begins at row `begins[n]`."""

    begins: NDArray[np.int64]
    batches: list[pa.RecordBatch]


class RowStore:
    """
    Give rows by their global number (`index`), in whatever order they are asked for.

    Nothing is read before it is needed, and then about 16 MB around it. What was read stays in
    memory up to a limit; beyond, it is written once to the user's cache, as Arrow files that
    are mapped into memory and shared by all processes. A store may go to other processes, by fork
    or by spawn, and may be used by several threads.
    """

    def __init__(
        self, metadata: Metadata, columns: Sequence[str] | None = None, *,
        episodes: Iterable[int] | None = None, memory_bytes: int | None = MEMORY_BYTES,
        cache_folder: Path | None = None, cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """
        Take what the files are; none is opened.

        :param columns: those that `take` can give; None: all.
        :param episodes: only files of these need be there; None: all.
        :param memory_bytes: limit of what is held in memory; None: no limit, no cache on disk.
        :param cache_folder: instead of the user's cache folder.
        :param cache_bytes: limit of that folder.
        :raises DatasetError: a column or an episode that does not exist.
        """
        declared = metadata.info.columns
        self.columns = tuple(declared if columns is None else columns)
        unknown = [name for name in self.columns if name not in declared]
        if unknown:
            raise DatasetError(f'{metadata.root}: found no columns {unknown}, expected some of '
                               f'{sorted(declared)}')
        self._metadata = metadata
        self._chosen = None if episodes is None else sorted(set(episodes))
        if self._chosen and not 0 <= self._chosen[0] <= self._chosen[-1] < len(metadata.episodes):
            raise DatasetError(f'{metadata.root}: found episodes {self._chosen[0]} to '
                               f'{self._chosen[-1]}, expected 0 to {len(metadata.episodes) - 1}')
        self._limit = memory_bytes
        self._cache = RowCache(cache_folder or cache_home() / 'rows', cache_bytes)
        self._forget()

    def _forget(self) -> None:
        self._starts: NDArray[np.int64] | None = None
        self._segments: list[list[FileRun]] = []
        self._blocks: dict[int, tuple[NDArray[np.int64], list[_Block]]] = {}
        self._loaded: dict[int, _Rows] = {}
        self._used = 0
        self._schema: pa.Schema | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Go to another process without what was read."""
        kept = {'_starts': None, '_segments': [], '_blocks': {}, '_loaded': {}, '_used': 0}
        return {**self.__dict__, **kept}

    def __len__(self) -> int:
        """Return the number of rows of the whole dataset."""
        return self._metadata.info.total_frames

    @property
    def schema(self) -> pa.Schema:
        """Return names and types of `columns`: scalars, fixed-size lists, strings, structs."""
        if self._schema is None:
            self._schema = pa.schema([
                pa.field(name, column_type(feature) or self._language_type(name))
                for name, feature in self._metadata.info.columns.items()
                if name in self.columns])
        return self._schema

    def _language_type(self, name: str) -> pa.DataType:
        info, root = self._metadata.info, self._metadata.root
        found = [pa.schema([(name, pa.null())])]
        for run in self._runs():
            schema = open_parquet(root / run.number.path(info.data_path)).schema_arrow
            if name in schema.names:
                found.append(pa.schema([schema.field(name).remove_metadata()]))
        try:
            return pa.unify_schemas(found, promote_options='permissive').field(name).type
        except pa.ArrowException as error:
            raise DatasetBroken(f'{root / "data"}: {name}', str(error).splitlines()[0],
                                'types that fit together in all files') from None

    def take(
        self, indices: NDArray[np.int64] | Sequence[int], columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """
        Return rows by global number in the order asked for; a number may come twice.

        :param columns: some of the store's, in this order; None: all.
        :raises DatasetBroken: a file is missing, does not fit the features, or its rows do not
            lie at their numbers.
        :raises DatasetError: a number or a column that does not exist.
        """
        wanted = np.asarray(indices, np.int64).reshape(-1)
        names = self.schema.names if columns is None else list(columns)
        unknown = [name for name in names if name not in self.schema.names]
        if unknown:
            raise DatasetError(f'{self._metadata.root}: found no columns {unknown} in the store, '
                               f'expected some of {self.schema.names}')
        fields = pa.schema([self.schema.field(name) for name in names])
        if not wanted.size:
            return fields.empty_table()
        if wanted.min() < 0 or wanted.max() >= len(self):
            raise DatasetError(f'{self._metadata.root}: found row {wanted.min()} to '
                               f'{wanted.max()}, expected 0 to {len(self) - 1}')
        order = np.argsort(wanted, kind='stable')
        ascending = wanted[order]
        pieces = list(self._pieces(ascending, names))
        table = pa.Table.from_batches(pieces, fields)
        if len(pieces) > 1:
            table = table.combine_chunks()
        if np.array_equal(order, np.arange(order.size)):
            return table
        back = np.empty_like(order)
        back[order] = np.arange(order.size)
        return table.take(pa.array(back))

    def _pieces(self, wanted: NDArray[np.int64], names: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield rows, whose numbers ascend, batch by batch."""
        done = 0
        while done < wanted.size:
            rows = self._rows_of(int(wanted[done]))
            place = int(np.searchsorted(rows.begins, wanted[done], 'right')) - 1
            batch, begin = rows.batches[place], int(rows.begins[place])
            end = int(np.searchsorted(wanted, begin + batch.num_rows))
            yield batch.select(names).take(pa.array(wanted[done:end] - begin))
            done = end

    def _rows_of(self, row: int) -> _Rows:
        if self._starts is None:
            self._plan()
        assert self._starts is not None
        segment = int(np.searchsorted(self._starts, row, 'right')) - 1
        runs = self._segments[segment] if segment >= 0 else []
        if not runs or row >= self._end(runs):
            raise DatasetError(f'{self._metadata.root}: row {row} is of no chosen episode')
        if segment not in self._blocks:
            blocks = self._blocks_of(runs)
            self._blocks[segment] = np.array([block.begin for block in blocks]), blocks
        begins, blocks = self._blocks[segment]
        block = blocks[int(np.searchsorted(begins, row, 'right')) - 1]
        if block.begin not in self._loaded:
            self._loaded[block.begin] = self._load(block)
        return self._loaded[block.begin]

    def _runs(self) -> list[FileRun]:
        runs = self._metadata.episodes.file_runs()
        if len({run.number for run in runs}) != len(runs):
            raise DatasetBroken(f'{self._metadata.root}/meta/episodes', 'files named by episodes '
                                'that do not follow each other', 'rows in the order of episodes')
        if self._chosen is None:
            return runs
        chosen = np.array(self._chosen, np.int64)
        begins = np.searchsorted(chosen, [run.episodes.start for run in runs])
        ends = np.searchsorted(chosen, [run.episodes.stop for run in runs])
        return [run for run, begin, end in zip(runs, begins, ends) if begin < end]

    def _plan(self) -> None:
        first = self._metadata.episodes.column('dataset_from_index')
        segments: list[list[FileRun]] = []
        for run in self._runs():
            last = segments[-1] if segments else None
            if last and last[-1].episodes.stop == run.episodes.start \
                    and len(last) < _MOST_FILES \
                    and self._end([run]) - first[last[0].episodes.start] <= _SMALL_ROWS:
                last.append(run)
            else:
                segments.append([run])
        self._segments = segments
        self._starts = np.array([first[runs[0].episodes.start] for runs in segments], np.int64)

    def _end(self, runs: list[FileRun]) -> int:
        return int(self._metadata.episodes.column('dataset_to_index')[runs[-1].episodes.stop - 1])

    def _blocks_of(self, runs: list[FileRun]) -> list[_Block]:
        """Read the footers of files and share their row groups out."""
        first = self._metadata.episodes.column('dataset_from_index')
        blocks: list[_Block] = []
        for run in runs:
            path = self._metadata.root / run.number.path(self._metadata.info.data_path)
            with open_parquet(path) as file:
                footer = file.metadata
            row = int(first[run.episodes.start])
            if footer.num_rows != self._end([run]) - row:
                raise DatasetBroken(str(path), f'{footer.num_rows} rows',
                                    f'{self._end([run]) - row}, as meta/episodes says')
            with parquet_errors(path):
                for number in range(footer.num_row_groups):
                    group = footer.row_group(number)
                    self._share_out(blocks, path, number, row, group)
                    row += group.num_rows
        return blocks

    def _share_out(
        self, blocks: list[_Block], path: Path, number: int, row: int, group: Any,
    ) -> None:
        # Of all columns: asking for one of a damaged footer ends the interpreter.
        size = max(0, group.total_byte_size)
        end = row + group.num_rows
        last = blocks[-1] if blocks else None
        if last is None or last.size + size > _BLOCK_BYTES:
            blocks.append(_Block(row, end, [_Part(path, [number])], size))
            return
        if last.parts[-1].path == path:
            last.parts[-1].groups.append(number)
        else:
            last.parts.append(_Part(path, [number]))
        blocks[-1] = last._replace(end=end, size=last.size + size)

    def _load(self, block: _Block) -> _Rows:
        rows = block.end - block.begin
        if self._limit is None or self._used + block.size <= self._limit:
            table = pa.Table.from_batches(self._read(block, max(1, rows)), self.schema)
            batches = table.combine_chunks().to_batches()
            self._used += table.nbytes
        else:
            key = self._key(block)
            batches = self._cache.get(key, self.schema, rows)
            if batches is None:
                at_once = max(1, rows * _BLOCK_BYTES // max(_BLOCK_BYTES, block.size))
                self._cache.put(key, self.schema, self._read(block, at_once))
                batches = self._cache.get(key, self.schema, rows)
            if batches is None:
                raise DatasetError(f'{self._cache.folder}: what was written cannot be read back')
        sizes = [batch.num_rows for batch in batches]
        return _Rows(block.begin + np.cumsum([0, *sizes[:-1]]), batches)

    def _key(self, block: _Block) -> str:
        files = [(str(part.path.resolve()), part.path.stat().st_size,
                  part.path.stat().st_mtime_ns, part.groups) for part in block.parts]
        text = json.dumps([_FORM, files, block.begin, block.end, str(self.schema)])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _read(self, block: _Block, at_once: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a block in one form, each held to its number."""
        features = self._metadata.info.columns
        row = block.begin
        for path, groups in block.parts:
            end = row
            with open_parquet(path) as file, parquet_errors(path, 'readable rows'):
                there = file.schema_arrow.names
                if len(set(there)) != len(there):
                    raise DatasetBroken(str(path), f'columns {sorted(there)}', 'each name once')
                end += sum(file.metadata.row_group(number).num_rows for number in groups)
                wanted = [name for name in dict.fromkeys((*self.schema.names, *_PLACED))
                          if name in there]
                for batch in file.iter_batches(at_once, groups, wanted):
                    self._check(path, batch, row)
                    found = [
                        in_one_form(f'{path}: {field.name}', batch.column(field.name),
                                    features[field.name], field.type)
                        if field.name in there else pa.nulls(batch.num_rows, field.type)
                        for field in self.schema]
                    row += batch.num_rows
                    yield pa.RecordBatch.from_arrays(found, schema=self.schema)
            if row != end:
                raise DatasetBroken(str(path), 'fewer rows', 'as many as its footer says',
                                    'restore it from a copy')

    def _check(self, path: Path, batch: pa.RecordBatch, row: int) -> None:
        episodes = self._metadata.episodes
        rows = np.arange(row, row + batch.num_rows)
        place = np.searchsorted(episodes.column('dataset_to_index'), rows, 'right')
        for name, right in zip(_PLACED, (rows, place)):
            if name not in batch.schema.names:
                raise DatasetBroken(f'{path}: {name}', 'no such column', 'one in every data file')
            found = batch.column(name).to_numpy(zero_copy_only=False)
            wrong = np.flatnonzero(found != right)
            if wrong.size:
                at = int(wrong[0])
                raise DatasetBroken(f'{path}: {name}, row {row + at} of the dataset',
                                    str(found[at]), str(right[at]),
                                    'rows must be in order without a gap; validate the dataset')


_PLACED = ('index', 'episode_index')
