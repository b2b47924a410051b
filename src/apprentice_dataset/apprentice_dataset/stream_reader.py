# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read rows and pictures of an episode from a store, and make items of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import math
from typing import Any

from apprentice_dataset.columns import column_type
from apprentice_dataset.columns import in_one_form
from apprentice_dataset.columns import to_numpy
from apprentice_dataset.decoder_cache import DecoderCache
from apprentice_dataset.decoder_cache import Limit
from apprentice_dataset.depth import from_codes
from apprentice_dataset.depth import from_recorded
from apprentice_dataset.depth import is_depth
from apprentice_dataset.episodes import FileRun
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import RESERVED
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.pictures import decode_picture
from apprentice_dataset.pictures import reason
from apprentice_dataset.stores import Store
from apprentice_dataset.stream_video import StreamVideo
from apprentice_dataset.tables import parquet_errors
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa
import pyarrow.parquet as pq

# Files of rows that stay open.
_OPEN = 16
# Rows that stay in memory, so that an episode read in chunks is read once.
_ROW_BYTES = 128 << 20
_PLACED = ('index', 'episode_index')


class _Table:
    """Keep a data file open, with the number of the first row of each of its groups."""

    def __init__(self, path: str, source: Any, first: int, rows: int) -> None:
        self._source = source
        with parquet_errors(path, 'a whole parquet file'):
            self.file = pq.ParquetFile(source)
            names = self.file.schema_arrow.names
            footer = self.file.metadata
            sizes = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
        if len(set(names)) != len(names):
            raise DatasetBroken(path, f'columns {sorted(names)[:9]}', 'each name once')
        if sum(sizes) != rows:
            raise DatasetBroken(path, f'{sum(sizes)} rows', f'{rows}, as meta/episodes says')
        self.begins = first + np.cumsum([0, *sizes])

    def close(self) -> None:
        self.file.close()
        if not isinstance(self._source, str):
            self._source.close()


class StreamReader:
    """Give items of frames of an episode; it keeps files open, which `close` closes."""

    def __init__(
        self, store: Store, metadata: Metadata, windows: Mapping[str, NDArray[np.int64]],
        tolerance_s: float, depth_unit: str = 'mm', max_decoders: Limit = 'auto',
    ) -> None:
        """
        Take what is to be read; nothing is opened.

        :param depth_unit: of distances, `mm` or `m`.
        :param max_decoders: see `DecoderCache`.
        """
        self._store, self._metadata, self._windows = store, metadata, windows
        self._tolerance_s, self._depth_unit = tolerance_s, depth_unit
        self._tables: OrderedDict[FileNumber, _Table] = OrderedDict()
        self._videos = DecoderCache(max_decoders)
        self._groups: OrderedDict[tuple[FileNumber, int], pa.Table] = OrderedDict()
        self._runs: dict[FileNumber, FileRun] = {}

    def __enter__(self) -> StreamReader:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close all files and forget what was read."""
        self._videos.clear()
        while self._tables:
            self._tables.popitem()[1].close()
        self._groups.clear()

    def picture_bytes(self) -> int:
        """Return the size of the decoded pictures of one item."""
        return sum(math.prod(feature.shape) * (4 if is_depth(feature) else 1)
                   * max(1, len(self._windows.get(name, ())))
                   for name, feature in self._metadata.info.features.items()
                   if feature.dtype in ('video', 'image'))

    def episodes_together(self, episodes: Sequence[int]) -> int:
        """Return how many episodes a row group holds, judged by the file of the first one."""
        number = self._metadata.episodes[episodes[0]].data
        run = self._run(number)
        return -(-len(run.episodes) // max(1, len(self._table(number).begins) - 1))

    def items(self, episode: int, frames: Sequence[int]) -> dict[int, dict[str, Any]]:
        """
        Return items by frame index; a scalar is 0-dimensional.

        A picture is (height, width, 3) uint8, of a depth camera (height, width, 1) float32.
        A feature with a window has one more axis in front; beyond the episode its first or last
        value is repeated, and `NAME_is_pad` is true there.

        :raises DatasetBroken: a file is missing or contradicts the metadata.
        :raises StoreFailed: the store does not give a file.
        """
        length = self._metadata.episodes[episode].length
        columns = self._columns(episode)
        at = np.asarray(frames, np.int64)
        reach = {name: at[:, None] + offsets for name, offsets in self._windows.items()}
        inside = {name: np.clip(wanted, 0, length - 1) for name, wanted in reach.items()}
        values: dict[str, Any] = {
            camera: _spread(inside.get(camera, at), lambda wanted: self._frames(
                episode, camera, columns['timestamp'][wanted]))
            for camera in self._metadata.info.cameras}
        for name, column in columns.items():
            wanted = inside.get(name, at)
            if self._metadata.info.features[name].dtype == 'image':
                values[name] = _spread(wanted, lambda wanted: self._pictures(
                    episode, name, column, wanted))
            else:
                values[name] = column[wanted] if isinstance(column, np.ndarray) \
                    else [column[place] for place in wanted]
        for name, wanted in reach.items():
            values[f'{name}_is_pad'] = (wanted < 0) | (wanted >= length)
        values['task'] = self._named('task', self._metadata.tasks, columns, at)
        if self._metadata.subtasks and 'subtask_index' in columns:
            values['subtask'] = self._named('subtask', self._metadata.subtasks, columns, at)
        return {frame: {name: value[place] for name, value in values.items()}
                for place, frame in enumerate(frames)}

    def _named(
        self, kind: str, names: Sequence[str], columns: Mapping[str, Sequence[Any]],
        frames: NDArray[np.int64],
    ) -> list[str]:
        numbers = [columns[f'{kind}_index'][frame] for frame in frames.tolist()]
        wrong = [one for one in numbers if one is None or not 0 <= one < len(names)]
        if wrong:
            raise DatasetBroken(f'{self._store.name}: {kind}_index', str(wrong[0]),
                                f'a number from 0 to {len(names) - 1}')
        return [names[int(number)] for number in numbers]

    def _frames(
        self, episode: int, camera: str, times: NDArray[np.float32],
    ) -> list[NDArray[Any]]:
        """Return frames of a camera at ascending times of an episode."""
        info = self._metadata.info
        place, feature = self._metadata.episodes[episode].videos[camera], info.features[camera]
        path = place.number.path(str(info.video_path), camera)
        with self._videos.lent(path, lambda: StreamVideo(
                f'{self._store.name}/{path}', self._store.source(path), info.fps,
                is_depth(feature))) as video:
            found = video.frames(place.begin_s + times.astype(np.float64), self._tolerance_s)
        return [self._distances(from_codes(codes, feature.info)) for codes in found] \
            if is_depth(feature) else found

    def _pictures(
        self, episode: int, name: str, column: Sequence[Any], frames: NDArray[np.int64],
    ) -> list[NDArray[Any]]:
        """Decode pictures that lie in the table."""
        feature, found = self._metadata.info.features[name], []
        for frame in frames.tolist():
            try:
                found.append(decode_picture((column[frame] or {}).get('bytes'), feature))
            except BadPicture as error:
                raise DatasetBroken(f'{self._store.name}: {name} of frame {frame} of episode '
                                    f'{episode}', reason(error), 'a whole picture',
                                    'restore it from a copy') from None
        if not is_depth(feature):
            return found
        values = [from_recorded(one, feature.info) for one in found]
        known = (feature.info or {}).get('depth_unit')
        return [self._distances(one) for one in values] if known else values

    def _distances(self, millimetres: NDArray[np.float32]) -> NDArray[np.float32]:
        return millimetres / np.float32(1000) if self._depth_unit == 'm' else millimetres

    def _columns(self, episode: int) -> dict[str, Any]:
        """Return the columns of an episode, in the order of the features."""
        entry, info = self._metadata.episodes[episode], self._metadata.info
        table = self._table(entry.data)
        first = int(np.searchsorted(table.begins, entry.rows.start, 'right')) - 1
        last = int(np.searchsorted(table.begins, entry.rows.stop, 'left'))
        parts = [self._group(entry.data, number) for number in range(first, last)]
        begin = entry.rows.start - int(table.begins[first])
        rows = pa.concat_tables(parts).slice(begin, entry.length)
        path = f'{self._store.name}/{entry.data.path(info.data_path)}'
        columns = {}
        for name, feature in info.columns.items():
            if name not in rows.column_names:
                columns[name] = [None] * entry.length
                continue
            kind = column_type(feature) or rows.schema.field(name).type
            columns[name] = to_numpy(
                in_one_form(f'{path}: {name}', rows[name], feature, kind), feature)
        for name in RESERVED:
            if not isinstance(columns[name], np.ndarray):
                raise DatasetBroken(f'{path}: {name}', 'no value', 'one in every row',
                                    'validate the dataset')
        for name, right in zip(_PLACED, (np.arange(entry.rows.start, entry.rows.stop), episode)):
            if not np.array_equal(columns[name], np.broadcast_to(right, entry.length)):
                raise DatasetBroken(f'{path}: {name}', f'other rows for episode {episode}',
                                    'rows in order without a gap', 'validate the dataset')
        return columns

    def _run(self, number: FileNumber) -> FileRun:
        if not self._runs:
            self._runs = {run.number: run for run in self._metadata.episodes.file_runs()}
        return self._runs[number]

    def _table(self, number: FileNumber) -> _Table:
        if number not in self._tables:
            run, episodes = self._run(number), self._metadata.episodes
            first = int(episodes.column('dataset_from_index')[run.episodes.start])
            end = int(episodes.column('dataset_to_index')[run.episodes.stop - 1])
            path = number.path(self._metadata.info.data_path)
            self._tables[number] = _Table(f'{self._store.name}/{path}', self._store.source(path),
                                          first, end - first)
        self._tables.move_to_end(number)
        while len(self._tables) > _OPEN:
            self._tables.popitem(last=False)[1].close()
        return self._tables[number]

    def _group(self, number: FileNumber, group: int) -> pa.Table:
        key = number, group
        if key not in self._groups:
            table, wanted = self._table(number), self._metadata.info.columns
            names = [name for name in table.file.schema_arrow.names if name in wanted]
            path = f'{self._store.name}/{number.path(self._metadata.info.data_path)}'
            with parquet_errors(path, 'readable rows'):
                self._groups[key] = table.file.read_row_group(group, names, use_threads=False)
        self._groups.move_to_end(key)
        used = sum(kept.nbytes for kept in self._groups.values())
        while used > _ROW_BYTES and len(self._groups) > 1:
            used -= self._groups.popitem(last=False)[1].nbytes
        return self._groups[key]


def _spread(
    wanted: NDArray[np.int64], read: Callable[[NDArray[np.int64]], list[NDArray[Any]]],
) -> list[NDArray[Any]]:
    """Read each frame once, in ascending order, and give each item memory of its own."""
    frames = np.unique(wanted)
    found = dict(zip(frames.tolist(), read(frames)))
    return [np.stack([found[frame] for frame in row]) if isinstance(row, list) else found[row]
            for row in wanted.tolist()]
