# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The environment in which everything runs: made when needed, then read from its setup script."""

from __future__ import annotations

import json
import subprocess

from workspace import home as homes
from workspace import install
from workspace import system
from workspace.console import run
from workspace.console import WorkspaceError
from workspace.paths import SETUP
from workspace.paths import VENV

_STAMP = VENV / 'apprentice.json'


def prepare() -> dict[str, str]:
    """Install whatever is missing and return the environment in which everything runs."""
    with homes.lock():
        recorded = _recorded()
        home = homes.find(used=recorded.get('python', ''))
        wanted = install.wanted(home)
        if recorded != wanted:
            _STAMP.unlink(missing_ok=True)
            system.install(home)
            install.install(home)
            _STAMP.write_text(json.dumps(wanted, indent=2) + '\n')
    return current()


def add(group: str) -> None:
    """Install a group that is not there from the start, see `install.LATER`."""
    with homes.lock():
        install.add(homes.find(used=_recorded().get('python', '')), group)


def current() -> dict[str, str]:
    """Return the environment as it is; raise if there is none yet."""
    if not SETUP.is_file():
        raise WorkspaceError('nothing is set up here yet: run ./ws setup (or ./ws demo)')
    text = run(['bash', '-c', f'source "{SETUP}" >&2 && env -0'], 'sourcing the environment')
    pairs = (item.partition('=') for item in text.split('\0') if '=' in item)
    return {key: value for key, _, value in pairs}


def interactive_shell() -> list[str]:
    """Return the command of the user's own bash with a prompt that says where it is."""
    rc = VENV / 'shell.bashrc'
    rc.write_text('[ -f ~/.bashrc ] && source ~/.bashrc\n'
                  f'source "{SETUP}"\nPS1="(apprentice) $PS1"\n')
    return ['bash', '--rcfile', str(rc), '-i']


def _recorded() -> dict[str, str]:
    try:
        return json.loads(_STAMP.read_text())
    except (OSError, ValueError):
        return {}


def is_from_pypi(env: dict[str, str]) -> bool:
    """Tell whether an environment's ROS is the one from PyPI."""
    return env.get('AMENT_PREFIX_PATH', '').split(':')[-1] == str(VENV)


def versions(env: dict[str, str], names: list[str]) -> dict[str, str]:
    """Return the installed version of each distribution package, '-' where it is not there."""
    script = ('import importlib.metadata as m, json, sys\n'
              'def v(n):\n'
              '    try:\n        return m.version(n)\n'
              '    except m.PackageNotFoundError:\n        return "-"\n'
              'print(json.dumps({n: v(n) for n in sys.argv[1:]}))\n')
    text = subprocess.run(['python', '-c', script, *names], env=env, capture_output=True,
                          text=True).stdout
    return json.loads(text or '{}')
