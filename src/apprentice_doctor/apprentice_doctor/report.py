# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Findings as a table of 80 columns, and as JSON."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
import json
import textwrap

from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import Level
from apprentice_doctor.scenarios import shown_by

WIDTH = 80
_NAME = 21
_INDENT = 8 + _NAME
_WORDS = {Level.OK: 'ok', Level.WARN: 'WARN', Level.ERROR: 'ERROR'}
_COLOURS = {Level.OK: '32', Level.WARN: '33', Level.ERROR: '31'}
Results = Mapping[str, Sequence[Finding]]


def section(check: str, findings: Sequence[Finding], colour: bool) -> str:
    """Return the lines of one check."""
    lines = [check if findings else f'{check}: nothing to look at']
    for finding in findings:
        lines += _lines(finding, colour)
    return '\n'.join(lines) + '\n'


def summary(results: Results) -> str:
    """Return the last line."""
    levels = [item.level for found in results.values() for item in found]
    errors, warnings = levels.count(Level.ERROR), levels.count(Level.WARN)
    return (f'{_many(errors, "error")}, {_many(warnings, "warning")}, '
            f'{levels.count(Level.OK)} fine\n')


def as_json(results: Results) -> str:
    """Return everything for machines."""
    names = [item.name for found in results.values() for item in found]
    findings = [
        {'check': check, **asdict(item), 'level': item.level.name}
        for check, found in results.items() for item in found]
    return json.dumps({
        'version': 1, 'findings': findings,
        'scenarios': [scenario.number for scenario in shown_by(names)]}, indent=2) + '\n'


def _many(count: int, what: str) -> str:
    return f'{count} {what}' + ('' if count == 1 else 's')


def _lines(finding: Finding, colour: bool) -> Iterator[str]:
    word = f'{_WORDS[finding.level]:<5}'
    if colour:
        word = f'\033[{_COLOURS[finding.level]}m{word}\033[0m'
    text = finding.what
    if finding.level is Level.OK and finding.where:
        text = f'{finding.where}: {finding.what}'
    first, *rest = _wrapped(text, _INDENT)
    yield f'  {word} {finding.name:<{_NAME - 1}} {first.lstrip()}'
    yield from rest
    if finding.level is Level.OK:
        return
    for label in ('where', 'found', 'expected', 'cure'):
        value = getattr(finding, label)
        if value:
            yield from _field(label, value)


def _field(label: str, value: str) -> Iterator[str]:
    head = f'        {label:<9} '
    for line in value.splitlines():
        if line.startswith('  '):
            # To be pasted: as it is, never wrapped.
            yield head + line[2:]
            head = ' ' * len(head)
            continue
        for part in _wrapped(line, len(head)):
            yield head + part.lstrip()
            head = ' ' * len(head)


def _wrapped(text: str, indent: int) -> list[str]:
    space = ' ' * indent
    return textwrap.wrap(
        text, WIDTH, initial_indent=space, subsequent_indent=space, break_long_words=False,
        break_on_hyphens=False) or ['']
