# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Shape tables as LeRobot's parquet files have them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
import hashlib
import json
from pathlib import Path
from typing import Any

from apprentice_dataset.columns import IMAGE
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.language import language_array
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa
import pyarrow.parquet as pq

_REPEATED = ('episode_index', 'task_index')
_VALUES, _PICTURES = 1024, 4
_ARRAY = 'datasets.features.features.Array{rank}DExtensionType'


def parquet_bytes(table: pa.Table) -> memoryview:
    """Return a parquet file with one row group."""
    # Arrow's own pool spends 100 ms on its first large buffers, while the operator waits.
    sink = pa.BufferOutputStream(pa.system_memory_pool())
    _write(table, sink)
    return memoryview(sink.getvalue())


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write such a file; of pictures that a file holds, few are in memory at once."""
    with pa.OSFile(str(path), 'wb') as sink:
        _write(table, sink)


def _write(table: pa.Table, sink: pa.NativeFile) -> None:
    # A dictionary of measured numbers, no two alike, costs most of the time and a third more
    # space; where a column repeats one value it takes next to nothing.
    repeated = [name for name, column in zip(table.column_names, table.columns)
                if name in _REPEATED or pa.types.is_string(column.type)]
    # A page ends only after so many values, however large: pictures would fill the memory.
    at_once = _PICTURES if IMAGE in table.schema.types else _VALUES
    pq.write_table(table, sink, version='2.6', compression='snappy', write_batch_size=at_once,
                   use_dictionary=repeated or False, row_group_size=max(1, table.num_rows))


def open_parquet(path: Path, buffer_bytes: int = 0) -> pq.ParquetFile:
    """
    Open a parquet file; DatasetBroken when it is missing, cut short or something else.

    :param buffer_bytes: read columns in pieces of this size; 0: each whole.
    """
    with parquet_errors(path, 'a whole parquet file'):
        file = pq.ParquetFile(path, buffer_size=buffer_bytes)
    return file


@contextmanager
def parquet_errors(path: Path | str, expected: str = 'readable columns') -> Iterator[None]:
    """Raise DatasetBroken for what a damaged parquet file makes PyArrow raise in the body."""
    try:
        yield
    except DatasetError:
        raise
    except FileNotFoundError:
        raise DatasetBroken(str(path), 'no such file', 'a parquet file',
                            'restore it from a copy') from None
    except (pa.ArrowException, OSError, ValueError, LookupError, OverflowError,
            TypeError) as error:
        found = (str(error) or type(error).__name__).splitlines()[0]
        raise DatasetBroken(str(path), found, expected, 'restore it from a copy') from None


def data_schema(columns: Mapping[str, Feature]) -> pa.Schema:
    """Return the schema of a data file with its `huggingface` footer."""
    features = {name: _huggingface_type(feature) for name, feature in columns.items()}
    body = json.dumps(features, sort_keys=True).encode()
    footer = {'info': {'features': features}, 'fingerprint': hashlib.sha256(body).hexdigest()[:16]}
    return pa.schema([_field(name, feature) for name, feature in columns.items()],
                     metadata={'huggingface': json.dumps(footer)})


def _value_type(dtype: str) -> pa.DataType:
    return pa.string() if dtype == 'string' else pa.from_numpy_dtype(np.dtype(dtype))


def _field(name: str, feature: Feature) -> pa.Field:
    if feature.dtype == 'image':
        return pa.field(name, IMAGE)
    value = _value_type(feature.dtype)
    if feature.shape == (1,):
        return pa.field(name, value)
    if len(feature.shape) == 1:
        return pa.field(name, pa.list_(pa.field('element', value), feature.shape[0]))
    for _ in feature.shape:
        value = pa.list_(value)
    # What pyarrow writes for a value of this extension type, without the class itself.
    return pa.field(name, value, metadata={
        'ARROW:extension:name': _ARRAY.format(rank=len(feature.shape)),
        'ARROW:extension:metadata': json.dumps([list(feature.shape), feature.dtype])})


def _huggingface_type(feature: Feature) -> dict[str, Any]:
    if feature.dtype == 'image':
        return {'_type': 'Image'}
    value = {'dtype': feature.dtype, '_type': 'Value'}
    if feature.shape == (1,):
        return value
    if len(feature.shape) == 1:
        return {'feature': value, 'length': feature.shape[0], '_type': 'List'}
    return {'shape': list(feature.shape), 'dtype': feature.dtype,
            '_type': f'Array{len(feature.shape)}D'}


def data_table(
    columns: Mapping[str, Feature], values: Mapping[str, NDArray[Any] | Sequence[Any]],
) -> pa.Table:
    """
    Return the rows of an episode.

    :param values: (rows, *shape), (rows,) for scalars; strings, checked rows of language, and
        `bytes` and `path` of each picture, as a list; or a column of Arrow as it is.
    """
    language = {name: language_array(name, values[name])
                for name, feature in columns.items() if feature.dtype == 'language'}
    plain = data_schema({name: feature for name, feature in columns.items()
                         if name not in language})
    found = {field.name: (field, _array(values[field.name], field.type)) for field in plain}
    found.update({name: (pa.field(name, array.type), array) for name, array in language.items()})
    # `datasets` knows no word for language; without the footer it infers the columns.
    schema = pa.schema([found[name][0] for name in columns],
                       metadata=None if language else plain.metadata)
    return pa.Table.from_arrays([found[name][1] for name in columns], schema=schema)


def _array(values: NDArray[Any] | Sequence[Any], kind: pa.DataType) -> pa.Array:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if not isinstance(values, np.ndarray) or values.ndim == 1:
        return pa.array(values, type=kind)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(flat, type=kind)
    array = flat
    for size in values.shape[:0:-1]:
        offsets = np.arange(0, len(array) + 1, size, dtype=np.int32)
        array = pa.ListArray.from_arrays(offsets, array)
    return array.cast(kind)


def tasks_table(tasks: Sequence[str]) -> pa.Table:
    """Return tasks.parquet: task strings as pandas' index, by `task_index`."""
    columns = [{'name': name, 'field_name': name, 'pandas_type': kind, 'numpy_type': numpy,
                'metadata': None}
               for name, kind, numpy in (('task_index', 'int64', 'int64'),
                                         ('task', 'unicode', 'object'))]
    pandas = {
        'index_columns': ['task'],
        'column_indexes': [{'name': None, 'field_name': None, 'pandas_type': 'unicode',
                            'numpy_type': 'object', 'metadata': {'encoding': 'UTF-8'}}],
        'columns': columns, 'attributes': {},
        'creator': {'library': 'pyarrow', 'version': pa.__version__}, 'pandas_version': '2.3.3'}
    schema = pa.schema([('task_index', pa.int64()), ('task', pa.string())],
                       metadata={'pandas': json.dumps(pandas)})
    return pa.table({'task_index': range(len(tasks)), 'task': list(tasks)}, schema=schema)


def read_tasks(path: Path, kind: str = 'task') -> list[str]:
    """
    Read tasks.parquet, or subtasks.parquet with kind `subtask`; [] where there is none.

    :raises DatasetBroken: it has gaps, or holds something else.
    """
    if not path.exists():
        return []
    number = f'{kind}_index'
    with parquet_errors(path):
        table = open_parquet(path).read()
    if len(set(table.column_names)) != table.num_columns:
        raise DatasetBroken(str(path), f'columns {table.column_names}', 'each name once')
    if number not in table.column_names or table.num_columns < 2:
        raise DatasetBroken(str(path), f'columns {table.column_names}', f'{number} and {kind}')
    with parquet_errors(path, 'whole numbers'):
        numbers = table[number].to_pylist()
    if numbers != list(range(len(numbers))):
        raise DatasetBroken(f'{path}: {number}', f'{numbers[:10]}', '0, 1, 2, ... in order',
                            'LeRobot reads tasks by position')
    with parquet_errors(path, 'strings in UTF-8'):
        tasks = table[index_column(table.schema, number)[0]].to_pylist()
    if not all(isinstance(task, str) for task in tasks):
        raise DatasetBroken(f'{path}: {kind}', 'a value that is no string', 'a string in each row')
    return tasks


def index_column(schema: pa.Schema, number: str = 'task_index') -> tuple[str, bool]:
    """Return the column of the task strings, and whether pandas' footer names it as index."""
    try:
        names = json.loads((schema.metadata or {})[b'pandas'])['index_columns']
    except (KeyError, ValueError, TypeError):
        names = []
    known = [name for name in names if isinstance(name, str) and name in schema.names] \
        if isinstance(names, list) else []
    others = [name for name in schema.names if name != number]
    return (known or others)[0], bool(known)
