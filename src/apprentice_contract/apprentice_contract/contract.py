# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The contract of a robot: read from YAML, checked, written back."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cached_property
import hashlib
from pathlib import Path

from apprentice_contract.document import Document
from apprentice_contract.document import read_document
from apprentice_contract.errors import ContractError
from apprentice_contract.message_types import MESSAGE_TYPES
from apprentice_contract.message_types import MessageType
from apprentice_contract.message_types import Naming
from apprentice_contract.message_types import SUFFIXES
from apprentice_contract.schema import VERSION
from apprentice_contract.stream_buffer import Role
from apprentice_contract.units import RANGED
from apprentice_contract.yaml_text import MAX_BYTES
from apprentice_contract.yaml_text import read_yaml
import yaml

__all__ = ['CLOCK', 'Camera', 'Contract', 'ContractError', 'Holds', 'Part', 'Stream',
           'load_contract', 'parse_contract']

CLOCK = 'clock'
"""The reference that is no stream but a fixed grid."""

_NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Stream:
    """A topic; `rate_hz` is 0 for a latched one, `ranges` are radians by joint."""

    name: str
    topic: str
    type: str
    rate_hz: float
    max_age_ms: float = 0.0
    max_lead_ms: float = 0.0
    latched: bool = False
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ranges_topic: str = ''

    @property
    def role(self) -> Role:
        """Return how its sample for a row is chosen."""
        if self.latched:
            return Role.LATCHED
        return Role.NEXT if self.max_lead_ms else Role.LAST

    @property
    def limit_ns(self) -> int:
        """Return the age, or the lead of a command, that is still valid; 0 if latched."""
        return round((self.max_lead_ms or self.max_age_ms) * _NS_PER_MS)

    @property
    def message(self) -> MessageType:
        """Return what its messages hold."""
        return MESSAGE_TYPES[self.type]


@dataclass(frozen=True)
class Part:
    """Values of one field: joints, components or indices, their names in the dataset, unit."""

    stream: str
    field: str
    elements: tuple[str | int, ...]
    names: tuple[str, ...]
    unit: str


@dataclass(frozen=True)
class Camera:
    """A stream of images of one size, in pixels."""

    stream: str
    width: int
    height: int


@dataclass(frozen=True)
class Holds:
    """How many rows may repeat an older sample."""

    in_a_row: int
    share: float


@dataclass(frozen=True)
class Contract:
    """
    What of a robot's topics becomes which feature of a dataset.

    `declared` holds every stream of the file, `streams` those that this recording uses: the parts
    of the other action source are left out.
    """

    robot_type: str
    fps: int
    reference: str
    declared: Mapping[str, Stream]
    cameras: Mapping[str, Camera]
    vectors: Mapping[str, tuple[Part, ...]]
    action_source: str
    sent: tuple[Part, ...]
    requested: tuple[Part, ...]
    diagnostics: tuple[str, ...]
    holds: Holds
    rate_tolerance: float
    lateness_ms: int
    tail_ms: int
    clock_offset_ms: int
    sync_columns: bool
    guard: str | Mapping[str, str]

    @property
    def action(self) -> tuple[Part, ...]:
        """Return the parts of the source that is recorded."""
        return self.sent if self.action_source == 'sent' else self.requested

    @cached_property
    def streams(self) -> Mapping[str, Stream]:
        """Return the streams in use by name, in the order of the file."""
        used = {part.stream for part in self._parts()}
        used |= {camera.stream for camera in self.cameras.values()}
        used |= set(self.guards) if self.sync_columns else set()
        return {name: stream for name, stream in self.declared.items() if name in used}

    @property
    def guards(self) -> tuple[str, ...]:
        """Return the streams of the command guards, in the order of the column `sync.guard`."""
        if isinstance(self.guard, str):
            return (self.guard,) if self.guard else ()
        return tuple(self.guard.values())

    @cached_property
    def ranges_topics(self) -> tuple[str, ...]:
        """Return the topics whose joint ranges are still to be given, each once."""
        return tuple(dict.fromkeys(
            stream.ranges_topic for name, stream in self.streams.items()
            if not self._ranged_joints(name) <= stream.ranges.keys()))

    @cached_property
    def digest(self) -> str:
        """Return 16 hexadecimal digits that stand for the whole content."""
        return hashlib.sha256(self.to_yaml().encode()).hexdigest()[:16]

    def with_ranges(self, topic: str, ranges: Mapping[str, tuple[float, float]]) -> Contract:
        """
        Return the contract with the calibrated ranges (rad) that a topic told.

        :raises ContractError: a joint that a unit needs is missing, or has no range.
        """
        declared = dict(self.declared)
        problems = []
        for name, stream in self.streams.items():
            if stream.ranges_topic != topic:
                continue
            needed = self._ranged_joints(name)
            problems += [f'joint {joint}: no range, found {", ".join(sorted(ranges)) or "none"}'
                         for joint in sorted(needed - ranges.keys())]
            problems += [f'joint {joint}: found {ranges[joint]}, expected lower < upper in radians'
                         for joint in sorted(needed & ranges.keys())
                         if not ranges[joint][0] < ranges[joint][1]]
            found = {joint: (float(ranges[joint][0]), float(ranges[joint][1]))
                     for joint in sorted(needed & ranges.keys())}
            declared[name] = replace(stream, ranges={**stream.ranges, **found})
        if problems:
            raise ContractError(f'ranges of {topic}', list(dict.fromkeys(problems)))
        return replace(self, declared=declared)

    def to_yaml(self) -> str:
        """Return a text that parse_contract makes an equal contract of."""
        return yaml.safe_dump(self._document(), sort_keys=False, allow_unicode=True, width=99)

    def _parts(self) -> Iterator[Part]:
        for parts in self.vectors.values():
            yield from parts
        yield from self.action

    def _ranged_joints(self, stream: str) -> set[str]:
        return {str(joint) for part in self._parts()
                if part.stream == stream and part.unit in RANGED for joint in part.elements}

    def _document(self) -> dict[str, object]:
        features = {key: dict(vars(camera)) for key, camera in self.cameras.items()}
        vectors = {key: {'parts': [self._part(part) for part in parts]}
                   for key, parts in self.vectors.items()}
        return {
            'version': VERSION, 'robot_type': self.robot_type, 'fps': self.fps,
            'reference': self.reference,
            'streams': {name: _stream(stream) for name, stream in self.declared.items()},
            'features': {**features, **vectors},
            'action': {'source': self.action_source,
                       'sent': [self._part(part) for part in self.sent],
                       'requested': [self._part(part) for part in self.requested]},
            'diagnostics': list(self.diagnostics), 'holds': dict(vars(self.holds)),
            'rate_tolerance': self.rate_tolerance, 'lateness_ms': self.lateness_ms,
            'tail_ms': self.tail_ms, 'clock_offset_ms': self.clock_offset_ms,
            'sync_columns': self.sync_columns,
            'guard': self.guard if isinstance(self.guard, str) else dict(self.guard)}

    def _part(self, part: Part) -> dict[str, object]:
        naming = self.declared[part.stream].message.naming
        key = 'joints' if naming is Naming.JOINTS else 'elements'
        elements = {} if naming is Naming.TEXT else {key: list(part.elements)}
        return {'stream': part.stream, 'field': part.field, **elements,
                'names': list(part.names), 'unit': part.unit}


def load_contract(path: Path | str) -> Contract:
    """
    Read a contract file.

    :raises ContractError: unreadable, or it lists every fault of the file.
    """
    try:
        with open(path, encoding='utf-8') as file:
            text = file.read(MAX_BYTES + 1)
    except UnicodeDecodeError as error:
        raise ContractError(str(path), ['found bytes that are no UTF-8, expected text']) from error
    except OSError as error:
        raise ContractError(str(path), [
            f'cannot be read: {error.strerror or error}; check the path and its permissions',
        ]) from error
    return parse_contract(text, str(path))


def parse_contract(text: str, where: str = 'text') -> Contract:
    """
    Read a contract.

    :param where: name of the file, for errors.
    :raises ContractError: lists every fault with its key, what was found and expected.
    """
    problems: list[str] = []
    document = read_document(read_yaml(text, where), problems)
    if not problems:
        contract = _build(document)
        problems = _doubled_names(contract)
    if problems:
        raise ContractError(where, problems)
    return contract


def _build(document: Document) -> Contract:
    top = document.top
    streams = {
        name: Stream(name, **{**values, 'rate_hz': float(values['rate_hz']), 'ranges': {
            joint: (float(pair[0]), float(pair[1])) for joint, pair in values['ranges'].items()}})
        for name, values in document.streams.items()}

    def parts(found: list[dict]) -> tuple[Part, ...]:
        return tuple(_part(values, streams[values['stream']].message) for values in found)

    return Contract(
        robot_type=top['robot_type'], fps=top['fps'], reference=top['reference'],
        declared=streams,
        cameras={key: Camera(**values) for key, values in document.cameras.items()},
        vectors={key: parts(found) for key, found in document.vectors.items()},
        action_source=document.action['source'],
        sent=parts(document.action['sent']), requested=parts(document.action['requested']),
        diagnostics=tuple(top['diagnostics']), holds=Holds(**document.holds),
        **{name: top[name] for name in (
            'rate_tolerance', 'lateness_ms', 'tail_ms', 'clock_offset_ms', 'sync_columns',
            'guard')})


def _doubled_names(contract: Contract) -> list[str]:
    vectors = {**{f'features.{key}': parts for key, parts in contract.vectors.items()},
               'action.sent': contract.sent, 'action.requested': contract.requested}
    problems = []
    for where, parts in vectors.items():
        names = [name for part in parts for name in part.names]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            problems.append(f'{where}: found the names {", ".join(twice)} more than once, '
                            'expected each once; give `names`')
    return problems


def _part(values: dict, message: MessageType) -> Part:
    field_name = values['field'] or next(iter(message.fields))
    elements = tuple(values['joints'] or values['elements'] or message.fields[field_name])
    if message.naming is Naming.JOINTS:
        names = tuple(f'{joint}{SUFFIXES[field_name]}' for joint in elements)
    elif message.naming is Naming.ARRAY:
        names = tuple(f'{field_name}_{index}' for index in elements)
    else:
        names = tuple(map(str, elements))
    return Part(values['stream'], field_name, elements, tuple(values['names']) or names,
                values['unit'])


def _stream(stream: Stream) -> dict[str, object]:
    values: dict[str, object] = {'topic': stream.topic, 'type': stream.type}
    for name in ('rate_hz', 'max_age_ms', 'max_lead_ms', 'latched', 'ranges_topic'):
        if getattr(stream, name):
            values[name] = getattr(stream, name)
    if stream.ranges:
        values['ranges'] = {joint: list(pair) for joint, pair in stream.ranges.items()}
    return values
