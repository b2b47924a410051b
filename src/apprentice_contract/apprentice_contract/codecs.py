# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
From messages to values: one reader for each part of a vector.

Messages are duck-typed: rclpy's and those that rosbags deserialised read alike.
"""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from apprentice_contract.contract import Contract
from apprentice_contract.contract import Part
from apprentice_contract.contract import Stream
from apprentice_contract.errors import CodecError
from apprentice_contract.errors import ContractError
from apprentice_contract.message_types import MESSAGE_TYPES
from apprentice_contract.message_types import Naming
from apprentice_contract.pictures import picture
from apprentice_contract.units import conversion
from apprentice_contract.units import RANGED
import numpy as np
from numpy.typing import NDArray

__all__ = ['CodecError', 'PartReader', 'check_message', 'read_text', 'stamp_ns']

_NS_PER_S = 1_000_000_000


def stamp_ns(message: Any, message_type: str) -> int | None:
    """Return the stamp of a message's header; None without a header, or where it is not set."""
    if not MESSAGE_TYPES[message_type].is_stamped:
        return None
    stamp = message.header.stamp
    return stamp.sec * _NS_PER_S + stamp.nanosec or None


class PartReader:
    """
    Read one part of a vector out of the messages of its stream.

    The first message is checked in full and its names are found once; later ones must be alike.
    """

    def __init__(self, part: Part, stream: Stream) -> None:
        """Prepare; ContractError where a unit still lacks a joint's calibrated range."""
        self._part, self._stream = part, stream
        rows = [conversion(part.unit, _limits(part, stream, element))
                for element in part.elements]
        self._scale, self._offset, self._low, self._high = (
            np.array(column, np.float64) for column in zip(*rows))
        self._indices: list[int] = []
        self._names: list[str] | None = None
        self._length = -1
        root = f'{stream.message.root}.' if stream.message.root else ''
        paths = [f'{root}{element}' for element in part.elements]
        self._components: Callable[[Any], Any] | None = \
            attrgetter(*paths) if stream.message.naming is Naming.COMPONENTS else None

    def values(self, message: Any) -> NDArray[np.float32]:
        """
        Return the values in the contract's unit, one for each element.

        :raises CodecError: a joint, component or index is not there, or no longer where it was.
        """
        found = np.array(self._raw(message), np.float64)
        scaled = found * self._scale + self._offset
        return np.clip(scaled, self._low, self._high).astype(np.float32)

    def _raw(self, message: Any) -> Sequence[float]:
        if self._components is not None:
            return self._of_components(message)
        if self._stream.message.naming is Naming.ARRAY:
            array = getattr(message, self._part.field)
            self._check_array(array)
        else:
            array = self._of_joints(message)
        return [array[index] for index in self._indices]

    def _of_components(self, message: Any) -> Sequence[float]:
        if self._part.field == 'orientation' and message.orientation_covariance[0] == -1:
            raise self._error('orientation_covariance[0]', -1,
                              'another value; -1 says that this sensor has no orientation')
        found = self._components(message) if self._components else ()
        return found if len(self._part.elements) > 1 else (found,)

    def _check_array(self, array: Sequence[float]) -> None:
        if self._length < 0:
            self._length = len(array)
            self._indices = [int(index) for index in self._part.elements]
        if len(array) != self._length:
            raise self._error(self._part.field, f'{len(array)} values',
                              f'{self._length}, as in the first message')
        if max(self._indices) >= len(array):
            raise self._error(self._part.field, f'{len(array)} values',
                              f'more than {max(self._indices)}')

    def _of_joints(self, message: Any) -> Sequence[float]:
        is_trajectory = hasattr(message, 'joint_names')
        names = message.joint_names if is_trajectory else message.name
        if names != self._names:
            self._find(list(names))
        if is_trajectory:
            if not message.points:
                raise self._error('points', 'none', 'at least one')
            message = min(message.points, key=_due)
        array = getattr(message, self._part.field)
        if len(array) != self._length:
            raise self._error(self._part.field, f'{len(array)} values',
                              f'{self._length}, one for each name')
        return array

    def _find(self, names: list[str]) -> None:
        missing = [joint for joint in self._part.elements if joint not in names]
        if missing:
            raise self._error('names', f'{", ".join(names) or "none"}', f'joint {missing[0]} too')
        if self._names is not None:
            moved = [joint for joint in self._part.elements
                     if names.index(joint) != self._names.index(joint)]
            raise self._error('names', ', '.join(names), f'{", ".join(self._names)}, as in the '
                              f'first message (joint {(moved or self._part.elements)[0]})')
        doubled = [joint for joint in self._part.elements if names.count(joint) > 1]
        if doubled:
            raise self._error('names', f'joint {doubled[0]} twice', 'each once')
        self._names, self._length = names, len(names)
        self._indices = [names.index(joint) for joint in self._part.elements]

    def _error(self, field: str, found: object, expected: str) -> CodecError:
        return CodecError(f'{self._stream.topic} ({self._stream.type}): {field}: found {found}, '
                          f'expected {expected}; mend the topic or the contract')


def _due(point: Any) -> int:
    after = point.time_from_start
    return after.sec * _NS_PER_S + after.nanosec


def _limits(part: Part, stream: Stream, element: str | int) -> tuple[float, float] | None:
    if part.unit not in RANGED:
        return None
    if element not in stream.ranges:
        raise ContractError(f'stream {stream.name}: unit {part.unit} needs the calibrated range '
                            f'of {element}; expected it from {stream.ranges_topic}')
    return stream.ranges[element]  # type: ignore[index]


def read_text(message: Any, stream: Stream) -> str:
    """Return the text of a std_msgs/String; CodecError where it is none."""
    if not isinstance(message.data, str):
        raise CodecError(f'{stream.topic} ({stream.type}): data: found '
                         f'{type(message.data).__name__}, expected a text')
    return message.data


def check_message(contract: Contract, stream: str, message: Any) -> None:
    """
    Check that a message of a stream holds all that the contract takes of it.

    :raises CodecError: joint, index or field missing, or an image of another size or encoding.
    """
    found = contract.streams[stream]
    for camera in contract.cameras.values():
        if camera.stream == stream:
            picture(message, camera, found)
    parts: Mapping[Part, None] = dict.fromkeys(
        part for parts in (*contract.vectors.values(), contract.action) for part in parts
        if part.stream == stream)
    for part in parts:
        if found.message.naming is Naming.TEXT:
            read_text(message, found)
        else:
            PartReader(part, found).values(message)
