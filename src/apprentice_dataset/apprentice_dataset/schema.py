# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Compare what a dataset holds with what is about to be recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from apprentice_dataset.codecs import CODECS
from apprentice_dataset.codecs import DEPTH_CODEC
from apprentice_dataset.depth import is_depth
from apprentice_dataset.depth_scale import LOG
from apprentice_dataset.depth_scale import RANGE
from apprentice_dataset.errors import Problem
from apprentice_dataset.errors import SchemaMismatch
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.features import RESERVED
from apprentice_dataset.info import Info
from apprentice_dataset.layout import DATA_PATH
from apprentice_dataset.layout import VIDEO_PATH
from apprentice_dataset.metadata import Metadata

_USUAL = {**RANGE, LOG: True}
_PLACES = ('chunk_index', 'file_index', 'from_timestamp', 'to_timestamp')
_COLUMNS = {'episode_index', 'tasks', 'length', 'data/chunk_index', 'data/file_index',
            'dataset_from_index', 'dataset_to_index'}


def check_schema(root: Path, metadata: Metadata, spec: DatasetSpec) -> None:
    """Raise SchemaMismatch with every field in which a dataset differs from a recording."""
    found = [*_of_dataset(metadata.info, spec), *_of_features(metadata.info, spec),
             *_of_episodes(metadata)]
    if found:
        raise SchemaMismatch(str(root), found)


def _of_dataset(info: Info, spec: DatasetSpec) -> Iterator[Problem]:
    if not info.codebase_version.startswith('v3'):
        yield Problem('codebase_version', info.codebase_version, 'v3.0',
                      'convert it first: dataset convert')
    if info.fps != spec.fps:
        yield Problem('fps', str(info.fps), str(spec.fps))
    if info.robot_type != spec.robot_type:
        yield Problem('robot_type', repr(info.robot_type), repr(spec.robot_type))
    if info.data_path != DATA_PATH:
        yield Problem('data_path', info.data_path, DATA_PATH, 'merge or copy it with lerobot')
    if info.cameras and info.video_path != VIDEO_PATH:
        yield Problem('video_path', str(info.video_path), VIDEO_PATH,
                      'merge or copy it with lerobot')


def _of_features(info: Info, spec: DatasetSpec) -> Iterator[Problem]:
    there = {name: feature for name, feature in info.features.items() if name not in RESERVED}
    for name in there.keys() - spec.features.keys():
        yield Problem(f'features.{name}', f'{there[name].dtype} {list(there[name].shape)}',
                      'no such feature')
    for name, wanted in spec.features.items():
        if name not in there:
            yield Problem(f'features.{name}', 'no such feature',
                          f'{wanted.dtype} {list(wanted.shape)}')
        else:
            yield from _of_feature(name, there[name], wanted, spec)
    for name, reserved in RESERVED.items():
        if info.features[name].dtype != reserved.dtype:
            yield Problem(f'features.{name}.dtype', info.features[name].dtype, reserved.dtype)


def _of_feature(
    name: str, there: Feature, wanted: Feature, spec: DatasetSpec,
) -> Iterator[Problem]:
    place = f'features.{name}'
    if there.dtype == 'image' and wanted.is_video:
        yield Problem(f'{place}.dtype', 'image', 'video',
                      'record images, or convert them to video first')
        return
    for field in ('dtype', 'shape', 'names'):
        found, expected = getattr(there, field), getattr(wanted, field)
        if found != expected:
            yield Problem(f'{place}.{field}', _shown(found), _shown(expected))
    if not there.is_camera or not wanted.is_camera:
        return
    if wanted.shape[-1] == 1:
        yield from _of_depth(place, there, wanted)
    elif there.is_video and wanted.is_video:
        yield from _of_video(place, there, spec)


def _of_video(place: str, there: Feature, spec: DatasetSpec) -> Iterator[Problem]:
    info = there.info or {}
    codec = info.get('video.codec')
    if codec is not None and codec != spec.video.codec and (
            spec.video.codec is not None or codec not in CODECS):
        yield Problem(f'{place}.info.video.codec', repr(codec),
                      repr(spec.video.codec) if spec.video.codec else ' | '.join(CODECS))
    if info.get('video.pix_fmt', 'yuv420p') != 'yuv420p':
        yield Problem(f'{place}.info.video.pix_fmt', repr(info['video.pix_fmt']), "'yuv420p'")
    if info.get('is_depth_map') or info.get('video.is_depth_map'):
        yield Problem(f'{place}.info.is_depth_map', 'true', 'false')


def _of_depth(place: str, there: Feature, wanted: Feature) -> Iterator[Problem]:
    known, asked = there.info or {}, wanted.info or {}
    keys = ['depth_unit']
    if wanted.is_video:
        keys += [*RANGE, LOG]
        for key, expected in (('video.codec', DEPTH_CODEC), ('video.pix_fmt', 'gray12le')):
            if known.get(key, expected) != expected:
                yield Problem(f'{place}.info.{key}', repr(known[key]), repr(expected))
        if there.is_video and not is_depth(there):
            yield Problem(f'{place}.info.is_depth_map', 'false', 'true')
    for key in keys:
        # A dataset without a range has LeRobot's; one without a unit has none that is known.
        found = known.get(key, _USUAL.get(key))
        if found != asked.get(key, found) or found is None:
            yield Problem(f'{place}.info.{key}', repr(found), repr(asked.get(key, 'mm')))


def _of_episodes(metadata: Metadata) -> Iterator[Problem]:
    if metadata.episodes_schema is None:
        return
    needed = _COLUMNS | {f'videos/{camera}/{name}' for camera in metadata.info.cameras
                         for name in _PLACES}
    missing = needed - set(metadata.episodes_schema.names)
    if missing:
        yield Problem('meta/episodes columns', f'no {sorted(missing)}', 'these columns',
                      'episodes cannot be added to a dataset without them')


def _shown(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else repr(value)
