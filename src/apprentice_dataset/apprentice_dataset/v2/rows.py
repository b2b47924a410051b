# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read an episode's rows as arrays and hold them to what the format promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apprentice_dataset.columns import column_type
from apprentice_dataset.columns import in_one_form
from apprentice_dataset.columns import to_numpy
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.metadata import Episode
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa

# What pandas leaves behind where it wrote an index nobody wanted.
_OF_PANDAS = '__index_level_0__'


def column_values(where: str, column: pa.ChunkedArray, feature: Feature) -> Any:
    """
    Return a column as (rows, *shape), (rows,) for a scalar, or as a list of what is no number.

    :raises DatasetBroken: a value is missing, has another shape or does not fit the dtype.
    """
    kind = column_type(feature)
    if kind is None:
        raise DatasetBroken(where, feature.dtype, 'a dtype that v2.x has')
    array = in_one_form(where, column, feature, kind)
    values = to_numpy(array, feature)
    if array.null_count or isinstance(values, list) and feature.dtype not in ('string', 'image'):
        raise DatasetBroken(where, 'a value that is missing', 'one in every place')
    return values


def episode_values(
    where: str, table: pa.Table, columns: Mapping[str, Feature], episode: Episode,
    fps: int | float, tasks: int, renumber: bool,
) -> dict[str, Any]:
    """
    Return every column of an episode, checked.

    :param tasks: the number of tasks that `task_index` may name.
    :param renumber: count `index`, `frame_index`, `episode_index` and `timestamp` anew instead
        of refusing what contradicts the order of the rows.
    """
    if len(set(table.column_names)) != table.num_columns:
        raise DatasetBroken(where, f'columns {sorted(table.column_names)[:9]}', 'each name once')
    missing = sorted(columns.keys() - set(table.column_names))
    if missing:
        raise DatasetBroken(where, f'no columns {missing}', 'every column that info.json declares')
    unknown = sorted(set(table.column_names) - columns.keys() - {_OF_PANDAS})
    if unknown:
        raise DatasetBroken(where, f'columns {unknown}', 'columns that info.json declares',
                            'declare them there or remove them')
    if table.num_rows != episode.length:
        raise DatasetBroken(where, f'{table.num_rows} rows', f'{episode.length}, as meta says')
    values = {name: column_values(f'{where}: {name}', table[name], feature)
              for name, feature in columns.items()}
    frames = np.arange(episode.length)
    expected: dict[str, NDArray[Any]] = {
        'frame_index': frames, 'index': frames + episode.rows.start,
        'episode_index': np.full(episode.length, episode.index),
        'timestamp': (frames / fps).astype(np.float32)}
    for name, right in expected.items():
        # Half a frame off is another frame; less is rounding, and is kept.
        most = 0.5 / fps if name == 'timestamp' else 0
        wrong = np.flatnonzero(~(np.abs(values[name] - right) <= most))
        if wrong.size and renumber:
            values[name] = right.astype(values[name].dtype)
        elif wrong.size:
            row = int(wrong[0])
            raise DatasetBroken(f'{where}: {name}, row {row}', str(values[name][row]),
                                str(right[row]), 'mend it, or count anew with --renumber')
    strange = [int(task) for task in np.unique(values['task_index']) if not 0 <= task < tasks]
    if strange:
        raise DatasetBroken(f'{where}: task_index', str(strange), f'0 to {tasks - 1}')
    return values
