# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether a part of a vector fits the messages of its stream."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from apprentice_contract.message_types import MESSAGE_TYPES
from apprentice_contract.message_types import MessageType
from apprentice_contract.message_types import Naming
from apprentice_contract.schema import describe
from apprentice_contract.units import RANGED


def check_part(
    where: str, part: Mapping[str, Any], stream: Mapping[str, Any], is_action: bool,
    problems: list[str],
) -> None:
    """Add a sentence to `problems` for everything that does not fit."""
    message = MESSAGE_TYPES[stream['type']]
    if message.naming in (Naming.IMAGE, Naming.STATE):
        problems.append(f'{where}.stream: found a stream of {message.name}, expected one with '
                        'numbers')
        return
    if is_action and not stream['max_lead_ms']:
        problems.append(f'{where}.stream: expected a stream with max_lead_ms, as every command')
    if not is_action and stream['max_lead_ms']:
        problems.append(f'{where}.stream: expected a stream with max_age_ms, not a command')
    field = part['field'] or (next(iter(message.fields)) if len(message.fields) == 1 else '')
    if field not in message.fields:
        problems.append(f'{where}.field: found {describe(part["field"] or None)}, expected one of '
                        f'{", ".join(message.fields)}')
        return
    _check_elements(where, part, message, field, problems)
    _check_unit(where, part, stream, message, field, problems)


def _check_elements(
    where: str, part: Mapping[str, Any], message: MessageType, field: str, problems: list[str],
) -> None:
    key = 'joints' if message.naming is Naming.JOINTS else 'elements'
    other = 'elements' if key == 'joints' else 'joints'
    if part[other]:
        problems.append(f'{where}.{other}: found for {message.name}, expected {key}')
    elements: Sequence[Any] = part[key] or message.fields[field]
    if not elements:
        problems.append(f'{where}.{key}: missing, expected which values of {field} to take')
    if len(set(elements)) < len(elements):
        problems.append(f'{where}.{key}: found {describe(list(elements))}, expected each once')
    problems += [f'{where}.{key}: found {describe(element)}, expected {_possible(message, field)}'
                 for element in elements if not _exists(element, message, field)]
    if part['names'] and len(part['names']) != len(elements):
        problems.append(f'{where}.names: found {len(part["names"])}, expected {len(elements)}, '
                        f'one for each of {key}')


def _exists(element: object, message: MessageType, field: str) -> bool:
    if message.naming is Naming.ARRAY:
        return type(element) is int and 0 <= element < 100_000
    if message.naming is Naming.JOINTS:
        return bool(element)
    return element in message.fields[field]


def _possible(message: MessageType, field: str) -> str:
    if message.naming is Naming.ARRAY:
        return 'an index from 0'
    return ', '.join(message.fields[field]) or 'the name of a joint'


def _check_unit(
    where: str, part: Mapping[str, Any], stream: Mapping[str, Any], message: MessageType,
    field: str, problems: list[str],
) -> None:
    unit = part['unit']
    if message.naming is Naming.TEXT and unit != 'none':
        problems.append(f'{where}.unit: found {unit}, expected none for a text')
        return
    if unit not in RANGED:
        return
    if message.naming is not Naming.JOINTS or field not in ('position', 'positions'):
        problems.append(f'{where}.unit: found {unit}, expected it with positions of joints only')
        return
    missing = [joint for joint in part['joints'] if joint not in stream['ranges']]
    if missing and not stream['ranges_topic']:
        problems.append(f'{where}.unit: {unit} needs the calibrated range of {", ".join(missing)};'
                        f' give `ranges` or `ranges_topic` in streams.{part["stream"]}')


def check_vector(
    where: str, parts: Sequence[Mapping[str, Any]], types: Mapping[str, str], problems: list[str],
) -> None:
    """Add a sentence where a text stands among numbers, or where a policy would read it."""
    texts = [part for part in parts
             if types.get(part['stream']) == 'std_msgs/msg/String']
    if texts and (len(parts) > 1 or where.startswith(('action', 'features.observation'))):
        problems.append(f'{where}: found a text, expected it alone in a feature that is neither '
                        'observation nor action')
