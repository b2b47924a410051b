# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Add, remove and rename features of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from apprentice_dataset.columns import in_one_form
from apprentice_dataset.columns import to_numpy
from apprentice_dataset.edit.engine import write_dataset
from apprentice_dataset.edit.plan import in_default_places
from apprentice_dataset.edit.plan import no_progress
from apprentice_dataset.edit.plan import opened_source
from apprentice_dataset.edit.plan import plain_plan
from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.edit.plan import Progress
from apprentice_dataset.edit.plan import whole_pieces
from apprentice_dataset.edit.target import target
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import check_features
from apprentice_dataset.features import Feature
from apprentice_dataset.features import RESERVED
from apprentice_dataset.info import Info
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.tables import open_parquet
import numpy as np
import pyarrow as pa

Computed = Callable[[int, pa.Table], Any]


def add_feature(
    root: Path | str, name: str, feature: Feature, values: Sequence[Any] | Computed,
    output: Path | str | None, progress: Progress = no_progress,
) -> Info:
    """
    Add a feature with its statistics; videos are linked.

    :param feature: a number or a string of any shape.
    :param values: one a row of the dataset, (rows, *shape), or a function that is given the
        number of an episode and its table and returns those of its rows.
    :param output: where the result goes; None: in the place of `root`.
    :raises DatasetError: the name is taken, or shape, type or number of the values differ.
    """
    metadata = opened_source(root)
    _check_new(metadata, name, feature)
    if feature.dtype in ('video', 'image', 'language'):
        raise DatasetBroken(f'feature {name!r}.dtype', feature.dtype, 'a number or a string')
    if not callable(values) and len(values) != metadata.info.total_frames:
        raise DatasetError(f'{name}: found {len(values)} values, expected '
                           f'{metadata.info.total_frames}, one a row')
    begins = metadata.episodes.column('dataset_from_index')

    def of_episode(episode: int, table: pa.Table) -> Any:
        if callable(values):
            return values(episode, table)
        begin = int(begins[episode])
        return values[begin:begin + table.num_rows]

    plan = _plan(metadata)
    features = _before_reserved(plan.info.features, {name: feature})
    raw = _before_reserved(plan.info.raw_features or {}, {name: feature.to_json()})
    return _write(root, output, replace(
        plan, info=replace(plan.info, features=features, raw_features=raw),
        values={name: of_episode}), progress)


def values_of(path: Path, name: str, dtype: str | None = None) -> tuple[Feature, Any]:
    """
    Read values from a .npy file, or from the column `name` of a .parquet file.

    :returns: the feature that they are of, and the values.
    :raises DatasetError: the file is something else.
    """
    try:
        values = np.load(path, mmap_mode='r', allow_pickle=False) \
            if path.suffix == '.npy' else _column(path, name)
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f'{path}: {error}; expected a .npy or a .parquet file') from None
    if isinstance(values, list):
        return Feature('string', (1,)), values
    if not isinstance(values, np.ndarray) or not values.ndim:
        raise DatasetError(f'{path}: found no rows, expected an array of one value a row')
    return Feature(dtype or str(values.dtype), values.shape[1:] or (1,)), values


def _column(path: Path, name: str) -> Any:
    with open_parquet(path) as file:
        if name not in file.schema_arrow.names:
            raise DatasetError(f'{path}: found columns {file.schema_arrow.names}, expected '
                               f'{name!r} among them')
        column = file.read(columns=[name])[name].combine_chunks()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.to_pylist()
    shape, kind, first = [], column.type, column[:1]
    while not pa.types.is_primitive(kind):
        if not hasattr(kind, 'value_type') or not len(first):
            raise DatasetError(f'{path}: {name}: found {kind}, expected numbers or strings')
        shape.append(len(first[0]))
        kind, first = kind.value_type, first.flatten()
    feature = Feature(str(np.dtype(kind.to_pandas_dtype())), tuple(shape) or (1,))
    form = pa.list_(kind, int(np.prod(shape))) if shape and shape != [1] else kind
    values = to_numpy(in_one_form(f'{path}: {name}', column, feature, form), feature)
    if isinstance(values, list):
        raise DatasetError(f'{path}: {name}: found a value that is missing, expected one a row')
    return values


def remove_feature(
    root: Path | str, feature_names: Sequence[str], output: Path | str | None,
    progress: Progress = no_progress,
) -> Info:
    """
    Remove features with their statistics; the mp4s of a camera go with it.

    :param output: where the result goes; None: in the place of `root`.
    :raises DatasetError: there is no such feature, or it is one that every dataset has.
    """
    metadata = opened_source(root)
    _check_known(metadata, feature_names)
    plan = _plan(metadata)
    features = {name: feature for name, feature in plan.info.features.items()
                if name not in feature_names}
    if not features.keys() - RESERVED.keys():
        raise DatasetError(f'{root}: found all features to be removed, expected one to stay')
    raw = {name: value for name, value in (plan.info.raw_features or {}).items()
           if name in features}
    info = in_default_places(replace(plan.info, features=features, raw_features=raw))
    return _write(root, output, replace(plan, info=info, names={
        name: name for name in features}), progress)


def rename_feature(
    root: Path | str, names: Mapping[str, str], output: Path | str | None,
    progress: Progress = no_progress,
) -> Info:
    """
    Rename features in tables, statistics and folders; mp4s are linked.

    :param names: new name by old name.
    :param output: where the result goes; None: in the place of `root`.
    :raises DatasetError: there is no such feature, or a new name is taken or wrong.
    """
    metadata = opened_source(root)
    _check_known(metadata, list(names))
    features = metadata.info.features
    new = [names.get(name, name) for name in features]
    doubled = [name for name in new if new.count(name) > 1]
    if doubled:
        raise DatasetError(f'{root}: found {doubled[0]!r} twice, expected each name once')
    for old, name in names.items():
        _check_name(name, features[old])
    plan = _plan(metadata)
    raw = plan.info.raw_features or {}
    info = replace(plan.info, features=dict(zip(new, features.values())),
                   raw_features={names.get(name, name): value for name, value in raw.items()})
    return _write(root, output, replace(plan, info=info, names=dict(zip(new, features))),
                  progress)


def modify_tasks(
    root: Path | str, output: Path | str | None, new_task: str | None = None,
    episode_tasks: Mapping[int, str] | None = None,
    task_replacements: Mapping[str, str] | None = None, progress: Progress = no_progress,
) -> Info:
    """
    Give rows other tasks; an episode of several tasks keeps several.

    :param new_task: for every row that nothing else names.
    :param episode_tasks: for all rows of these episodes; goes before everything else.
    :param task_replacements: new text by old text; goes before `new_task`.
    :param output: where the result goes; None: in the place of `root`.
    :raises DatasetError: an episode or a task does not exist, or there is nothing to do.
    """
    metadata = opened_source(root)
    of_episode, replaced = dict(episode_tasks or {}), dict(task_replacements or {})
    if new_task is None and not of_episode and not replaced:
        raise DatasetError('found no new task, expected new_task, episode_tasks or '
                           'task_replacements')
    count = len(metadata.episodes)
    for episode in of_episode:
        if not 0 <= episode < count:
            raise DatasetError(f'{root}: found episode {episode}, expected 0 to {count - 1}')
    for task in replaced:
        if task not in metadata.tasks:
            raise DatasetError(f'{root}: found no task {task!r}, expected one of '
                               f'{list(metadata.tasks)}')

    def of_text(task: str) -> str:
        return replaced.get(task, task if new_task is None else new_task)

    noted = metadata.episodes.table['tasks'].to_pylist() \
        if 'tasks' in metadata.episodes.table.column_names else [None] * count
    used = {of_episode[number] if number in of_episode else of_text(task)
            for number, tasks in enumerate(noted) for task in tasks or metadata.tasks}
    order = dict.fromkeys([*map(of_text, metadata.tasks), *of_episode.values()])
    return _write(root, output, replace(
        _plan(metadata), tasks=[task for task in order if task in used],
        task_of=lambda piece, task: of_episode[piece.episode] if piece.episode in of_episode
        else of_text(task)), progress)


def _plan(metadata: Metadata) -> Plan:
    return plain_plan(metadata, whole_pieces(0, metadata, range(len(metadata.episodes))),
                      metadata.tasks)


def _write(root: Path | str, output: Path | str | None, plan: Plan, progress: Progress) -> Info:
    with target(Path(root), None if output is None else Path(output)) as folder:
        return write_dataset(plan, folder, progress)


def _check_known(metadata: Metadata, names: Sequence[str]) -> None:
    for name in names:
        if name in RESERVED:
            raise DatasetError(f'{metadata.root}: found {name!r}, expected a feature that not '
                               'every dataset has')
        if name not in metadata.info.features:
            raise DatasetError(f'{metadata.root}: found no feature {name!r}, expected one of '
                               f'{sorted(metadata.info.features.keys() - RESERVED.keys())}')


def _check_new(metadata: Metadata, name: str, feature: Feature) -> None:
    if name in metadata.info.features:
        raise DatasetError(f'{metadata.root}: found {name!r} there already, expected a new name')
    _check_name(name, feature)


def _check_name(name: str, feature: Feature) -> None:
    check_features({name: feature})
    if name in RESERVED:
        raise DatasetBroken(f'feature {name!r}', 'a reserved name', 'another name')
    if feature.dtype not in ('video', 'image') and 'image' in name:
        raise DatasetBroken(f'feature {name!r}', 'no camera', 'a name without "image"',
                            'LeRobot takes every name with "image" for a camera')
    if feature.dtype in ('video', 'image') and 'image' not in name:
        raise DatasetBroken(f'feature {name!r}', 'a camera', 'a name with "image"',
                            'LeRobot takes no other name for a camera')


def _before_reserved(features: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in features.items() if name not in RESERVED}
    return {**own, **new, **{name: value for name, value in features.items() if name in RESERVED}}
