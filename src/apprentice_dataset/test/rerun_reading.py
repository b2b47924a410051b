# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read .rrd files back, with the rerun-sdk that goes with either NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from typing import NamedTuple

import pyarrow as pa

_NAMES = {
    'Scalars:scalars': 'scalar', 'Scalar': 'scalar', 'TextDocument:text': 'text', 'Text': 'text',
    'VideoFrameReference:timestamp': 'video', 'VideoTimestamp': 'video', 'AssetVideo:blob': 'file',
    'EncodedImage:blob': 'file', 'EncodedDepthImage:blob': 'file', 'Blob': 'file'}


class Point(NamedTuple):
    """Hold a value and where it stands on both timelines; static ones stand nowhere."""

    frame: int | None
    time_ns: int | None
    value: Any


def points(path: Path) -> dict[tuple[str, str], list[Point]]:
    """Return by entity and kind (scalar, text, video: a time, file) the points, in order."""
    found: dict[tuple[str, str], list[Point]] = {}
    for entity, name, point in _of_chunks(path) if find_spec('rerun.chunk') else _of_table(path):
        if name in _NAMES:
            found.setdefault((entity, _NAMES[name]), []).append(point)
    return {key: sorted(values, key=lambda point: point.frame or 0)
            for key, values in found.items()}


def _of_chunks(path: Path) -> Iterator[tuple[str, str, Point]]:
    from rerun.chunk import RrdReader
    for chunk in RrdReader(path).stream().to_chunks():
        batch = chunk.to_record_batch()
        assert chunk.is_static or set(chunk.timeline_names) == {'frame_index', 'timestamp'}
        for name, column in zip(batch.schema.names, batch.columns):
            frames, times = _times(batch) if not chunk.is_static else (
                [None] * batch.num_rows, [None] * batch.num_rows)
            for frame, time, value in zip(frames, times, _values(column)):
                if value is not None:
                    yield chunk.entity_path, name, Point(frame, time, value[0])


def _of_table(path: Path) -> Iterator[tuple[str, str, Point]]:
    from rerun.dataframe import load_recording
    view = load_recording(path).view(index='frame_index', contents='/**')
    static = view.select_static().read_all()
    for column in static.column_names:
        entity, _, name = column.rpartition(':')
        yield entity, name, Point(None, None, _values(static[column])[0][0])
    table = view.select().read_all()
    frames, times = _times(table)
    for column in set(table.column_names) - set(static.column_names):
        entity, _, name = column.rpartition(':')
        if entity:
            for frame, time, value in zip(frames, times, _values(table[column])):
                if value is not None:
                    yield entity, name, Point(frame, time, value[0])


def _times(table: Any) -> tuple[list[int], list[int]]:
    return table['frame_index'].to_pylist(), table['timestamp'].cast(pa.int64()).to_pylist()


def _values(column: Any) -> list[Any]:
    return column.to_pylist() if pa.types.is_list(column.type) else [None] * len(column)
