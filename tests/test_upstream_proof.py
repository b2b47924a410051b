# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The proof under upstream's launch (docs/upstream.md) leaves no launch file out."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest
from repository import files
from repository import ROOT

UPSTREAM = ROOT / 'tools' / 'upstream'
sys.path.insert(0, str(UPSTREAM))

from cases import CASES  # noqa: E402,I100


def launch_files() -> set[tuple[str, str]]:
    """Return package and file name of every launch file of the workspace."""
    found = {(path.parent.parent.name, path.name) for path in files('src/*/launch/*.launch.py')}
    return found | {('apprentice', path.name) for path in files('launch/*.launch.py')}


def test_every_launch_file_has_a_case() -> None:
    """A new launch file is started under upstream too, and none that is gone is asked for."""
    assert {(case.package, case.file) for case in CASES} == launch_files()


def test_the_page_shows_every_case() -> None:
    """The record is as long as the list."""
    page = (ROOT / 'docs' / 'upstream.md').read_text()
    missing = [case.command for case in CASES if f'| `{case.command}` |' not in page]
    assert not missing, f'run tools/upstream/prove.py launch --write: {missing}'


def test_the_stand_ins_prove_nothing(tmp_path: Path) -> None:
    """Where a stand-in would answer, the script refuses to start."""
    pytest.importorskip('rclpy')
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, (
        str(ROOT / 'tools' / 'pip_ros' / 'python'), os.environ.get('PYTHONPATH'))))}
    result = subprocess.run(
        [sys.executable, str(UPSTREAM / 'prove.py'), 'launch'], env=environment, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert 'expected the real one' in result.stderr
