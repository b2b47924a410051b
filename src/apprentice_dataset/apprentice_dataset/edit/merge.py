# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put several datasets into one."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from apprentice_dataset.edit.engine import write_dataset
from apprentice_dataset.edit.plan import in_default_places
from apprentice_dataset.edit.plan import no_progress
from apprentice_dataset.edit.plan import opened_source
from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.edit.plan import Progress
from apprentice_dataset.edit.plan import whole_pieces
from apprentice_dataset.edit.target import target
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.features import RESERVED
from apprentice_dataset.info import Info
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.tasks import Each
from apprentice_dataset.tasks import in_threads

# What an encoder was asked for; pictures decode all the same.
TUNING = ('video.g', 'video.crf', 'video.preset', 'video.fast_decode', 'video.video_backend',
          'video.extra_options')
# What else some writers put beside a camera's size and codec; older ones leave it out.
_UNTOLD = ('has_audio', 'is_depth_map', 'video.is_depth_map', 'video.channels')


def merge(
    roots: Sequence[Path | str], output: Path | str, progress: Progress = no_progress,
    each: Each = in_threads,
) -> Info:
    """
    Put datasets one behind the other into a new one; the sources stay as they are.

    Tasks are told apart by their text, the first seen comes first. Size limits and every other
    word of info.json are those of the first.

    :param each: reads the sources' files and computes statistics.
    :raises DatasetError: rate, robot or features differ; the message is a table of all that does.
    """
    sources = [opened_source(root) for root in roots]
    if len(sources) < 2:
        raise DatasetError(f'found {len(sources)} dataset(s) to merge, expected two or more')
    differing = differences(sources)
    if differing:
        raise DatasetError('found datasets that do not fit together, expected equal rate, robot '
                           'and features:\n' + table(differing, [str(root) for root in roots]))
    first = sources[0]
    tasks = list(dict.fromkeys(task for source in sources for task in source.tasks))
    pieces = [piece for number, source in enumerate(sources)
              for piece in whole_pieces(number, source, range(len(source.episodes)))]
    info = in_default_places(_common(sources))
    plan = Plan(sources, pieces, info, tasks, {name: name for name in first.info.features})
    if any(Path(output).resolve() == source.root.resolve() for source in sources):
        raise DatasetError(f'{output}: found a source, expected another folder')
    with target(first.root, Path(output)) as folder:
        return write_dataset(plan, folder, progress, each)


def differences(sources: Sequence[Metadata]) -> list[list[str]]:
    """Return what differs, a row each: the field, then what each dataset has."""
    rows: list[list[Any]] = [
        ['fps', *(source.info.fps for source in sources)],
        ['robot_type', *(source.info.robot_type for source in sources)]]
    for name in dict.fromkeys(name for source in sources for name in source.info.features):
        if name in RESERVED:
            continue
        found = [source.info.features.get(name) for source in sources]
        if None in found:
            rows.append([name, *('-' if one is None else one.dtype for one in found)])
            continue
        features = [one for one in found if one is not None]
        rows += [[f'{name}.dtype', *(one.dtype for one in features)],
                 [f'{name}.shape', *(list(one.shape) for one in features)],
                 [f'{name}.names', *(one.names for one in features)]]
        if features[0].dtype in ('video', 'image'):
            rows += _info_rows(name, features)
    return [[str(entry) for entry in row] for row in rows
            if any(entry != row[1] for entry in row[2:])]


def _info_rows(name: str, features: Sequence[Feature]) -> list[list[Any]]:
    infos = [_told(one.info or {}) for one in features]
    keys = dict.fromkeys(key for info in infos for key in info)
    return [[f'{name}.info.{key}', *(info.get(key) for info in infos)] for key in keys]


def _told(info: Mapping[str, Any]) -> dict[str, Any]:
    depth = bool(info.get('is_depth_map') or info.get('video.is_depth_map'))
    return {**{key: value for key, value in info.items() if key not in (*TUNING, *_UNTOLD)},
            'depth': depth}


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """Lay differences out in columns."""
    lines = [['', *heads], *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return '\n'.join('  ' + '  '.join(
        cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def _common(sources: Sequence[Metadata]) -> Info:
    """Return the first's info.json; where encoders were set otherwise it says nothing of it."""
    first = sources[0].info
    raw = {name: dict(value) for name, value in (first.raw_features or {}).items()}
    features = dict(first.features)
    for name in first.cameras:
        infos = [source.info.features[name].info or {} for source in sources]
        known = dict(infos[0])
        for key in TUNING:
            if any(info.get(key) != known.get(key) for info in infos):
                known[key] = {} if key == 'video.extra_options' else None
        if infos[0]:
            features[name] = replace(features[name], info=known)
            raw[name]['info'] = known
    return replace(first, features=features, raw_features=raw or None)
