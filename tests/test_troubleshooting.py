# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The pages that quote messages against the code that prints them."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ('troubleshooting.md', 'so100-in-an-hour.md', 'so101.md')
# Messages stand in the first column of tables with this head, between backticks.
HEAD = '| what you see |'
MESSAGE = re.compile(r'`([^`]+)`')
GAP = re.compile(r'…|\.\.\.')
FEWEST_LETTERS = 8
HOLE = '\0'
LINK = re.compile(r'\]\(([^)\s]*)#([^)\s]+)\)')


def _rows(page: str) -> Iterator[tuple[int, list[str], int]]:
    """Yield line number, cells and how many its head has, for the rows of tables of messages."""
    columns = 0
    for number, line in enumerate((ROOT / 'docs' / page).read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.strip('|').split(' | ')]
        if not line.startswith('|'):
            columns = 0
        elif line.startswith(HEAD):
            columns = len(cells)
        elif columns and not line.startswith('|---'):
            yield number, cells, columns


def _quoted() -> list[tuple[str, str]]:
    return [(f'{page}:{number}', message) for page in PAGES
            for number, cells, _ in _rows(page) for message in MESSAGE.findall(cells[0])]


@cache
def _templates() -> str:
    """Return every text that the sources can print, one a line, with holes for values."""
    sources = [*ROOT.glob('src/*/**/*.py'), *ROOT.glob('tools/**/*.py'),
               *ROOT.glob('launch/*.py'), ROOT / 'ws']
    texts = {text for path in sources if not {'test', 'conformance'} & set(path.parts)
             for text in _texts(ast.parse(path.read_text()))}
    return '\n'.join(sorted(' '.join(text.split()) for text in texts))


def _texts(tree: ast.AST) -> Iterator[str]:
    # A docstring is never printed, and a constant within an f-string is a part of a text only.
    unprinted = {id(node.body[0].value) for node in ast.walk(tree)
                 if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
                 and node.body and isinstance(node.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            unprinted |= {id(part) for part in node.values}
            yield ''.join(part.value if isinstance(part, ast.Constant) else HOLE
                          for part in node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) \
                and id(node) not in unprinted:
            # str.format and % leave holes of their own.
            yield re.sub(r'\{[a-z_]*\}|%s', HOLE, node.value)


def is_printed(message: str, templates: str) -> bool:
    """Tell whether one text has the pieces of a message between its gaps, in their order."""
    pieces = [re.escape(piece.strip()) for piece in GAP.split(message) if piece.strip()]
    return re.search('.*?'.join(pieces), templates) is not None


@pytest.mark.parametrize('place, message', _quoted())
def test_a_quoted_message_is_printed(place: str, message: str) -> None:
    """What the page says one may see is in the sources, word for word."""
    letters = re.sub(r'\W', '', GAP.sub('', message))
    assert len(letters) >= FEWEST_LETTERS, f'{place}: `{message}` would match anything'
    printed = is_printed(message, _templates())
    assert printed, f'{place}: nothing prints `{message}`'


@pytest.mark.parametrize('page', PAGES)
def test_rows_have_a_message_and_a_cure(page: str) -> None:
    """There are rows, and each has words in every column of its table."""
    rows = list(_rows(page))
    assert rows, f'{page} has no table that begins with "{HEAD}"'
    short = [number for number, cells, columns in rows
             if len(cells) != columns or not all(cells)]
    assert not short, f'{page}: lines {short} lack a column, or words in one'


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_to_headings(page: str) -> None:
    """A link into a page names a heading that is there."""
    text = re.sub(r'(?ms)^```.*?^```', '', (ROOT / 'docs' / page).read_text())
    missing = []
    for target, anchor in LINK.findall(text):
        if re.match('[a-z]+:', target):
            continue
        other = (ROOT / 'docs' / (target or page)).resolve()
        if anchor not in _anchors(other):
            missing.append(f'{target}#{anchor}')
    assert not missing, f'{page} links to {missing}'


@cache
def _anchors(path: Path) -> set[str]:
    headings = re.findall(r'(?m)^#+ (.*)$', path.read_text())
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


@pytest.mark.parametrize('message, printed', [
    ('there is no serial port …', True),
    ('… is in use by …. Stop it, or configure another port.', True),
    ('the serial port … went away', True),
    ('the serial port … came back', False),
    ('Stop it, or configure another port. … is in use by', False)])
def test_messages_are_told_from_what_nobody_prints(message: str, printed: bool) -> None:
    """A message of another wording, or with its parts the other way round, is found out."""
    assert is_printed(message, _templates()) is printed
