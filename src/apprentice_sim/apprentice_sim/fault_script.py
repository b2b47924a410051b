# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Read a fault script: YAML or JSON with `seed` and `faults`, a list of rules.

    seed: 7
    faults:
      - {action: drop, ids: [3], instructions: [sync_read], count: 2}
      - {action: corrupt, probability: 0.01}
      - {action: unplug, at_s: 10.0}
"""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from apprentice_sim.faults import Action
from apprentice_sim.faults import FaultInjector
from apprentice_sim.faults import FaultRule
from apprentice_sim.frames import Instruction
import yaml

T = TypeVar('T')

_NUMBERS = ('probability', 'value', 'at_s')
_COUNTS = ('address', 'skip', 'count')
_KEYS = ('action', 'ids', 'instructions', *_COUNTS, *_NUMBERS)
_INSTRUCTIONS = {item.name.lower(): item for item in Instruction}
_ACTIONS = {item.value: item for item in Action}


class ScriptError(ValueError):
    """Report a fault script that cannot be used, by file, entry and key."""


def load_faults(path: Path) -> FaultInjector:
    """Read a fault script from a file."""
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScriptError(f'{path}: cannot be read as YAML or JSON: {error}') from None
    return parse_faults(content, str(path))


def parse_faults(content: object, where: str) -> FaultInjector:
    """Turn a script's content into an armed injector."""
    if not isinstance(content, Mapping):
        raise ScriptError(f"{where}: expected a mapping with 'faults', a list of rules")
    _no_others(content, ('seed', 'faults'), where)
    seed = content.get('seed', 0)
    rules = content.get('faults', [])
    if type(seed) is not int or not isinstance(rules, list):
        raise ScriptError(f"{where}: expected 'seed', a whole number, and 'faults', a list")
    return FaultInjector(
        [_rule(entry, f'{where}: faults[{i}]') for i, entry in enumerate(rules)], seed)


def _rule(entry: object, where: str) -> FaultRule:
    if not isinstance(entry, Mapping):
        raise ScriptError(f"{where}: expected a mapping with 'action'")
    _no_others(entry, _KEYS, where)
    values: dict[str, object] = {
        'action': _choice(entry.get('action'), _ACTIONS, f'{where}: action'),
        'ids': frozenset(_ids(entry.get('ids', []), where)),
        'instructions': frozenset(
            _choice(name, _INSTRUCTIONS, f'{where}: instructions')
            for name in _list(entry.get('instructions', []), f'{where}: instructions')),
    }
    for key in _COUNTS:
        if key in entry:
            if type(entry[key]) is not int or entry[key] < 0:
                raise ScriptError(f'{where}: {key}: expected a whole number, 0 or more, '
                                  f'found {entry[key]!r}')
            values[key] = entry[key]
    for key in _NUMBERS:
        if key in entry:
            if type(entry[key]) not in (int, float):
                raise ScriptError(f'{where}: {key}: expected a number, found {entry[key]!r}')
            values[key] = float(entry[key])
    try:
        return FaultRule(**values)
    except ValueError as error:
        raise ScriptError(f'{where}: {error}') from None


def _no_others(entry: Mapping, known: tuple[str, ...], where: str) -> None:
    for key in entry:
        if key not in known:
            raise ScriptError(f'{where}: unknown key {key!r}; known: {", ".join(known)}')


def _choice(name: object, choices: Mapping[str, T], where: str) -> T:
    if not isinstance(name, str) or name not in choices:
        raise ScriptError(f'{where}: found {name!r}, expected one of {", ".join(choices)}')
    return choices[name]


def _list(value: object, where: str) -> list:
    if not isinstance(value, list):
        raise ScriptError(f'{where}: expected a list, found {value!r}')
    return value


def _ids(value: object, where: str) -> list[int]:
    ids = _list(value, f'{where}: ids')
    for item in ids:
        if type(item) is not int or not 0 <= item <= 253:
            raise ScriptError(f'{where}: ids: expected ids 0..253, found {item!r}')
    return ids
