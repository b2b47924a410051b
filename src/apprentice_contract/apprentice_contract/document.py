# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The mappings of a contract file, each checked by the schema and against the others."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from difflib import get_close_matches
import re
from typing import Any

from apprentice_contract import schema
from apprentice_contract.message_types import MESSAGE_TYPES
from apprentice_contract.message_types import Naming
from apprentice_contract.part_checks import check_part
from apprentice_contract.part_checks import check_vector
from apprentice_contract.schema import describe

CAMERAS = 'observation.images.'
"""Features below this name are cameras."""

_TOPIC = re.compile(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*')
_NAME = re.compile(r'[A-Za-z]\w*')
_KEY = re.compile(r'[A-Za-z_]\w*(\.\w+)*')
_OURS = ('timestamp', 'frame_index', 'episode_index', 'index', 'task_index', 'task')


@dataclass
class Document:
    """Values by key, with the defaults in place."""

    top: dict[str, Any]
    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    cameras: dict[str, dict[str, Any]] = field(default_factory=dict)
    vectors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    action: dict[str, Any] = field(default_factory=dict)
    holds: dict[str, Any] = field(default_factory=dict)


def read_document(value: object, problems: list[str]) -> Document:
    """Return the mappings of a contract; each fault adds a sentence to `problems`."""
    found = Document(schema.read(schema.CONTRACT, value, '', problems))
    top = found.top
    if not isinstance(value, Mapping):
        return found
    for name, stream in (top['streams'] or {}).items():
        found.streams[name] = schema.read(schema.STREAM, stream, f'streams.{name}', problems)
        _check_stream(str(name), found.streams[name], problems)
    for key, feature in (top['features'] or {}).items():
        _read_feature(str(key), feature, found, problems)
    found.action = schema.read(schema.ACTION, top['action'] or {}, 'action', problems)
    for source in ('sent', 'requested'):
        found.action[source] = _read_parts(
            found.action[source], f'action.{source}', found, problems, is_action=True)
    if top['action'] is not None and not found.action[found.action['source']]:
        problems.append(f'action.{found.action["source"]}: found nothing, expected the parts of '
                        'the recorded source')
    found.holds = schema.read(schema.HOLDS, top['holds'], 'holds', problems)
    _check_whole(found, problems)
    return found


def _read_feature(key: str, value: object, found: Document, problems: list[str]) -> None:
    where = f'features.{key}'
    if not _KEY.fullmatch(key) or key in _OURS or key.startswith(('sync.', 'action')):
        problems.append(f'{where}: this name is not free, expected observation.<name> or a name '
                        'of your own; `action` has its own key')
    elif key.startswith(CAMERAS):
        found.cameras[key] = schema.read(schema.CAMERA, value, where, problems)
        _check_camera(where, found.cameras[key], found, problems)
        return
    elif 'image' in key:
        problems.append(f'{where}: found "image" in the name of a vector; LeRobot would take it '
                        f'for a camera, which is called {CAMERAS}<name>')
    elif key.startswith('observation') and not key.startswith('observation.'):
        problems.append(f'{where}: LeRobot would take it for an input, expected '
                        'observation.<name>')
    vector = schema.read(schema.VECTOR, value, where, problems)
    found.vectors[key] = _read_parts(vector['parts'] or [], f'{where}.parts', found, problems)
    if vector['parts'] is not None and not vector['parts']:
        problems.append(f'{where}.parts: found none, expected at least one')


def _read_parts(
    values: Any, where: str, found: Document, problems: list[str], is_action: bool = False,
) -> list[dict[str, Any]]:
    parts = []
    for place, value in enumerate(values):
        here = f'{where}[{place}]'
        part = schema.read(schema.PART, value, here, problems)
        parts.append(part)
        stream = _find_stream(here, part['stream'], found, problems)
        if stream is not None:
            check_part(here, part, stream, is_action, problems)
    check_vector(where, parts, {name: stream['type'] for name, stream in found.streams.items()},
                 problems)
    return parts


def _find_stream(
    where: str, name: object, found: Document, problems: list[str],
) -> dict[str, Any] | None:
    """Return a stream whose type is known; its own fault is told elsewhere."""
    if name is None:
        return None
    if name not in found.streams:
        close = get_close_matches(str(name), map(str, found.streams), 1)
        hint = f'; did you mean {close[0]}?' if close else \
            f', expected one of {", ".join(map(str, found.streams)) or "(none declared)"}'
        problems.append(f'{where}.stream: found {describe(name)}, not among streams{hint}')
        return None
    stream = found.streams[name]  # type: ignore[index]
    return stream if stream['type'] in MESSAGE_TYPES else None


def _check_stream(name: str, stream: dict[str, Any], problems: list[str]) -> None:
    where = f'streams.{name}'
    if not _NAME.fullmatch(name) or name == 'clock':
        problems.append(f'{where}: expected a name of letters, digits and _, but not `clock`')
    for key in ('topic', 'ranges_topic'):
        if stream[key] and not _TOPIC.fullmatch(stream[key]):
            problems.append(f'{where}.{key}: found {describe(stream[key])}, expected a topic as '
                            'follower/joint_states')
    if stream['type'] is not None and stream['type'] not in MESSAGE_TYPES:
        close = get_close_matches(stream['type'], MESSAGE_TYPES, 1)
        hint = f'; did you mean {close[0]}?' if close else \
            f', expected one of {", ".join(MESSAGE_TYPES)}'
        problems.append(f'{where}.type: found {describe(stream["type"])}{hint}')
    _check_time(where, stream, problems)


def _check_time(where: str, stream: dict[str, Any], problems: list[str]) -> None:
    given = [key for key in ('max_age_ms', 'max_lead_ms', 'latched') if stream[key]]
    if len(given) != 1:
        problems.append(f'{where}: found {" and ".join(given) or "none of them"}, expected either '
                        'max_age_ms (an observation), max_lead_ms (a command) or latched: true')
        return
    rate, limit = stream['rate_hz'], given[0]
    if limit == 'latched':
        if rate:
            problems.append(f'{where}.rate_hz: found {rate:g}, expected none for a latched stream')
    elif not rate:
        problems.append(f'{where}.rate_hz: missing, expected its samples a second')
    elif stream[limit] < 1000.0 / rate:
        problems.append(f'{where}.{limit}: found {stream[limit]:g}, expected at least the '
                        f'{1000.0 / rate:.4g} ms between two samples at {rate:g} Hz')


def _check_camera(
    where: str, camera: dict[str, Any], found: Document, problems: list[str],
) -> None:
    for side in ('width', 'height'):
        if camera[side] is not None and camera[side] % 2:
            problems.append(f'{where}.{side}: found {camera[side]}, expected an even number, for '
                            'the video halves its colours')
    stream = _find_stream(where, camera['stream'], found, problems)
    if stream is None:
        return
    if MESSAGE_TYPES[stream['type']].naming is not Naming.IMAGE:
        problems.append(f'{where}.stream: found a stream of {stream["type"]}, expected '
                        'sensor_msgs/msg/Image or sensor_msgs/msg/CompressedImage')
    elif not stream['max_age_ms']:
        problems.append(f'{where}.stream: expected a stream with max_age_ms')


def _check_whole(found: Document, problems: list[str]) -> None:
    top = found.top
    if top['features'] is not None and not top['features']:
        problems.append('features: found none, expected at least one')
    _check_reference(found, problems)
    guards = _check_guards(found, problems)
    used = {*guards, *(camera['stream'] for camera in found.cameras.values())}
    for parts in (*found.vectors.values(), found.action['sent'], found.action['requested']):
        used |= {part['stream'] for part in parts}
    problems += [f'streams.{name}: used by no feature, expected one; remove the stream'
                 for name in found.streams if name not in used]


def _check_guards(found: Document, problems: list[str]) -> list[str]:
    """Return the streams that tell the states of the command guards."""
    guard = found.top['guard']
    arms = guard if isinstance(guard, Mapping) else {'': guard} if guard else {}
    for arm, name in arms.items():
        where = f'guard.{arm}' if arm else 'guard'
        if found.streams.get(name, {}).get('type') != 'apprentice_msgs/msg/GuardState':
            problems.append(f'{where}: found {describe(name)}, expected the name of a stream of '
                            'apprentice_msgs/msg/GuardState')
        elif list(arms.values()).count(name) > 1:
            problems.append(f'{where}: found {describe(name)} for several arms, expected a stream '
                            'for each')
    return list(arms.values())


def _check_reference(found: Document, problems: list[str]) -> None:
    reference, fps = found.top['reference'], found.top['fps']
    if reference is None:
        return
    if reference == 'clock':
        if not any(stream['max_age_ms'] for stream in found.streams.values()):
            problems.append('reference: a clock needs at least one stream with max_age_ms')
        return
    stream = found.streams.get(reference)
    if stream is None or not stream['max_age_ms']:
        problems.append(f'reference: found {describe(reference)}, expected `clock` or a stream '
                        'with max_age_ms')
    elif fps and stream['rate_hz'] and \
            abs(stream['rate_hz'] / fps - 1) > found.top['rate_tolerance']:
        problems.append(f'streams.{reference}.rate_hz: found {stream["rate_hz"]:g}, expected fps '
                        f'({fps}): rows are the samples of the reference')
