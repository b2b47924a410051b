# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Read datasets of the formats v2.0 and v2.1, as if they were v3.0 with an episode a file.

Their chunks count episodes, not files, a video's chunk comes before its key, and what v3.0 keeps
in parquet below meta/ lies in lines of JSON. v2.0 has statistics of the whole dataset
(stats.json), v2.1 those of every episode (episodes_stats.jsonl).
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
import re
from string import Formatter
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.layout import from_json
from apprentice_dataset.statistics import combine
from apprentice_dataset.statistics import Statistics
import numpy as np
import pyarrow as pa

EPISODES = 'meta/episodes.jsonl'
EPISODES_STATS = 'meta/episodes_stats.jsonl'
TASKS = 'meta/tasks.jsonl'
_DATA_PATH = 'data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet'
_VIDEO_PATH = 'videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4'
_FIELDS = {'episode_chunk': 'chunk_index', 'episode_index': 'file_index',
           'video_key': 'video_key'}
_VERSION = re.compile(r'v?2\.[01](\D|$)')
# A line of statistics of a hundred features has 50 kB; what goes on much longer is no line.
_LONGEST_LINE = 1 << 26
_NEEDED = ('min', 'max', 'mean', 'std')


def is_v2(version: object) -> bool:
    """Return whether `codebase_version` names v2.0 or v2.1."""
    return isinstance(version, str) and _VERSION.match(version) is not None


def as_v3(path: Path, info: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return info.json of v2.x in the words of v3.0; `codebase_version` stays.

    The templates lead to the files that are there: their file numbers are episode numbers.

    :param path: where it was read, for errors.
    """
    features = info.get('features')
    if isinstance(features, dict):
        features = {name: _feature(feature) for name, feature in features.items()}
    kept = {name: value for name, value in info.items()
            if name not in ('total_videos', 'total_chunks')}
    return {**kept, 'features': features,
            'data_path': _template(path, info, 'data_path', _DATA_PATH),
            'video_path': _template(path, info, 'video_path', _VIDEO_PATH)}


def _feature(feature: object) -> object:
    # The oldest ones said `video_info`.
    if isinstance(feature, dict) and 'video_info' in feature and 'info' not in feature:
        feature = dict(feature)
        feature['info'] = feature.pop('video_info')
    return feature


def _template(path: Path, info: Mapping[str, Any], name: str, default: str) -> str | None:
    found = info.get(name, default)
    if found is None:
        return None
    try:
        return ''.join(
            text + ('' if field is None else f'{{{_FIELDS[field]}:{form}}}' if form
                    else f'{{{_FIELDS[field]}}}')
            for text, field, form, _ in Formatter().parse(found))
    except (KeyError, ValueError, TypeError):
        raise DatasetBroken(f'{path}: {name}', repr(found),
                            f'a path such as {default!r}') from None


def lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield place and object of every line; DatasetBroken names the line that is no object."""
    try:
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ''), 1):
                if not line.strip():
                    continue
                value = from_json(line)
                if not isinstance(value, dict):
                    raise DatasetBroken(f'{path}: line {number}', type(value).__name__,
                                        'a JSON object')
                yield f'{path}: line {number}', value
    except FileNotFoundError:
        raise DatasetBroken(str(path), 'no such file', 'an object a line',
                            'restore it from a copy') from None
    except DatasetBroken:
        raise
    except (ValueError, OSError, RecursionError) as error:
        raise DatasetBroken(str(path), str(error), 'a JSON object a line',
                            'restore it from a copy') from None


def read_tasks(root: Path) -> list[str]:
    """
    Return the task strings by `task_index`.

    :raises DatasetBroken: the numbers have gaps, or one comes twice.
    """
    found: dict[int, str] = {}
    for place, line in lines(root / TASKS):
        task = line.get('task')
        if not isinstance(task, str):
            raise DatasetBroken(f'{place}: task', repr(task), 'a string')
        found[_whole(place, line, 'task_index', len(found), found)] = task
    if sorted(found) != list(range(len(found))):
        raise DatasetBroken(f'{root / TASKS}: task_index', f'{sorted(found)[:10]}',
                            f'0 to {len(found) - 1}, every one once')
    return [found[number] for number in range(len(found))]


def _whole(
    place: str, line: Mapping[str, Any], name: str, default: int, taken: Iterable[int] = (),
) -> int:
    value = line.get(name, default)
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise DatasetBroken(f'{place}: {name}', repr(value), 'a whole number from 0')
    if value in taken:
        raise DatasetBroken(f'{place}: {name}', f'{value} a second time', 'each once')
    return value


def episodes_table(
    root: Path, cameras: Iterable[str], chunks_size: int, fps: float,
) -> pa.Table:
    """
    Return the rows that meta/episodes of v3.0 would hold, without statistics.

    :raises DatasetBroken: an episode is missing or comes twice, or a line lacks a value.
    """
    found: dict[int, tuple[list[str], int]] = {}
    for place, line in lines(root / EPISODES):
        number = _whole(place, line, 'episode_index', -1, found)
        tasks = line.get('tasks')
        if not isinstance(tasks, list) or not all(isinstance(task, str) for task in tasks):
            raise DatasetBroken(f'{place}: tasks', repr(tasks)[:100], 'a list of strings')
        found[number] = tasks, _whole(place, line, 'length', -1)
        if not found[number][1]:
            raise DatasetBroken(f'{place}: length', '0', 'at least one row')
    count = len(found)
    if sorted(found) != list(range(count)):
        missing = next(number for number in range(count) if number not in found)
        raise DatasetBroken(f'{root / EPISODES}: episode_index', f'no episode {missing}',
                            'every episode once, without a gap')
    numbers = np.arange(count)
    lengths = np.array([found[number][1] for number in range(count)], np.int64)
    ends = np.cumsum(lengths)
    chunks = numbers // chunks_size
    columns: dict[str, Any] = {
        'episode_index': numbers,
        'tasks': pa.array([found[number][0] for number in range(count)],
                          pa.list_(pa.string())),
        'length': lengths, 'data/chunk_index': chunks, 'data/file_index': numbers,
        'dataset_from_index': ends - lengths, 'dataset_to_index': ends}
    for camera in cameras:
        columns.update({
            f'videos/{camera}/chunk_index': chunks, f'videos/{camera}/file_index': numbers,
            f'videos/{camera}/from_timestamp': np.zeros(count),
            f'videos/{camera}/to_timestamp': lengths / fps})
    return pa.table(columns)


def episode_stats(root: Path) -> Iterator[tuple[int, dict[str, Statistics]]]:
    """Yield number and statistics of every episode in the order of the file; v2.0 has none."""
    if not (root / EPISODES_STATS).exists():
        return
    for place, line in lines(root / EPISODES_STATS):
        stats = line.get('stats')
        if not isinstance(stats, dict):
            raise DatasetBroken(f'{place}: stats', type(stats).__name__, 'an object')
        yield _whole(place, line, 'episode_index', -1), {
            name: _statistics(f'{place}: {name}', one) for name, one in stats.items()}


def _statistics(place: str, value: object, count: int = 0) -> Statistics:
    try:
        found = {name: np.array(value[name], np.float64) for name in _NEEDED}
        found = {name: one.reshape(one.shape or (1,)) for name, one in found.items()}
        found['count'] = np.array(value.get('count', [count]), np.int64).reshape(1)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        raise DatasetBroken(place, 'other contents',
                            'lists of numbers for min, max, mean, std') from None
    shapes = {found[name].shape for name in _NEEDED}
    if len(shapes) != 1:
        raise DatasetBroken(place, f'shapes {sorted(shapes)}', 'one shape for all')
    return found


def read_stats(root: Path, stats: Mapping[str, Any], frames: int) -> dict[str, Statistics]:
    """
    Return the statistics of the dataset: those of the episodes combined, else v2.0's own.

    :param stats: what stats.json holds, {} where there is none.
    :param frames: what counts as `count`, which v2.0 does not say.
    """
    combined: dict[str, Statistics] = {}
    for number, found in episode_stats(root):
        for name in combined.keys() & found.keys():
            shape, expected = found[name]['mean'].shape, combined[name]['mean'].shape
            if shape != expected:
                raise DatasetBroken(f'{root / EPISODES_STATS}: episode {number}: {name}',
                                    f'shape {list(shape)}', str(list(expected)))
        combined = combine([combined, found]) if combined else found
    return combined or {name: _statistics(f'{root}/meta/stats.json: {name}', one, frames)
                        for name, one in stats.items()}
