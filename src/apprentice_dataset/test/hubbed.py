# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run verbs against a Hub of the test's own, and see what it holds."""

from __future__ import annotations

import os
from pathlib import Path

from apprentice_dataset import command_line
from hub_server import Hub
from hub_server import WRITER
import pytest

REPO = 'writer/cubes'
LENGTHS = (4, 3, 2)


def environment(hub: Hub, home: Path) -> dict[str, str]:
    """Return the variables that lead the client to a Hub, with the writer's token."""
    return {'HF_ENDPOINT': hub.url, 'HF_HOME': str(home), 'HF_TOKEN': WRITER,
            'HF_HUB_DISABLE_XET': '1', 'HF_HUB_DISABLE_TELEMETRY': '1',
            'HF_HUB_DISABLE_PROGRESS_BARS': '1'}


def run(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    """Run a verb; return what it said, which is one line where it fails."""
    capsys.readouterr()
    assert command_line.main([*map(str, arguments)]) == code, capsys.readouterr()
    output, errors = capsys.readouterr()
    assert WRITER not in output + errors
    assert (output if code else errors) == '' and errors.count('\n') == (1 if code else 0)
    return (output or errors).strip()


def tree(root: Path) -> dict[str, bytes]:
    """Return the files in the folders of the format."""
    return {path.relative_to(root).as_posix(): path.read_bytes()
            for family in ('meta', 'data', 'videos') for path in (root / family).rglob('*')
            if path.is_file()}


def remote(hub: Hub, revision: str = 'v3.0', repo_id: str = REPO) -> dict[str, bytes]:
    """Return the same of a repository."""
    return {name: data for name, data in hub.content(repo_id, revision).items()
            if name.startswith(('meta/', 'data/', 'videos/'))}


def inode(path: Path) -> int:
    """Return what tells one file from another of the same name."""
    return os.stat(path).st_ino
