# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Damage parquet files where it hurts: footers, headers of pages, columns, values, order."""

from __future__ import annotations

from collections.abc import Mapping
import io
from random import Random
import struct
from typing import Any

from mutate_bytes import Change
import pyarrow as pa
import pyarrow.parquet as pq
from thrift import BINARY
from thrift import LIST
from thrift import Node
from thrift import Reader
from thrift import STRUCT
from thrift import written

WHOLE = (0, 1, -1, 2, 3, 127, 255, 1 << 15, 1 << 24, (1 << 31) - 1, -(1 << 31), 1 << 32,
         1 << 40, 1 << 48, (1 << 63) - 1, -(1 << 63))
"""Numbers on which arithmetic stumbles."""
VALUES: tuple[Any, ...] = (
    *WHOLE, float('nan'), float('inf'), -float('inf'), 1e-320, 1e308, -0.0, 0.5, None, True, '',
    'x' * 3000, '../../outside', '\0', [], [1], [None], [1.5, 2.5, 3.5], {'bytes': b''},
    {'bytes': b'\x89PNG\r\n\x1a\n' + bytes(64), 'path': '../../outside'},
    {'bytes': b'II*\0' + b'\xff' * 64, 'path': None}, {'bytes': None, 'path': '/dev/zero'})
_TYPES = (pa.int8(), pa.uint64(), pa.int64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(),
          pa.string(), pa.large_string(), pa.binary(), pa.list_(pa.int64()),
          pa.list_(pa.float32(), 3), pa.large_list(pa.string()), pa.timestamp('ns'),
          pa.decimal128(38, 4), pa.date32(), pa.null(), pa.dictionary(pa.int32(), pa.string()),
          pa.struct([('bytes', pa.binary()), ('path', pa.string())]))
_METADATA = (None, {}, {b'huggingface': b'{'}, {b'pandas': b'[]'},
             {b'pandas': b'{"index_columns": [7]}'}, {b'pandas': b'{"index_columns": "task"}'},
             {b'ARROW:schema': b'////'}, {b'huggingface': b'{"info": {"features": 3}}'})


def footer(data: bytes, random: Random) -> bytes:
    """Change something in the footer and keep it well formed."""
    size, = struct.unpack('<I', data[-8:-4])
    begin = len(data) - 8 - size
    if begin < 0:
        raise ValueError('no footer')
    root = Reader(data, begin).struct()
    _change(root, random)
    changed = written(root)
    return data[:begin] + changed + struct.pack('<I', len(changed)) + data[-4:]


def footer_size(data: bytes, random: Random) -> bytes:
    """Lie about the size of the footer."""
    size = random.choice((0, 1, len(data), len(data) - 8, (1 << 31) - 1, (1 << 32) - 1,
                          random.randrange(len(data))))
    return data[:-8] + struct.pack('<I', size) + data[-4:]


def page(data: bytes, random: Random) -> bytes:
    """Change something in the header of a page."""
    size, = struct.unpack('<I', data[-8:-4])
    root = Reader(data, len(data) - 8 - size).struct()
    chunks = [chunk for group in _list(root, 4) for chunk in _list(group, 1)]
    chunk = random.choice(chunks)
    places = [node.value for node in (chunk.field(3, 9), chunk.field(3, 11)) if node is not None]
    begin = random.choice(places)
    reader = Reader(data, begin)
    header = reader.struct()
    for _ in range(20):
        _change(header, random)
        changed = written(header)
        # Where it has the same size, all that follows stays in its place.
        if len(changed) == reader.place - begin or random.random() < 0.1:
            return data[:begin] + changed + data[reader.place:]
    return data[:begin] + written(header) + data[reader.place:]


def _list(node: Node, number: int) -> list[Node]:
    found = node.field(number)
    return found.value if found is not None and found.kind == LIST else []


def _change(root: Node, random: Random) -> None:
    node = random.choice(list(root.walk()))
    if node.kind == STRUCT and node.value:
        place = random.randrange(len(node.value))
        if random.random() < 0.7:
            del node.value[place]
        else:
            number, one = node.value[place]
            node.value[place] = random.choice((number + 1, 1, 15)), one
    elif node.kind == LIST:
        if node.value and random.random() < 0.5:
            del node.value[random.randrange(len(node.value))]
        elif node.value:
            node.value.insert(random.randrange(len(node.value)), random.choice(node.value))
    elif node.kind == BINARY:
        node.value = random.choice((b'', b'\xff\xfe', b'a/b', bytes(8), b'\xff' * 8,
                                    node.value + b'x', node.value[:-1], b'episode_index'))
    elif isinstance(node.value, int):
        node.value = random.choice((*WHOLE, node.value + 1, node.value - 1, node.value * 2))


def _table(data: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(data))


def _stored(table: pa.Table, random: Random | None = None) -> bytes:
    sink = io.BytesIO()
    options: dict[str, Any] = {}
    if random is not None:
        options = {
            'row_group_size': random.choice((1, 2, 1000)),
            'compression': random.choice(('none', 'snappy', 'gzip', 'zstd', 'lz4', 'brotli')),
            'data_page_version': random.choice(('1.0', '2.0')),
            'use_dictionary': random.random() < 0.5, 'store_schema': random.random() < 0.5,
            'write_statistics': random.random() < 0.5}
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def otherwise(data: bytes, random: Random) -> bytes:
    """Store the same rows with other codecs, pages and row groups."""
    return _stored(_table(data), random)


def drop_column(data: bytes, random: Random) -> bytes:
    """Leave a column out."""
    table = _table(data)
    return _stored(table.drop_columns([random.choice(table.column_names)]))


def rename_column(data: bytes, random: Random) -> bytes:
    """Give a column another name, or that of its neighbour."""
    table = _table(data)
    names = list(table.column_names)
    names[random.randrange(len(names))] = random.choice(
        (*names, '', 'a/b', '../x', 'stats/a/mean', 'stats/a', 'videos/x/chunk_index', '\0'))
    return _stored(table.rename_columns(names))


def add_column(data: bytes, random: Random) -> bytes:
    """Append a column that nobody declared."""
    table = _table(data)
    name = random.choice(('stray', 'stats/action/mean', 'stats/a/b/c', 'index', 'task'))
    return _stored(table.append_column(name, pa.array([random.choice(WHOLE)] * table.num_rows)))


def retype_column(data: bytes, random: Random) -> bytes:
    """Store a column in another type, or as nothing where its values do not fit."""
    table = _table(data)
    place = random.randrange(table.num_columns)
    kind = random.choice(_TYPES)
    try:
        column = table.column(place).cast(kind)
    except (pa.ArrowException, ValueError):
        column = pa.nulls(table.num_rows, kind)
    return _stored(table.set_column(place, table.column_names[place], column))


def value(data: bytes, random: Random) -> bytes:
    """Change some values of a column, keeping its type where they fit."""
    table = _table(data)
    place = random.randrange(table.num_columns)
    values = table.column(place).to_pylist()
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(values))
        new = random.choice(VALUES)
        old = values[at]
        if isinstance(old, list) and old and random.random() < 0.6:
            old = list(old)
            old[random.randrange(len(old))] = new
            new = old
        values[at] = new
    field = table.schema.field(place)
    for kind in (field.type, None):
        try:
            return _stored(table.set_column(place, field.name, pa.array(values, kind)))
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            continue
    raise ValueError('these values fit no column')


def order(data: bytes, random: Random) -> bytes:
    """Put rows in another order."""
    table = _table(data)
    rows = list(range(table.num_rows))
    random.shuffle(rows)
    return _stored(table.take(pa.array(rows, pa.int64())))


def rows(data: bytes, random: Random) -> bytes:
    """Leave rows out, or repeat some."""
    table = _table(data)
    count = random.choice((0, 1, table.num_rows - 1, table.num_rows + 1, 3 * table.num_rows))
    taken = [random.randrange(table.num_rows) for _ in range(max(0, count))]
    return _stored(table.take(pa.array(sorted(taken), pa.int64())))


def metadata(data: bytes, random: Random) -> bytes:
    """Say something else in the schema's own dictionary."""
    return _stored(_table(data).replace_schema_metadata(random.choice(_METADATA)))


PARQUET: Mapping[str, Change] = {
    f'parquet.{change.__name__}': change
    for change in (footer, footer_size, page, otherwise, drop_column, rename_column, add_column,
                   retype_column, value, order, rows, metadata)}
