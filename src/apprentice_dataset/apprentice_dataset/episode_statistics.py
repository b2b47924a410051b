# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read the statistics of single episodes, which opening a dataset leaves where they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.statistics import NAMES
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.tables import parquet_errors
import numpy as np
import pyarrow as pa

_Lines = Iterator[tuple[int, dict[str, Statistics]]]


class EpisodeStatistics:
    """Give an episode's statistics; the row group last read is kept."""

    def __init__(
        self, files: Sequence[tuple[Path, int]], lines: Callable[[], _Lines] | None = None,
    ) -> None:
        """
        Take where they lie.

        :param files: files of meta/episodes, each with its first episode.
        :param lines: gives numbers and statistics of a dataset of v2.1, from its beginning.
        """
        self._files, self._begins = [path for path, _ in files], [begin for _, begin in files]
        self._lines = lines
        self._rows: pa.Table | None = None
        self._first = 0

    def of(self, episode: int) -> dict[str, Statistics]:
        """
        Return feature -> statistics; {} where there are none.

        :raises DatasetBroken: they cannot be read or are no numbers.
        """
        if self._lines is not None:
            return next((found for number, found in self._lines() if number == episode), {})
        rows = self._rows
        if rows is None or not self._first <= episode < self._first + rows.num_rows:
            self._first, rows = self._read(episode)
            self._rows = rows
        path = self._files[bisect_right(self._begins, episode) - 1]
        row = rows.slice(episode - self._first, 1).to_pylist()[0] if rows.num_columns else {}
        return _statistics(path, episode, row)

    def _read(self, episode: int) -> tuple[int, pa.Table]:
        place = bisect_right(self._begins, episode) - 1
        path, first = self._files[place], self._begins[place]
        with open_parquet(path) as file, parquet_errors(path, 'readable statistics'):
            names = [name for name in file.schema_arrow.names if name.startswith('stats/')]
            group = 0
            while group < file.num_row_groups - 1 \
                    and first + file.metadata.row_group(group).num_rows <= episode:
                first += file.metadata.row_group(group).num_rows
                group += 1
            rows = file.read_row_group(group, columns=names)
        return first, rows


def _statistics(path: Path, episode: int, row: dict[str, Any]) -> dict[str, Statistics]:
    found: dict[str, Statistics] = {}
    for column, value in row.items():
        parts = column.split('/')
        if len(parts) != 3 or parts[2] not in NAMES or value is None:
            continue
        try:
            found.setdefault(parts[1], {})[parts[2]] = np.array(
                value, np.int64 if parts[2] == 'count' else np.float64)
        except (TypeError, ValueError, OverflowError):
            raise DatasetBroken(f'{path}: episode {episode}: {column}', repr(value)[:60],
                                'lists of numbers') from None
    return found
