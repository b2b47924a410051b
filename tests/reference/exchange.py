# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run lerobot's side of an exchange in a process of its own."""
from __future__ import annotations

from collections.abc import Sequence
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from apprentice_dataset.reader import Dataset
from compared import differences

PYTHON = os.environ.get('APPRENTICE_REFERENCE_PYTHON', '')
SIDE = Path(__file__).with_name('lerobot_side.py')
# Larger than the golden ones: several groups of pictures, several seconds, statistics thinned.
LARGE = ('--frames', '40', '--height', '96', '--width', '128')


def side(*arguments: object) -> str:
    """Run `lerobot_side.py` under lerobot's Python; return what it printed."""
    return under_lerobot(str(SIDE), *map(str, arguments))


def under_lerobot(*arguments: str) -> str:
    """Run lerobot's Python; AssertionError with the end of what it said when it fails."""
    result = subprocess.run([PYTHON, *arguments], capture_output=True, text=True,
                            env={**_own_environment(), 'HF_HUB_OFFLINE': '1'})
    assert not result.returncode, result.stderr[-3000:]
    return result.stdout


def _own_environment() -> dict[str, str]:
    # Paths of our packages would come before lerobot's own.
    return {name: value for name, value in os.environ.items()
            if name not in ('PYTHONPATH', 'VIRTUAL_ENV')}


def read(roots: Sequence[Path], backend: str = 'torchcodec') -> list[dict[str, Any]]:
    """Return what lerobot reads of each dataset, with one of its decoders."""
    lines = side('read', *roots, '--backend', backend).splitlines()
    return [json.loads(line) for line in lines[-len(roots):]]


def unlike(*roots: Path) -> list[str]:
    """Return where lerobot, with either decoder, reads datasets otherwise than we do."""
    return [f'{root.name}, {backend}: {text}' for backend in ('torchcodec', 'pyav')
            for root, found in zip(roots, read(roots, backend))
            for text in differences(Dataset.open(root), found)]


def dataset(verb: str, *arguments: object) -> None:
    """Run a verb of our command line."""
    result = subprocess.run([sys.executable, '-m', 'apprentice_dataset', verb,
                             *map(str, arguments)], capture_output=True, text=True)
    assert not result.returncode, result.stdout + result.stderr
