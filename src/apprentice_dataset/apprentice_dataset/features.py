# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Describe what a dataset holds, in LeRobot's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
import math
from typing import Any

from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.depth_scale import DepthScale
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.layout import is_folder_name

__all__ = ['DatasetSpec', 'Feature', 'RESERVED', 'VideoSettings', 'check_features',
           'feature_from_json']

NUMERIC = ('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64',
           'float16', 'float32', 'float64')
DTYPES = (*NUMERIC, 'string', 'video', 'image', 'language')
PERSISTENT, EVENTS = 'language_persistent', 'language_events'
"""LeRobot's two columns of language: the same in every row, and what happens at a row."""
_NAMES = ['height', 'width', 'channels']
# What a list in a table can hold.
_MAX_RANK, _MOST_VALUES = 5, (1 << 31) - 1


@dataclass(frozen=True)
class Feature:
    """
    Hold one feature: dtype, shape, names of the dimensions.

    The dtype is NumPy's name, `string`, `language`, or for a camera `video` or `image` (pictures
    inside the tables). A scalar has shape (1,), a camera (height, width, 3), of depth
    (height, width, 1). `info` is what info.json says of a camera; for a new dataset only that of
    depth counts: `depth_unit`, and for video `video.depth_min`, `video.depth_max`, `video.shift`,
    `video.use_log`.
    """

    dtype: str
    shape: tuple[int, ...]
    names: Any = None
    info: Mapping[str, Any] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Make a tuple of the shape and a list of the names."""
        object.__setattr__(self, 'shape', tuple(self.shape))
        if isinstance(self.names, tuple):
            object.__setattr__(self, 'names', list(self.names))

    @property
    def is_video(self) -> bool:
        """Return whether it is a camera stored as mp4."""
        return self.dtype == 'video'

    @property
    def is_camera(self) -> bool:
        """Return whether it holds pictures, as mp4 or inside the tables."""
        return self.dtype in ('video', 'image')

    @property
    def height_width(self) -> tuple[int, int]:
        """Return the size of a camera's pictures, whichever order the shape has."""
        channels_last = isinstance(self.names, list) and len(self.names) == 3 \
            and self.names[2] in ('channel', 'channels')
        return self.shape[:2] if channels_last else self.shape[1:]

    def to_json(self) -> dict[str, Any]:
        """Return it as info.json holds it."""
        value = {'dtype': self.dtype, 'shape': list(self.shape), 'names': self.names}
        return value if self.info is None else {**value, 'info': dict(self.info)}


RESERVED: Mapping[str, Feature] = {
    'timestamp': Feature('float32', (1,)),
    'frame_index': Feature('int64', (1,)),
    'episode_index': Feature('int64', (1,)),
    'index': Feature('int64', (1,)),
    'task_index': Feature('int64', (1,)),
}
"""What the library adds to every row."""


@dataclass(frozen=True)
class DatasetSpec:
    """Describe the rows of a recording: user features only, one rate for all, in frames/s."""

    fps: int
    robot_type: str | None
    features: Mapping[str, Feature]
    video: VideoSettings = field(default_factory=VideoSettings)

    def check(self) -> None:
        """Raise DatasetBroken for what cannot be recorded."""
        if type(self.fps) is not int or not 0 < self.fps <= 1000:
            raise DatasetBroken('fps', repr(self.fps), 'a whole number from 1 to 1000')
        if not self.features:
            raise DatasetBroken('features', 'none', 'at least one feature')
        for name in RESERVED.keys() & self.features.keys():
            raise DatasetBroken(f'feature {name}', 'a reserved name', 'another name',
                                'the library writes this column itself')
        check_features(self.features)
        for name, feature in self.features.items():
            _check_recordable(name, feature)
        self.video.check()


def check_features(features: Mapping[str, Feature], where: str = '') -> None:
    """Raise DatasetBroken for a feature that the format does not know."""
    for name, feature in features.items():
        place = f'{where}feature {name!r}'
        if not isinstance(name, str) or not is_folder_name(name):
            raise DatasetBroken(place, 'this name', 'a name without "/"')
        if feature.dtype not in DTYPES:
            raise DatasetBroken(f'{place}.dtype', repr(feature.dtype), ' | '.join(DTYPES))
        if not 0 < len(feature.shape) <= _MAX_RANK or not all(
                type(size) is int and size > 0 for size in feature.shape) \
                or math.prod(feature.shape) > _MOST_VALUES:
            raise DatasetBroken(f'{place}.shape', str(list(feature.shape))[:60],
                                'one to five sizes above 0; a scalar has [1]')
        if feature.is_camera and len(feature.shape) != 3:
            raise DatasetBroken(f'{place}.shape', str(list(feature.shape)),
                                '[height, width, channels]')


def _check_recordable(name: str, feature: Feature) -> None:
    place = f'feature {name!r}'
    if feature.is_camera:
        _check_camera(place, feature)
        return
    if 'image' in name:
        raise DatasetBroken(place, 'no camera', 'a name without "image"',
                            'LeRobot takes every name with "image" for a camera')
    if feature.dtype in ('string', 'language') and feature.shape != (1,):
        raise DatasetBroken(f'{place}.shape', str(list(feature.shape)), '[1]')
    if feature.dtype == 'language' and name not in (PERSISTENT, EVENTS):
        raise DatasetBroken(place, 'dtype language', f'the name {PERSISTENT} or {EVENTS}',
                            'LeRobot knows no other')
    if isinstance(feature.names, list) and len(feature.shape) == 1 \
            and len(feature.names) != feature.shape[0]:
        raise DatasetBroken(f'{place}.names', f'{len(feature.names)} names',
                            f'{feature.shape[0]}, one a value')


def _check_camera(place: str, feature: Feature) -> None:
    height, width = feature.height_width
    if feature.shape[-1] not in (1, 3) or feature.names != _NAMES:
        raise DatasetBroken(
            place, f'shape {list(feature.shape)}, names {feature.names}',
            'shape [height, width, 3], of depth [height, width, 1], names [height, width, '
            'channels]')
    if feature.shape[-1] == 1:
        DepthScale.of(place, feature.info)
    elif feature.is_video and (height % 2 or width % 2):
        raise DatasetBroken(f'{place}.shape', f'{width}x{height}', 'even width and height',
                            'yuv420p halves both; crop one line')


def feature_from_json(value: object, where: str) -> Feature:
    """Read a feature of info.json; DatasetBroken names what is wrong."""
    if not isinstance(value, dict):
        raise DatasetBroken(where, type(value).__name__, 'an object with dtype and shape')
    shape = value.get('shape')
    if not isinstance(value.get('dtype'), str) or not isinstance(shape, list):
        raise DatasetBroken(where, f'dtype {value.get("dtype")!r}, shape {shape!r}',
                            'dtype as a string and shape as a list')
    info = value.get('info')
    if info is not None and not isinstance(info, dict):
        raise DatasetBroken(f'{where}.info', type(info).__name__, 'an object')
    return Feature(value['dtype'], tuple(shape), value.get('names'), info)
