# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read an episode's rows and shape them as the result has them."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from apprentice_dataset.columns import column_type
from apprentice_dataset.columns import in_one_form
from apprentice_dataset.columns import to_numpy
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.features import RESERVED
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.row_store import RowStore
from apprentice_dataset.tables import data_schema
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.tables import parquet_errors
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


class EpisodeRows:
    """Give the rows of one episode after the other; the row group last read is kept."""

    def __init__(self, metadata: Metadata, names: Sequence[str] | None = None) -> None:
        """Take a source and the columns to read; None: every one."""
        self._metadata, self._names = metadata, names
        episodes = metadata.episodes
        self._chunks = episodes.column('data/chunk_index')
        self._files = episodes.column('data/file_index')
        self._begins = episodes.column('dataset_from_index')
        self._lengths = episodes.column('length')
        self._first = {run.number: int(self._begins[run.episodes.start])
                       for run in reversed(episodes.file_runs())}
        self._open: tuple[FileNumber, pq.ParquetFile, list[int]] | None = None
        self._kept: tuple[FileNumber, int, pa.Table] | None = None

    def of(self, episode: int) -> pa.Table:
        """
        Return an episode's rows.

        :raises DatasetBroken: the file is missing, cut, or its rows are others.
        """
        number = FileNumber(int(self._chunks[episode]), int(self._files[episode]))
        path = self._metadata.root / number.path(self._metadata.info.data_path)
        begin = int(self._begins[episode]) - self._first[number]
        end = begin + int(self._lengths[episode])
        if self._open is None or self._open[0] != number:
            file = open_parquet(path)
            names = file.schema_arrow.names
            if len(set(names)) != len(names):
                raise DatasetBroken(str(path), f'columns {sorted(names)[:9]}', 'each name once')
            counts = [file.metadata.row_group(group).num_rows
                      for group in range(file.num_row_groups)]
            self._open = number, file, np.cumsum([0, *counts]).tolist()
        _, file, offsets = self._open
        tables = []
        for group, (low, high) in enumerate(zip(offsets, offsets[1:])):
            if low < end and high > begin:
                part = self._group(number, file, group, str(path))
                tables.append(part.slice(max(0, begin - low), min(high, end) - max(low, begin)))
        table = pa.concat_tables(tables) if tables else None
        if table is None or table.num_rows != end - begin or not np.all(one_form(
                str(path), table, 'episode_index', RESERVED['episode_index'],
                None).to_numpy(zero_copy_only=False) == episode):
            raise DatasetBroken(f'{path}: rows of episode {episode}',
                                f'{table.num_rows if table else 0} rows or other numbers',
                                f'{end - begin} rows in order, as meta/episodes says',
                                'validate the dataset')
        return table

    def _group(self, number: FileNumber, file: pq.ParquetFile, group: int, path: str) -> pa.Table:
        if self._kept is None or self._kept[:2] != (number, group):
            with parquet_errors(path, 'readable rows'):
                self._kept = number, group, file.read_row_group(group, self._names)
        return self._kept[2]


def result_schema(
    columns: Mapping[str, Feature], names: Mapping[str, str], sources: list[Metadata],
) -> pa.Schema:
    """Return the columns of the result's data files, language in the types of its sources."""
    language = [name for name, feature in columns.items() if feature.dtype == 'language']
    if not language:
        return data_schema(columns)
    plain = data_schema({name: feature for name, feature in columns.items()
                         if name not in language})
    fields = {field.name: field for field in plain}
    for name in language:
        kinds = [pa.schema([pa.field(name, RowStore(source).schema.field(names[name]).type)])
                 for source in sources]
        fields[name] = pa.unify_schemas(kinds, promote_options='permissive').field(name)
    # `datasets` knows no word for these structs; without the footer it infers them.
    return pa.schema([fields[name] for name in columns])


def one_form(where: str, table: pa.Table, name: str, feature: Feature, kind: Any) -> pa.Array:
    """Return a column as a scalar or a fixed-size list of all its values, whoever wrote it."""
    if name not in table.column_names:
        raise DatasetBroken(f'{where}: {name}', 'no such column', 'every column that info.json '
                            'declares')
    return in_one_form(f'{where}: {name}', table[name], feature, column_type(feature) or kind)


def stored(where: str, array: pa.Array, feature: Feature, kind: pa.DataType) -> pa.Array:
    """Return a column in one form as data files store it."""
    if array.type == kind or len(feature.shape) == 1:
        return array if array.type == kind else array.cast(kind)
    if array.null_count:
        raise DatasetBroken(where, 'a value that is missing', 'one in every row')
    flat = array.flatten()
    for size in feature.shape[:0:-1]:
        flat = pa.ListArray.from_arrays(
            np.arange(0, len(flat) + 1, size, dtype=np.int32), flat)
    return pa.ListArray.from_arrays(
        np.arange(0, len(flat) + 1, feature.shape[0], dtype=np.int32), flat).cast(kind)


def given(where: str, values: Any, feature: Feature, rows: int) -> pa.Array:
    """
    Return values from outside in one form.

    :raises DatasetBroken: their number, shape or type differs.
    """
    kind = column_type(feature)
    if kind is None or feature.dtype == 'image':
        raise DatasetBroken(where, feature.dtype, 'a number or a string')
    if feature.dtype == 'string':
        if len(values) != rows or not all(isinstance(value, str) for value in values):
            raise DatasetBroken(where, f'{len(values)} values', f'{rows} strings')
        return pa.array(values, kind)
    array = np.asarray(values)
    wanted = (rows, *feature.shape)
    if array.shape != wanted and not (feature.shape == (1,) and array.shape == (rows,)):
        raise DatasetBroken(where, f'shape {list(array.shape)}', f'{list(wanted)}')
    if not np.can_cast(array.dtype, np.dtype(feature.dtype), 'same_kind'):
        raise DatasetBroken(where, str(array.dtype), feature.dtype)
    flat = pa.array(np.ascontiguousarray(array.astype(feature.dtype)).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, type=kind) \
        if pa.types.is_fixed_size_list(kind) else flat


def numbers(array: pa.Array, feature: Feature) -> Any:
    """Return a column in one form for statistics: NumPy, or None where values are missing."""
    values = to_numpy(array, feature)
    return None if isinstance(values, list) else values
