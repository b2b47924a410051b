# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The other side of the exchange tests: lerobot in an environment of its own, outside the tree."""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
from pathlib import Path
import shutil
import subprocess

from workspace.console import run
from workspace.console import step
from workspace.console import timed
from workspace.console import WorkspaceError
from workspace.paths import ROOT

TESTS = ROOT / 'tests' / 'reference'
VERSION = '0.6.1'
# What takes part in reading and writing is pinned: a decoder that rounds otherwise is no news.
REQUIREMENTS = (f'lerobot[accelerate-dep,dataset,diffusion,multi-task-dit]=={VERSION}',
                'torch==2.11.0', 'torchcodec==0.11.1', 'datasets==4.8.5', 'av==15.1.0',
                'pyarrow==26.0.1', 'pandas==2.3.3', 'numpy==2.2.6')
VARIABLE = 'APPRENTICE_REFERENCE'


def test(env: dict[str, str]) -> int:
    """Run tests/reference/ against lerobot, which is installed first where it is missing."""
    python = find()
    step(f'Testing the exchange with lerobot {VERSION}: tests/reference/')
    failed = subprocess.call(
        ['python', '-m', 'pytest', str(TESTS), '-p', 'no:cacheprovider', '--timeout=600'],
        env={**env, f'{VARIABLE}_PYTHON': str(python), 'HF_HUB_OFFLINE': '1'}, cwd=ROOT)
    step('Some tests failed: see above' if failed else 'All tests passed')
    return int(bool(failed))


def find() -> Path:
    """Return lerobot's Python: that of the folder in `APPRENTICE_REFERENCE`, else our own."""
    named = os.environ.get(VARIABLE)
    if named:
        python = Path(named) / 'bin' / 'python'
        found = _lerobot(python)
        if found != VERSION:
            raise WorkspaceError(f'{VARIABLE}: found {found or "no lerobot"} under {python}, '
                                 f'expected an environment with lerobot {VERSION}')
        return python
    folder = _cache() / f'lerobot-{VERSION}'
    stamp = folder / 'apprentice.json'
    if not stamp.is_file() or json.loads(stamp.read_text()) != list(REQUIREMENTS):
        _install(folder)
        stamp.write_text(json.dumps(REQUIREMENTS))
    step(f'lerobot {VERSION} is in {folder} ({_gigabytes(folder):.1f} GB; remove it at will)')
    return folder / 'bin' / 'python'


def _cache() -> Path:
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'apprentice'


def _lerobot(python: Path) -> str:
    script = 'import importlib.metadata as m; print(m.version("lerobot"))'
    try:
        result = subprocess.run([str(python), '-c', script], capture_output=True, text=True)
    except OSError:
        return ''
    return result.stdout.strip()


def _install(folder: Path) -> None:
    python = python_312()
    with timed(f'Installing lerobot {VERSION} into {folder} (about 6 GB, some minutes)'):
        if folder.exists():
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        run([python, '-m', 'venv', str(folder)], 'python -m venv')
        run([str(folder / 'bin' / 'python'), '-m', 'pip', 'install', '-q',
             '--disable-pip-version-check', *REQUIREMENTS], 'pip install')


def python_312() -> str:
    """Return a Python 3.12, which lerobot needs; raise when there is none."""
    script = 'import sys, venv; print(*sys.version_info[:2])'
    for candidate in _candidates():
        try:
            text = subprocess.run([candidate, '-c', script], capture_output=True, text=True,
                                  timeout=30).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        if text.split() == ['3', '12']:
            return candidate
    raise WorkspaceError(
        'no Python 3.12: lerobot needs one, the workspace itself does not. Install it, for '
        'instance with: uv python install 3.12, or apt-get install python3.12-venv; or name an '
        f'environment that has lerobot {VERSION} in {VARIABLE}')


def _candidates() -> Iterator[str]:
    path = shutil.which('python3.12')
    if path:
        yield path
    root = Path(os.environ.get('PYENV_ROOT') or Path.home() / '.pyenv')
    yield from (str(found) for found in sorted(root.glob('versions/3.12*/bin/python')))
    if shutil.which('uv'):
        found = subprocess.run(['uv', 'python', 'find', '3.12'], capture_output=True, text=True)
        yield from found.stdout.split()[:1]


def _gigabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob('*') if path.is_file()) / 1e9
