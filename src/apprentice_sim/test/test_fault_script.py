# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fault scripts are read from YAML and JSON, and mistakes are named."""
from __future__ import annotations

import json
from pathlib import Path

from apprentice_sim.bus import ServoBus
from apprentice_sim.fault_script import load_faults
from apprentice_sim.fault_script import parse_faults
from apprentice_sim.fault_script import ScriptError
from apprentice_sim.presets import so_arm
import pytest

SCRIPT = {'seed': 7, 'faults': [
    {'action': 'drop', 'ids': [2], 'instructions': ['ping'], 'count': 1},
    {'action': 'alarm', 'value': 32, 'at_s': 0.5}]}


def test_json_and_yaml_scripts_act(tmp_path: Path) -> None:
    """Both spellings arm the same faults."""
    (tmp_path / 'a.json').write_text(json.dumps(SCRIPT))
    (tmp_path / 'a.yaml').write_text(
        'seed: 7\nfaults:\n'
        '  - {action: drop, ids: [2], instructions: [ping], count: 1}\n'
        '  - {action: alarm, value: 32, at_s: 0.5}\n')
    for name in ('a.json', 'a.yaml'):
        bus = ServoBus(so_arm('follower'), faults=load_faults(tmp_path / name))
        answers = []
        for now_ns in (0, 1_000_000_000, 2_000_000_000):
            bus.tick(now_ns)
            bus.receive(bytes.fromhex('FF FF 02 02 01 FA'), now_ns)
            answers.append(bus.collect(now_ns + 500_000_000))
        assert answers == [b'', *[bytes.fromhex('FF FF 02 02 20 DB')] * 2]


@pytest.mark.parametrize(('content', 'message'), [
    ([], "expected a mapping with 'faults'"),
    ({'fault': []}, "unknown key 'fault'"),
    ({'faults': [{'action': 'explode'}]}, r"faults\[0\]: action: found 'explode', expected"),
    ({'faults': [{'action': 'drop', 'id': 3}]}, "unknown key 'id'"),
    ({'faults': [{'action': 'drop', 'ids': [300]}]}, r'ids 0\.\.253, found 300'),
    ({'faults': [{'action': 'drop', 'count': -1}]}, 'count: expected a whole number'),
    ({'faults': [{'action': 'drop', 'value': 'x'}]}, "value: expected a number, found 'x'"),
    ({'faults': [{'action': 'drop', 'instructions': 'ping'}]}, 'expected a list'),
    ({'faults': [{'action': 'alarm'}]}, r"faults\[0\]: fault 'alarm' needs a value"),
])
def test_mistakes_are_named(content: object, message: str) -> None:
    """The error says which entry, what was found and what is right."""
    with pytest.raises(ScriptError, match=message):
        parse_faults(content, 'script.yaml')


def test_unreadable_scripts_are_named(tmp_path: Path) -> None:
    """A missing or broken file is an error that names it."""
    (tmp_path / 'broken.yaml').write_text('faults: [')
    for name in ('absent.yaml', 'broken.yaml'):
        with pytest.raises(ScriptError, match=name):
            load_faults(tmp_path / name)
