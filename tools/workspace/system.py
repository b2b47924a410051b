# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Debian packages that the workspace needs."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess

from workspace.console import run
from workspace.console import step
from workspace.console import timed
from workspace.console import WorkspaceError
from workspace.home import Home

# Renderers for the simulated cameras: one of them must work; EGL is the faster where a GPU is.
_SIMULATION = ('libosmesa6', 'libegl1', 'libgl1-mesa-dri', 'libopengl0')
_BUILD = ('cmake', 'g++', 'make', 'ffmpeg')  # torchcodec takes FFmpeg's libraries
# One of these shows the pages of `dataset view` to the tests.
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
_RELEASE = Path('/etc/os-release')


def needed(home: Home) -> list[str]:
    """
    Return the packages this host lacks, by asking for what they bring rather than for names.

    A compiler or a header that came some other way serves as well.
    """
    missing = [name for name in _BUILD if shutil.which(name) is None]
    probe = ('import ensurepip, os, sysconfig, sys; '
             'sys.exit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))')
    if subprocess.run([home.python, '-c', probe], capture_output=True).returncode != 0:
        name = f'python{home.version[0]}.{home.version[1]}'
        missing += [f'{name}-venv', f'{name}-dev']
    installed = _installed(_SIMULATION)
    return missing + [name for name in _SIMULATION if name not in installed]


def needed_by_tests() -> list[str]:
    """
    Return what the tests need beyond that: a browser, where there is a package of one.

    Ubuntu's is a snap, which runs in no container.
    """
    if any(map(shutil.which, BROWSERS)) or not _RELEASE.is_file():
        return []
    return ['chromium'] if 'ID=debian' in _RELEASE.read_text().splitlines() else []


def _installed(names: tuple[str, ...]) -> set[str]:
    query = ['dpkg-query', '-W', '-f', '${Package} ${db:Status-Abbrev}\n', *names]
    if shutil.which(query[0]) is None:
        return set(names)  # not Debian: the renderer's own message will say what it misses
    text = subprocess.run(query, capture_output=True, text=True).stdout
    return {line.split()[0] for line in text.splitlines() if line.split()[1:] == ['ii']}


def install(home: Home) -> None:
    """Install what is missing; where that is not allowed raise with the one line to run."""
    missing = needed(home)
    if not missing:
        return
    if not _is_allowed():
        raise WorkspaceError(
            f'system packages are missing: {", ".join(missing)}. Run this line, then ws again:\n'
            f'  sudo {_line(missing)}')
    _install(missing)


def install_for_tests() -> None:
    """Install what the tests need; where that is not allowed say which tests are left out."""
    missing = needed_by_tests()
    if missing and _is_allowed():
        _install(missing)
    elif not any(map(shutil.which, BROWSERS)):
        cure = f': sudo {_line(missing)}' if missing else ', such as Google Chrome'
        step(f'No browser here: the tests that need one are skipped. Install one{cure}')


def _is_allowed() -> bool:
    return os.geteuid() == 0 and shutil.which('apt-get') is not None


def _line(names: list[str]) -> str:
    return f'apt-get install -y --no-install-recommends {" ".join(names)}'


def _install(missing: list[str]) -> None:
    line = _line(missing)
    env = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    with timed(f'Installing system packages: {" ".join(missing)}'):
        lists = Path('/var/lib/apt/lists')
        if not any(lists.glob('*_Packages*')):
            run(['apt-get', 'update', '-q'], 'apt-get update', env)
        try:
            run(line.split(), 'apt-get install', env)
        except WorkspaceError:
            step('the package lists may be old: updating them')
            run(['apt-get', 'update', '-q'], 'apt-get update', env)
            run(line.split(), 'apt-get install', env)
