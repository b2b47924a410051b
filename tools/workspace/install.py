# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make the virtual environment. A change of this file or of a lock makes it again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
import shutil

from workspace import home as homes
from workspace.console import run
from workspace.console import timed
from workspace.console import WorkspaceError
from workspace.home import Home
from workspace.paths import INSTALL
from workspace.paths import LOCKS
from workspace.paths import PIP_ROS
from workspace.paths import ROOT
from workspace.paths import SETUP
from workspace.paths import VENV

GROUPS = ('base', 'data', 'sim')  # and 'ros' where no distribution is installed
LATER = {'learn': 'PyTorch, torchcodec and Ray: 1 GB, several where pip takes the CUDA build'}
"""Groups that come with the first command that needs them, and what is said before."""
_PYTHON = VENV / 'bin' / 'python'


def wanted(home: Home) -> dict[str, str]:
    """Return what the environment depends on."""
    digest = hashlib.sha256()
    for path in [*_lock_files(home), Path(__file__)]:
        digest.update(path.read_bytes())
    return {'python': home.python, 'setup': str(home.setup or ''), 'locks': digest.hexdigest(),
            'root': str(ROOT)}


def install(home: Home) -> None:
    """Make `.venv` afresh with everything that the locks name."""
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
        lacking = _not_in(home, files)
        _pip_install([lacking], 'Installing what the distribution lacks', ['--no-deps'])
    SETUP.write_text(_setup_script(home))


def add(home: Home, group: str) -> None:
    """Add a group of `LATER` to `.venv`, once for each state of its lock."""
    path = _lock_file(home, group)
    stamp = VENV / f'{group}.txt'
    if stamp.is_file() and stamp.read_bytes() == path.read_bytes():
        return
    # With what the lock leaves out: a CUDA build of torch names its libraries itself.
    lacking = path if home.setup is None else _not_in(home, [path])
    _pip_install([lacking], f'Installing {LATER[group]}', [])
    stamp.write_bytes(path.read_bytes())


def _numpy_major(home: Home) -> int:
    if home.setup is None:
        return 2
    command = (f'source "{home.setup}" >&2 && "{home.python}" -c '
               '"import numpy; print(numpy.__version__)"')
    text = run(['bash', '-c', command], 'asking the distribution for its NumPy')
    return int(text.splitlines()[-1].split('.')[0])


def _lock_files(home: Home) -> list[Path]:
    names = GROUPS if home.setup else ('ros', *GROUPS)
    return [_lock_file(home, name) for name in names]


def _lock_file(home: Home, group: str) -> Path:
    folder = LOCKS / f'py{home.version[0]}{home.version[1]}-numpy{_numpy_major(home)}'
    path = folder / f'{group}.txt'
    if not path.is_file():
        raise WorkspaceError(f'no lock for this Python and NumPy: {path.relative_to(ROOT)} '
                             'is missing; tools/workspace/relock.py makes it')
    return path


def _pip_install(files: list[Path], text: str, options: list[str]) -> None:
    arguments = [item for path in files for item in ('-r', str(path))]
    with timed(f'{text} (about a minute, longer the first time)'):
        run([str(_PYTHON), '-m', 'pip', 'install', '-q', '--disable-pip-version-check',
             *options, *arguments], 'pip install')


def _not_in(home: Home, files: list[Path]) -> Path:
    """Write the pins that the distribution does not bring: none of ours may shadow its own."""
    command = (f'source "{home.setup}" >&2; "{_PYTHON}" -m pip list --format=json '
               '--disable-pip-version-check 2>/dev/null')
    listing = json.loads(run(['bash', '-c', command], 'pip list').splitlines()[-1])
    brought = {item['name'].lower().replace('_', '-') for item in listing}
    lines = [line for path in files for line in path.read_text().splitlines()
             if line.split('==')[0].lower() not in brought]
    path = VENV / 'lacking.txt'
    path.write_text('\n'.join(lines) + '\n')
    return path


def _repair_exported_targets() -> None:
    """Point the wheels' CMake targets at this interpreter's headers instead of the builder's."""
    run([str(_PYTHON), str(PIP_ROS / 'repair_cmake.py')], 'repairing the exported CMake targets')


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
        bundled = VENV.glob('lib/python3.*/site-packages/ros_*.libs')
        libraries = ':'.join(map(str, [VENV / 'lib', *sorted(bundled)]))
        lines += [
            f'export AMENT_PREFIX_PATH="{VENV}" CMAKE_PREFIX_PATH="{VENV}"',
            f'export ROS_DISTRO={homes.TARGET} ROS_VERSION=2 ROS_PYTHON_VERSION=3',
            'unset PYTHONPATH COLCON_PREFIX_PATH',
            # Without it one start in five discovers its peers only after up to 3 s.
            'export FASTRTPS_DEFAULT_PROFILES_FILE='
            f'"${{FASTRTPS_DEFAULT_PROFILES_FILE:-{PIP_ROS / "fastdds.xml"}}}"',
            # What the wheels' start-up hook would set by starting every Python a second time.
            f'export LD_LIBRARY_PATH="{libraries}" _ROS_WHEELS_BOOTSTRAP_COMPLETE=1']
    else:
        # The distribution's own `ros2`, which runs the launch files, must find what it lacks.
        site = next(VENV.glob('lib/python3.*/site-packages'))
        lines += [f'source "{home.setup}"',
                  f'export PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}{site}"']
    lines += [
        f'export VIRTUAL_ENV="{VENV}" PATH="{VENV}/bin:$PATH"',
        'export RMW_IMPLEMENTATION=${RMW_IMPLEMENTATION:-rmw_fastrtps_cpp}',
        f'[ ! -f "{overlay}" ] || source "{overlay}"']
    return '\n'.join(lines) + '\n'
