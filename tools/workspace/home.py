# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Which ROS 2 this workspace lives on: a distribution of the host, or the one from PyPI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import fcntl
import os
from pathlib import Path
import shutil
import subprocess
import sys

from workspace.console import step
from workspace.console import WorkspaceError
from workspace.paths import ROOT

TARGET = 'jazzy'
PYTHONS = ((3, 11), (3, 12), (3, 13))


@dataclass(frozen=True)
class Home:
    """The interpreter to build on, and the distribution's setup file (None: ROS from PyPI)."""

    python: str
    version: tuple[int, int]
    setup: Path | None
    distro: str


def _version(python: str) -> tuple[int, int] | None:
    try:
        text = subprocess.run(
            [python, '-c', 'import sys; print(*sys.version_info[:2])'],
            capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor = text.split()
    return int(major), int(minor)


def _distribution(setup: Path) -> Home | None:
    """Return the distribution behind a setup file if rclpy imports under its interpreter."""
    minors = sorted(int(p.name[len('python3.'):])
                    for p in setup.parent.glob('lib/python3.*') if p.name[9:].isdigit())
    for minor in reversed(minors):
        name = f'python3.{minor}'
        python = shutil.which(name, path='/usr/bin:/usr/local/bin') or sys.executable
        probe = subprocess.run(
            ['bash', '-c', f'source "{setup}" >&2 && echo "$ROS_DISTRO" && '
             f'"{python}" -c "import rclpy, launch_ros"'], capture_output=True, text=True)
        version = _version(python)
        if probe.returncode == 0 and version in PYTHONS:
            return Home(python, version, setup, probe.stdout.strip())
        step(f'{setup} is there, but `import rclpy, launch_ros` fails under {python}: not used')
    return None


def find_distribution(prefixes: str | None = None) -> Home | None:
    """
    Return the distribution to use: one already sourced, else Jazzy, else the newest.

    `prefixes`: directories to look in instead, separated by colons (also `APPRENTICE_ROS_PREFIX`;
    empty: use none).
    """
    asked = os.environ.get('APPRENTICE_ROS_PREFIX') if prefixes is None else prefixes
    if asked is not None:
        places = [Path(p) for p in asked.split(os.pathsep) if p]
    else:
        prefix_path = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
        sourced = [Path(p) for p in prefix_path if p]
        installed = sorted(Path('/opt/ros').glob('*'), key=lambda p: (p.name == TARGET, p.name))
        places = [*sourced, *reversed(installed)]
    for place in places:
        setup = place / 'setup.bash'
        if setup.is_file() and ROOT not in setup.parents:
            home = _distribution(setup)
            if home is not None:
                if home.distro != TARGET:
                    step(f'warning: ROS 2 {home.distro} found; tested on {TARGET} only')
                return home
    return None


def find(used: str = '') -> Home:
    """
    Return the home to use; raise if no Python fits.

    `used`: the interpreter of an existing environment, kept while it fits, whichever runs `ws`.
    """
    distribution = find_distribution()
    if distribution is not None:
        return distribution
    names = [used, sys.executable, *(f'python3.{minor}' for _, minor in PYTHONS)]
    for name in names:
        path = shutil.which(name) if name else None
        version = _version(path) if path else None
        if path and version in PYTHONS:
            return Home(os.path.realpath(path), version, None, TARGET)
    found = '.'.join(map(str, sys.version_info[:2]))
    raise WorkspaceError(
        f'no fitting Python: found {found}, needed 3.11, 3.12 or 3.13. Install one, for instance '
        'with: apt-get install python3.11 python3.11-venv python3.11-dev')


@contextmanager
def lock() -> Iterator[None]:
    """Keep two `ws` of one workspace from building into each other."""
    with open(ROOT / '.ws.lock', 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step('another ws is at work in this workspace; waiting for it')
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
