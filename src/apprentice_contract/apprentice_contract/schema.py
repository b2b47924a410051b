# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Every key of a contract, in one table: the checks and the reference page come from it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
import math
from typing import Any

VERSION = 1


class Kind(Enum):
    """What a value must be; the value is what a user reads."""

    INTEGER = 'an integer'
    NUMBER = 'a number'
    TEXT = 'a text'
    FLAG = 'true or false'
    NAMES = 'a list of texts'
    ELEMENTS = 'a list of names or indices'
    RANGES = 'a mapping from joint to [lowest, highest]'
    GUARD = 'a stream, or a mapping from arm to stream'
    MAPPING = 'a mapping'
    LIST = 'a list'


REQUIRED = object()
"""Default of a key that must be given."""


@dataclass(frozen=True)
class Key:
    """One key; bounds hold for numbers, choices for texts."""

    name: str
    kind: Kind
    default: Any
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """Return what the value must be, for people."""
        if self.choices:
            return ' | '.join(self.choices)
        if self.low is None:
            return self.kind.value
        if self.low == self.high:
            return f'{self.low:g}'
        return f'{self.kind.value}, {self.low:g} to {self.high:g}'


@dataclass(frozen=True)
class Section:
    """The keys of one kind of mapping."""

    title: str
    where: str
    keys: tuple[Key, ...]


UNITS = {
    'none': 'as the message has it',
    'radians': 'as the message has it',
    'degrees': 'radians * 180 / pi; zero stays the middle of the calibrated range',
    'percent': "LeRobot's 0 to 100 of the calibrated range, clamped to it",
    'normalized': "LeRobot's -100 to 100 of the calibrated range, clamped to it",
    'metres': 'as the message has it',
}
"""What becomes of a number, by unit."""

CONTRACT = Section('Contract', '', (
    Key('version', Kind.INTEGER, REQUIRED, 'form of the file', VERSION, VERSION),
    Key('robot_type', Kind.TEXT, REQUIRED, "the robot's name in LeRobot, as `so100_follower`"),
    Key('fps', Kind.INTEGER, REQUIRED, 'rows a second', 1, 1000),
    Key('reference', Kind.TEXT, REQUIRED,
        'the stream whose samples are the rows, or `clock` for a fixed grid'),
    Key('streams', Kind.MAPPING, REQUIRED, 'topics by a name of your choice'),
    Key('features', Kind.MAPPING, REQUIRED,
        'cameras and vectors by their name in the dataset: `observation.images.<camera>`, '
        '`observation.state`, …'),
    Key('action', Kind.MAPPING, REQUIRED, 'what the column `action` holds'),
    Key('diagnostics', Kind.NAMES, (),
        'nodes on /diagnostics that must be there, relative names as for topics; ERROR or stale '
        'ones prevent a recording'),
    Key('holds', Kind.MAPPING, {}, 'how many rows may repeat an older sample'),
    Key('rate_tolerance', Kind.NUMBER, 0.05,
        "how far a stream's rate may lie from `rate_hz`, as a fraction", 0.0, 0.2),
    Key('lateness_ms', Kind.INTEGER, 150,
        'how long a row waits for samples after it is known, by the time of receipt', 0, 5000),
    Key('tail_ms', Kind.INTEGER, 1000,
        'so long rows wait for the next action; a longer silence of the commands ends the rows',
        0, 10000),
    Key('clock_offset_ms', Kind.INTEGER, 20,
        'how far ahead of this host a stamp may be before a recording', 0, 5000),
    Key('sync_columns', Kind.FLAG, True,
        'add the `sync.*` columns; `false` writes a dataset that merges with native ones'),
    Key('guard', Kind.GUARD, '',
        'streams of GuardState, whose states become `sync.guard`: `guard`, or with several arms '
        '`{left: left_guard, right: right_guard}`'),
))

STREAM = Section('Stream', 'streams.<name>', (
    Key('topic', Kind.TEXT, REQUIRED, 'topic; a relative name, so that a namespace moves it'),
    Key('type', Kind.TEXT, REQUIRED, 'message type, one of the list below'),
    Key('rate_hz', Kind.NUMBER, 0.0, 'samples a second; required unless `latched`', 0.0, 10000.0),
    Key('max_age_ms', Kind.NUMBER, 0.0,
        'an observation: the newest sample not later than the row, at most this old',
        0.0, 60000.0),
    Key('max_lead_ms', Kind.NUMBER, 0.0,
        'a command: the first one at or after the row, at most this much later', 0.0, 60000.0),
    Key('latched', Kind.FLAG, False,
        'a state told on change only: the newest sample, of any age, and no rate'),
    Key('ranges', Kind.RANGES, {}, 'calibrated range of joints in radians'),
    Key('ranges_topic', Kind.TEXT, '',
        'topic (apprentice_msgs/msg/JointRanges) that gives the ranges when a recording starts'),
))

CAMERA = Section('Camera', 'features.observation.images.<name>', (
    Key('stream', Kind.TEXT, REQUIRED, 'stream of images'),
    Key('width', Kind.INTEGER, REQUIRED, 'pixels; every image must have them; even', 2, 16384),
    Key('height', Kind.INTEGER, REQUIRED, 'pixels; even', 2, 16384),
))

VECTOR = Section('Vector', 'features.<name>', (
    Key('parts', Kind.LIST, REQUIRED, 'what it is put together of, in this order'),
))

ACTION = Section('Action', 'action', (
    Key('source', Kind.TEXT, 'sent',
        'which of the two is recorded: what reached the motors, or what was asked for',
        choices=('sent', 'requested')),
    Key('sent', Kind.LIST, (), 'parts: what was really written to the motors'),
    Key('requested', Kind.LIST, (), 'parts: what teleoperation or a policy asked for'),
))

PART = Section('Part', 'an element of a list of parts', (
    Key('stream', Kind.TEXT, REQUIRED, 'where it comes from'),
    Key('field', Kind.TEXT, '', "the message's field; may be left out where there is only one"),
    Key('joints', Kind.NAMES, (), 'joint names, for messages that name joints'),
    Key('elements', Kind.ELEMENTS, (),
        'for other messages: components (`linear.x`), by default all, or indices of an array'),
    Key('names', Kind.NAMES, (),
        'names in the dataset; default `<joint>.pos`, or those of the elements'),
    Key('unit', Kind.TEXT, 'none', 'unit in the dataset, see below', choices=tuple(UNITS)),
))

HOLDS = Section('Holds', 'holds', (
    Key('in_a_row', Kind.INTEGER, 3, 'rows in a row that may repeat an older sample', 0, 100000),
    Key('share', Kind.NUMBER, 0.01, 'share of all rows that may', 0.0, 1.0),
))

SECTIONS = (CONTRACT, STREAM, CAMERA, VECTOR, ACTION, PART, HOLDS)


def read(section: Section, value: object, where: str, problems: list[str]) -> dict[str, Any]:
    """
    Return a mapping's values with the defaults in place; what is wrong is added to `problems`.

    A key with a wrong value is left at its default, so that one fault is told once.
    """
    known = {key.name: key for key in section.keys}
    found = {name: None if key.default is REQUIRED else key.default
             for name, key in known.items()}
    if not isinstance(value, Mapping):
        problems.append(f'{where or "the file"}: found {describe(value)}, expected a mapping '
                        f'with {", ".join(known)}')
        return found
    for name in value:
        if name not in known:
            problems.append(f'{join(where, name)}: unknown key{_nearest(name, known)}')
    for name, key in known.items():
        if name not in value:
            if key.default is REQUIRED:
                problems.append(f'{join(where, name)}: missing, expected {key.expected}: '
                                f'{key.meaning}')
        elif _is_kind(key, value[name]):
            found[name] = value[name]
        else:
            problems.append(f'{join(where, name)}: found {describe(value[name])}, expected '
                            f'{key.expected}')
    return found


def join(where: str, name: object) -> str:
    """Return the path of a key."""
    return f'{where}.{name}' if where else str(name)


def describe(value: object) -> str:
    """Return a value as an error shows it."""
    text = 'nothing' if value is None else repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'


def _nearest(name: object, known: Mapping[str, Key]) -> str:
    close = get_close_matches(str(name), known, 1)
    return f'; did you mean {close[0]}?' if close else f', expected one of {", ".join(known)}'


def _is_kind(key: Key, value: object) -> bool:
    kind = key.kind
    if kind is Kind.INTEGER:
        return type(value) is int and _within(key, value)
    if kind is Kind.NUMBER:
        return _is_number(value) and _within(key, value)
    if kind is Kind.TEXT:
        return isinstance(value, str) and (not key.choices or value in key.choices)
    if kind is Kind.FLAG:
        return isinstance(value, bool)
    if kind is Kind.MAPPING:
        return isinstance(value, Mapping)
    if kind is Kind.RANGES:
        return isinstance(value, Mapping) and all(
            isinstance(name, str) and _is_range(pair) for name, pair in value.items())
    if kind is Kind.GUARD:
        return isinstance(value, str) or isinstance(value, Mapping) and bool(value) and all(
            isinstance(item, str) and item for pair in value.items() for item in pair)
    if not isinstance(value, list | tuple):
        return False
    allowed = {Kind.NAMES: (str,), Kind.ELEMENTS: (str, int), Kind.LIST: (object,)}[kind]
    return all(isinstance(item, allowed) and not (kind is Kind.ELEMENTS and isinstance(item, bool))
               for item in value)


def _within(key: Key, value: Any) -> bool:
    return key.low is None or key.high is None or key.low <= value <= key.high


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _is_range(pair: object) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(map(_is_number, pair)) \
        and pair[0] < pair[1]
