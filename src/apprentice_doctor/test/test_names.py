# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Every finding that the program can print is documented, and staged by a test."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
import re

from apprentice_doctor import finding
from apprentice_doctor.scenarios import SCENARIOS

PAGE = Path(__file__).resolve().parents[3] / 'docs' / 'doctor.md'


def trees(folder: Path) -> Iterator[ast.AST]:
    """Parse every module of a folder."""
    for path in sorted(folder.glob('*.py')):
        yield ast.parse(path.read_text())


def printed() -> set[str]:
    """Return the names in the code; each call must have its name, or a choice of names, in it."""
    names: set[str] = set()
    for tree in trees(Path(finding.__file__).parent):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == 'Finding':
                names |= chosen(node.args[1])
            elif node.func.id == 'fine':
                names |= chosen(node.args[0])
    return names - {''}


def chosen(node: ast.expr) -> set[str]:
    """Return the text that an expression can be."""
    if isinstance(node, ast.IfExp):
        return chosen(node.body) | chosen(node.orelse)
    if isinstance(node, ast.Name) and node.id == 'name':  # of fine() itself
        return {''}
    assert isinstance(node, ast.Constant), f'a computed name: {ast.unparse(node)}'
    return {str(node.value)}


def documented() -> set[str]:
    """Return the names in the table of findings of the page."""
    table = PAGE.read_text().partition('\n## Findings\n')[2].partition('\n## ')[0]
    cells = [line.split('|')[1] for line in table.splitlines() if line.startswith('| `')]
    return {name for cell in cells for name in re.findall('`([a-z-]+)`', cell)}


def asserted() -> set[str]:
    """Return the text that tests compare, look up, ask `seen` for, or are run with."""
    names: set[str] = set()
    for tree in trees(Path(__file__).parent):
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.NotIn):
                names |= constants(node)
            elif isinstance(node, ast.Subscript):
                names |= constants(node.slice)
            elif isinstance(node, ast.Call) and (
                    ast.unparse(node.func) in ('seen', 'pytest.mark.parametrize')):
                names |= constants(node)
    return names


def constants(tree: ast.AST) -> set[str]:
    """Return every text constant below a node."""
    return {node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_the_page_explains_every_finding_and_no_other() -> None:
    """The table of docs/doctor.md has the names that the code can print."""
    assert len(printed()) > 70
    assert documented() == printed()


def test_every_finding_is_staged() -> None:
    """No name is printed that no test has seen."""
    assert not printed() - asserted()


def test_the_scenarios_name_findings() -> None:
    """The page's table of scenarios is the program's, and has only names that are printed."""
    page = PAGE.read_text().partition('\n## Scenarios\n')[2]
    for scenario in SCENARIOS:
        assert set(scenario.findings) <= printed()
        cells = ', '.join(f'`{name}`' for name in scenario.findings)
        assert f'| {scenario.number} | {scenario.name} | {cells} |' in page, scenario.number
