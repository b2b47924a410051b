# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Ament's linters over the whole workspace, once.

Where one of them is not installed (PyPI has no ament_copyright and no ament_xmllint), the same
rule is checked without it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = [name for name in ('src', 'launch', 'tests', 'tools', 'examples')
           if (ROOT / name).is_dir()]
# ament_pep257's own choice.
NOT_PEP257 = 'D100,D101,D102,D103,D104,D105,D106,D107,D203,D212,D404'
HEADER = re.compile(r'(#!.*\n)?# Copyright \d{4} The apprentice authors\.\n'
                    r'# SPDX-License-Identifier: Apache-2\.0\n')

pytestmark = [pytest.mark.linter, pytest.mark.timeout(300)]


def is_installed(linter: str) -> bool:
    """Tell whether one of ament's linters is there."""
    return importlib.util.find_spec(linter) is not None


def check(*command: str) -> None:
    """Run a linter over the workspace; its report is the failure."""
    result = subprocess.run([sys.executable, '-m', *command], cwd=ROOT, capture_output=True,
                            text=True, check=False)
    assert result.returncode == 0, f'{result.stdout}\n{result.stderr}'


def test_flake8() -> None:
    """Length, unused and unknown names, quotes, order of imports, shadowed builtins."""
    program = ['ament_flake8.main'] if is_installed('ament_flake8') else ['flake8']
    check(*program, '--config', '.flake8', *FOLDERS, 'ws')


def test_flake8_has_its_plugins() -> None:
    """Without them flake8 would be content with half the rules."""
    listing = subprocess.run([sys.executable, '-m', 'flake8', '--version'], text=True,
                             capture_output=True, check=True).stdout.replace('_', '-')
    for name in ('builtins', 'comprehensions', 'docstrings', 'import-order', 'quotes'):
        assert f'flake8-{name}' in listing, listing


def test_pep257() -> None:
    """Docstrings have one form."""
    if is_installed('ament_pep257'):
        check('ament_pep257.main', *FOLDERS)
    else:
        check('pydocstyle', r'--match=.*\.py', r'--match-dir=[^\._].*', f'--ignore={NOT_PEP257}',
              *FOLDERS)


def test_copyright() -> None:
    """Every file of code names its owner and its licence."""
    if is_installed('ament_copyright'):
        check('ament_copyright.main', *FOLDERS)
    for path in files('*.py', 'CMakeLists.txt'):
        text = path.read_text()
        assert not text or HEADER.match(text), f'{path}: expected the two licence lines'


def test_xmllint() -> None:
    """Every manifest and description is well-formed."""
    if is_installed('ament_xmllint'):
        check('ament_xmllint.main', '--extensions', 'xml', 'urdf', '--', *FOLDERS)
    for path in files('*.xml', '*.urdf'):
        ElementTree.parse(path)


def files(*patterns: str) -> list[Path]:
    """List the files of these names below the folders that are checked."""
    found = sorted(path for folder in FOLDERS for pattern in patterns
                   for path in (ROOT / folder).rglob(pattern))
    assert found
    return found
