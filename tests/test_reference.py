# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The environment of the exchange tests is found, or the error says what to do."""
from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tools'))

from workspace import reference  # noqa: E402
from workspace.console import WorkspaceError  # noqa: E402


def test_an_environment_without_lerobot_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder that the variable names must hold the right lerobot, not only a Python."""
    (tmp_path / 'bin').mkdir()
    shutil.copy(shutil.which('true') or '', tmp_path / 'bin' / 'python')
    for folder, found in ((tmp_path, 'no lerobot'), (tmp_path / 'nothing', 'no lerobot')):
        monkeypatch.setenv(reference.VARIABLE, str(folder))
        with pytest.raises(WorkspaceError, match=f'{reference.VARIABLE}: found {found}'):
            reference.find()


def test_without_python_312_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No Python 3.12 on the path, under pyenv or with uv: one sentence with the cure."""
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setenv('PYENV_ROOT', str(tmp_path))
    with pytest.raises(WorkspaceError, match='uv python install 3.12'):
        reference.python_312()


def test_another_version_on_the_path_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What calls itself python3.12 and is none, or cannot make environments, does not count."""
    fake = tmp_path / 'python3.12'
    fake.write_text('#!/bin/sh\necho 3 11\n')
    fake.chmod(0o755)
    right = tmp_path / 'versions/3.12.9/bin/python'
    right.parent.mkdir(parents=True)
    right.write_text('#!/bin/sh\necho 3 12\n')
    right.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:/bin')
    monkeypatch.setenv('PYENV_ROOT', str(tmp_path))
    assert reference.python_312() == str(right)


def test_the_plain_suite_leaves_it_out() -> None:
    """Without lerobot nothing of tests/reference/ is collected, let alone skipped."""
    plain = {name: value for name, value in os.environ.items()
             if not name.startswith(reference.VARIABLE)}
    result = subprocess.run(
        [sys.executable, '-m', 'pytest', str(reference.TESTS), '-p', 'no:cacheprovider'],
        capture_output=True, text=True, cwd=ROOT, env=plain)
    assert result.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, result.stdout
