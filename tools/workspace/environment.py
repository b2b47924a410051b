# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The virtual environment of the workspace, and the variables of the sourced environment."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from workspace import home as homes
from workspace import system
from workspace.console import WorkspaceError
from workspace.console import run
from workspace.console import timed
from workspace.home import Home
from workspace.paths import INSTALL
from workspace.paths import LOCKS
from workspace.paths import PIP_ROS
from workspace.paths import ROOT
from workspace.paths import VENV

GROUPS = ('base', 'sim')  # and 'ros' where no distribution is installed
_STAMP = VENV / 'apprentice.json'
_PYTHON = VENV / 'bin' / 'python'
_SETUP = VENV / 'apprentice.bash'  # not setup.bash: that would look like a distribution


def prepare() -> dict[str, str]:
    """Install whatever is missing and return the environment in which everything runs."""
    with homes.lock():
        recorded = _recorded()
        home = homes.find(used=recorded.get('python', ''))
        wanted = _wanted(home)
        if recorded != wanted:
            system.install(home)
            _install(home)
            _STAMP.write_text(json.dumps(wanted, indent=2) + '\n')
    return current()


def current() -> dict[str, str]:
    """Return the environment as it is; raise if there is none yet."""
    if not _SETUP.is_file():
        raise WorkspaceError('nothing is set up here yet: run ./ws setup (or ./ws demo)')
    text = run(['bash', '-c', f'source "{_SETUP}" >&2 && env -0'], 'sourcing the environment')
    pairs = (item.partition('=') for item in text.split('\0') if '=' in item)
    return {key: value for key, _, value in pairs}


def interactive_shell(env: dict[str, str]) -> list[str]:
    """Return the command of the user's own bash with a prompt that says where it is."""
    rc = VENV / 'shell.bashrc'
    rc.write_text('[ -f ~/.bashrc ] && source ~/.bashrc\n'
                  f'source "{_SETUP}"\nPS1="(apprentice) $PS1"\n')
    return ['bash', '--rcfile', str(rc), '-i']


def _recorded() -> dict[str, str]:
    try:
        return json.loads(_STAMP.read_text())
    except (OSError, ValueError):
        return {}


def _wanted(home: Home) -> dict[str, str]:
    """Return what the environment depends on: a change of any of it installs again."""
    digest = hashlib.sha256()
    for path in [*_lock_files(home), Path(__file__)]:
        digest.update(path.read_bytes())
    return {'python': home.python, 'setup': str(home.setup or ''), 'locks': digest.hexdigest(),
            'root': str(ROOT)}


def _numpy_major(home: Home) -> int:
    if home.setup is None:
        return 2
    text = run([home.python, '-c', 'import numpy; print(numpy.__version__)'],
               'asking the distribution for its NumPy')
    return int(text.split('.')[0])


def _lock_files(home: Home) -> list[Path]:
    folder = LOCKS / f'py{home.version[0]}{home.version[1]}-numpy{_numpy_major(home)}'
    names = GROUPS if home.setup else ('ros', *GROUPS)
    files = [folder / f'{name}.txt' for name in names]
    for path in files:
        if not path.is_file():
            raise WorkspaceError(f'no lock for this Python and NumPy: {path.relative_to(ROOT)} '
                                 'is missing; tools/workspace/relock.py makes it')
    return files


def _install(home: Home) -> None:
    _STAMP.unlink(missing_ok=True)
    with timed(f'Making .venv on {home.python}'):
        if VENV.exists():
            shutil.rmtree(VENV)
        options = ['--system-site-packages'] if home.setup else []
        run([home.python, '-m', 'venv', *options, str(VENV)], 'python -m venv')
        (VENV / 'COLCON_IGNORE').touch()
    files = _lock_files(home)
    if home.setup is None:
        _pip_install(files, 'Installing ROS 2 Jazzy and the tools from PyPI', [])
        _repair_exported_targets()
        _add_stand_ins()
    else:
        _pip_install([_not_in(home, files)], 'Installing what the distribution lacks', ['--no-deps'])
    _SETUP.write_text(_setup_script(home))


def _pip_install(files: list[Path], text: str, options: list[str]) -> None:
    arguments = [item for path in files for item in ('-r', str(path))]
    with timed(f'{text} (about a minute, longer the first time)'):
        run([str(_PYTHON), '-m', 'pip', 'install', '-q', '--disable-pip-version-check', *options,
             *arguments], 'pip install')


def _not_in(home: Home, files: list[Path]) -> Path:
    """Write the pins that the distribution does not already bring: none of ours may shadow its own."""
    text = run(['bash', '-c', f'source "{home.setup}" >&2; "{_PYTHON}" -m pip list --format=json '
                '--disable-pip-version-check 2>/dev/null'], 'pip list')
    canonical = {item['name'].lower().replace('_', '-') for item in json.loads(text)}
    lines = [line for path in files for line in path.read_text().splitlines()
             if line and line[0] != '#' and line.split('==')[0].lower() not in canonical]
    path = VENV / 'lacking.txt'
    path.write_text('\n'.join(lines) + '\n')
    return path


def _repair_exported_targets() -> None:
    """Point the wheels' CMake targets at this interpreter's headers instead of the builder's."""
    script = (
        'import numpy, pathlib, re, sys, sysconfig\n'
        'include = sysconfig.get_paths()["include"]\n'
        'for path in pathlib.Path(sys.prefix, "share").glob("*/cmake/*"):\n'
        '    if not path.is_file():\n'
        '        continue\n'
        '    text = path.read_text(errors="surrogateescape")\n'
        '    new = re.sub(r"/opt/python/cp3\\d+-cp3\\d+/lib/python3\\.\\d+/site-packages/numpy/_core/include",\n'
        '                 lambda _: numpy.get_include(), text)\n'
        '    new = re.sub(r"/opt/python/cp3\\d+-cp3\\d+/include/python3\\.\\d+", lambda _: include, new)\n'
        '    if new != text:\n'
        '        path.write_text(new, errors="surrogateescape")\n')
    run([str(_PYTHON), '-c', script], 'repairing the exported CMake targets')


def _add_stand_ins() -> None:
    """Put the stand-ins last on the path, so that the real packages win wherever they exist."""
    site = next(VENV.glob('lib/python3.*/site-packages'))
    (site / 'zz_apprentice_pip_ros.pth').write_text(f'{PIP_ROS / "python"}\n')
    script = VENV / 'bin' / 'ros2'
    script.write_text(f'#!{_PYTHON}\nimport sys\n\nfrom ros2cli_lite.main import main\n\n'
                      'sys.exit(main())\n')
    script.chmod(0o755)


def _setup_script(home: Home) -> str:
    """Return the script that `ws shell` sources; a user's own .bashrc may source it as well."""
    overlay = INSTALL / 'local_setup.bash'
    lines = ['# Made by ws. Source it in bash to get the environment of this workspace.']
    if home.setup is None:
        libraries = ':'.join(map(str, [VENV / 'lib', *VENV.glob('lib/python3.*/site-packages/ros_*.libs')]))
        lines += [
            f'export AMENT_PREFIX_PATH="{VENV}" CMAKE_PREFIX_PATH="{VENV}"',
            f'export ROS_DISTRO={homes.TARGET} ROS_VERSION=2 ROS_PYTHON_VERSION=3',
            'unset PYTHONPATH COLCON_PREFIX_PATH',
            # What the wheels' own start-up hook would set by starting Python a second time.
            f'export LD_LIBRARY_PATH="{libraries}" _ROS_WHEELS_BOOTSTRAP_COMPLETE=1']
    else:
        lines.append(f'source "{home.setup}"')
    lines += [
        f'export VIRTUAL_ENV="{VENV}" PATH="{VENV}/bin:$PATH"',
        # Images between processes: with the default transports 6 % were lost at 120 Hz, with this none.
        'export FASTDDS_BUILTIN_TRANSPORTS=${FASTDDS_BUILTIN_TRANSPORTS:-LARGE_DATA}',
        'export RMW_IMPLEMENTATION=${RMW_IMPLEMENTATION:-rmw_fastrtps_cpp}',
        f'[ ! -f "{overlay}" ] || source "{overlay}"']
    return '\n'.join(lines) + '\n'


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
