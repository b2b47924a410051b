# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read and write meta/info.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
import re
from typing import Any

from apprentice_dataset.camera_forms import encoding_of
from apprentice_dataset.depth_scale import DepthScale
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import check_features
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.features import feature_from_json
from apprentice_dataset.features import RESERVED
from apprentice_dataset.layout import check_template
from apprentice_dataset.layout import DATA_PATH
from apprentice_dataset.layout import INFO
from apprentice_dataset.layout import read_json
from apprentice_dataset.layout import VIDEO_PATH
from apprentice_dataset.v2.reading import as_v3
from apprentice_dataset.v2.reading import is_v2

VERSION = 'v3.0'
_VERSION = re.compile(r'v?(\d+)\.\d+')
# No sum of 10^5 of these leaves 64 bits.
_TOO_MUCH = 1 << 48
# Slower ones are 0 as a fraction of small numbers.
_SLOWEST = 0.001
_COUNTERS = ('total_episodes', 'total_frames', 'total_tasks')
_SIZES = {'chunks_size': 1000, 'data_files_size_in_mb': 100, 'video_files_size_in_mb': 200}
# What a dataset that names none may call.
_SAY = {'type': 'function', 'function': {
    'name': 'say', 'description': 'Speak a short utterance to the user.',
    'parameters': {'type': 'object', 'required': ['text'], 'properties': {
        'text': {'type': 'string', 'description': 'The words to speak.'}}}}}


@dataclass(frozen=True)
class Info:
    """
    Hold info.json: the typed fields, and `extra`, whatever else it says.

    `splits` is what was read, name -> range of episodes such as '0:12'; nothing relies on it.
    """

    fps: int | float
    features: Mapping[str, Feature]
    robot_type: str | None = None
    total_episodes: int = 0
    total_frames: int = 0
    total_tasks: int = 0
    chunks_size: int = 1000
    data_path: str = DATA_PATH
    video_path: str | None = VIDEO_PATH
    codebase_version: str = VERSION
    extra: Mapping[str, Any] | None = None
    raw_features: Mapping[str, Any] | None = None
    splits: Mapping[str, str] | None = None

    @property
    def tools(self) -> list[Any]:
        """Return the functions that language columns may call, as OpenAI describes them."""
        found = (self.extra or {}).get('tools')
        return list(found) if isinstance(found, list) and found else [_SAY]

    @property
    def cameras(self) -> dict[str, Feature]:
        """Return the features that are mp4s."""
        return {name: feature for name, feature in self.features.items() if feature.is_video}

    @property
    def columns(self) -> dict[str, Feature]:
        """Return the features that are columns of the data files."""
        return {name: feature for name, feature in self.features.items()
                if not feature.is_video}

    def grown(self, rows: int, tasks: int) -> Info:
        """Return it after one more episode."""
        return replace(self, total_episodes=self.total_episodes + 1,
                       total_frames=self.total_frames + rows, total_tasks=tasks)

    def to_json(self) -> dict[str, Any]:
        """Return it as LeRobot lays it out."""
        features = self.raw_features or {
            name: feature.to_json() for name, feature in self.features.items()}
        extra = dict(self.extra or {})
        return {
            'codebase_version': self.codebase_version, 'fps': self.fps, 'features': features,
            'total_episodes': self.total_episodes, 'total_frames': self.total_frames,
            'total_tasks': self.total_tasks, 'chunks_size': self.chunks_size,
            **{name: extra.pop(name, default) for name, default in list(_SIZES.items())[1:]},
            'data_path': self.data_path, 'video_path': self.video_path,
            'robot_type': self.robot_type,
            **extra, 'splits': {'train': f'0:{self.total_episodes}'} if self.total_episodes
            else {}}


def new_info(spec: DatasetSpec) -> Info:
    """Return info.json of an empty dataset for rows of this kind."""
    features: dict[str, Feature] = {}
    for name, feature in spec.features.items():
        features[name] = replace(feature, info=_of_camera(name, feature, spec)) \
            if feature.is_camera else feature
    features.update(RESERVED)
    has_video = any(feature.is_video for feature in features.values())
    return Info(spec.fps, features, spec.robot_type,
                video_path=VIDEO_PATH if has_video else None)


def _of_camera(name: str, feature: Feature, spec: DatasetSpec) -> dict[str, Any] | None:
    known: dict[str, Any] = {}
    if feature.shape[-1] == 1:
        known = DepthScale.of(f'feature {name!r}', feature.info).info(feature.is_video)
    if feature.is_video:
        encoding = encoding_of(replace(feature, info=known), spec.video, spec.fps)
        known = {**encoding.info(spec.fps, *feature.height_width), **known}
    return known or None


def read_info(root: Path) -> Info:
    """
    Read and check info.json of a dataset; DatasetBroken names the field that is wrong.

    That of v2.x comes back in the words of v3.0; its `codebase_version` tells.
    """
    path = root / INFO
    value = read_json(path)
    version = _version(path, value)
    if is_v2(version):
        value = as_v3(path, value)
    features = value.get('features')
    if not isinstance(features, dict) or not features:
        raise DatasetBroken(f'{path}: features', type(features).__name__, 'an object of features')
    read = {name: feature_from_json(feature, f'{path}: features.{name}')
            for name, feature in features.items()}
    check_features(read, f'{path}: ')
    for name, reserved in RESERVED.items():
        if read.get(name) is None or read[name].shape != reserved.shape:
            raise DatasetBroken(f'{path}: features.{name}', repr(read.get(name)),
                                f'{reserved.dtype} {list(reserved.shape)}')
    counters = {name: _whole(path, value, name, 0, 0) for name in _COUNTERS}
    sizes = {name: _whole(path, value, name, 1, default) for name, default in _SIZES.items()}
    typed = {'codebase_version', 'fps', 'features', 'robot_type', 'data_path', 'video_path',
             'chunks_size', 'splits', *_COUNTERS}
    extra = {**{name: sizes[name] for name in list(_SIZES)[1:]},
             **{name: entry for name, entry in value.items()
                if name not in typed and name not in _SIZES}}
    return Info(
        _fps(path, value), read, _text(path, value, 'robot_type', None), **counters,
        chunks_size=sizes['chunks_size'], data_path=_path(path, value, 'data_path', DATA_PATH),
        video_path=_path(path, value, 'video_path', VIDEO_PATH), codebase_version=version,
        extra=extra, raw_features=features, splits=_splits(path, value))


def _splits(path: Path, value: Mapping[str, Any]) -> dict[str, str]:
    found = value.get('splits') or {}
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise DatasetBroken(f'{path}: splits', repr(found)[:60],
                            "an object of ranges such as '0:12'")
    return found


def _version(path: Path, value: Mapping[str, Any]) -> str:
    version = value.get('codebase_version')
    match = _VERSION.match(version) if isinstance(version, str) else None
    if match is None or match[1] != '3' and not is_v2(version):
        raise DatasetBroken(f'{path}: codebase_version', repr(version), f'{VERSION}, v2.1 or v2.0')
    return version


def _fps(path: Path, value: Mapping[str, Any]) -> int | float:
    fps = value.get('fps')
    if isinstance(fps, bool) or not isinstance(fps, (int, float)) \
            or not _SLOWEST <= fps <= 100_000:
        raise DatasetBroken(f'{path}: fps', repr(fps), f'a rate from {_SLOWEST} to 100000')
    return int(fps) if fps == int(fps) else fps


def _whole(path: Path, value: Mapping[str, Any], name: str, low: int, default: int) -> int:
    found = value.get(name, default)
    if type(found) is not int or not low <= found < _TOO_MUCH:
        raise DatasetBroken(f'{path}: {name}', repr(found)[:60],
                            f'a whole number from {low}, below 2^48')
    return found


def _text(path: Path, value: Mapping[str, Any], name: str, default: str | None) -> str | None:
    found = value.get(name, default)
    if found is not None and not isinstance(found, str):
        raise DatasetBroken(f'{path}: {name}', repr(found), 'a string or null')
    return found


def _path(path: Path, value: Mapping[str, Any], name: str, default: str) -> Any:
    found = _text(path, value, name, default)
    if found is not None:
        check_template(f'{path}: {name}', found)
    elif name == 'data_path':
        raise DatasetBroken(f'{path}: {name}', 'null', f'a path such as {DATA_PATH!r}')
    return found
