# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The script a newcomer runs."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tools'))

from workspace import build  # noqa: E402,I100
from workspace import environment  # noqa: E402
from workspace import home  # noqa: E402
from workspace import install  # noqa: E402
from workspace import system  # noqa: E402
from workspace.console import WorkspaceError  # noqa: E402


def _ws(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ROOT / 'ws'), *arguments], text=True,
                          capture_output=True, timeout=120, cwd='/')


def test_info_prints_what_a_bug_report_needs() -> None:
    """`ws info` names system, ROS, Python, codecs, ports and cameras, from any folder."""
    result = _ws('info')
    assert result.returncode == 0, result.stderr
    rows = {line.split('  ')[0] for line in result.stdout.splitlines()}
    assert {'apprentice', 'system', 'GPU', 'ROS 2', 'Python', 'numpy', 'video codecs',
            'serial ports', 'cameras'} <= rows


def test_shell_runs_a_command_in_the_sourced_environment() -> None:
    """A command after -- sees ROS and our packages, and its exit status comes back."""
    result = _ws('shell', '--', 'python', '-c',
                 'import rclpy, apprentice_msgs.msg; raise SystemExit(7)')
    assert result.returncode == 7, result.stderr


def test_doctor_finds_an_arm_that_is_not_there(tmp_path: Path) -> None:
    """The finding is named, what was found is counted, and the exit code says error."""
    hardware = tmp_path / 'hardware.yaml'
    hardware.write_text(f'version: 1\nfollower: {{port: {tmp_path}/arm}}\n')
    result = _ws('doctor', '--only', 'ports', '--hardware', str(hardware))
    assert result.returncode == 2, result.stderr
    text = ' '.join(result.stdout.split())
    assert 'ERROR unplugged' in text and f'follower, {tmp_path}/arm' in text
    assert text.endswith('1 error, 1 warning, 0 fine')


def test_doctor_helps_with_its_own_options() -> None:
    """`--help` reaches the doctor; what it does not know is its error, not that of `ws`."""
    result = _ws('doctor', '--help')
    assert result.returncode == 0, result.stderr
    assert '--robot NAME' in result.stdout and 'Exit code 0' in result.stdout
    result = _ws('doctor', '--luck')
    assert result.returncode == 2 and 'unrecognized arguments: --luck' in result.stderr


def test_unknown_command_is_an_error() -> None:
    """A misspelt command exits 2 and lists the commands."""
    result = _ws('tset')
    assert result.returncode == 2
    assert 'test' in result.stderr


def test_ws_imports_only_the_standard_library() -> None:
    """`ws` starts on an interpreter without any site-packages."""
    result = subprocess.run([sys.executable, '-I', '-S', str(ROOT / 'ws'), '--help'], text=True,
                            capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert 'demo' in result.stdout


def test_every_lock_pins_every_package() -> None:
    """No line of a lock leaves a version open, and no lock names a registry's host."""
    files = sorted(ROOT.glob('locks/*/*.txt'))
    assert len(files) >= 13
    for path in files:
        for line in path.read_text().splitlines():
            assert '==' in line and '://' not in line, f'{path}: {line}'


def test_arrow_goes_with_numpy() -> None:
    """Nothing newer than PyArrow 25 can be imported beside NumPy 1."""
    for path in sorted(ROOT.glob('locks/py*-numpy1/data.txt')):
        pins = dict(line.split('==') for line in path.read_text().split())
        assert pins['numpy'].startswith('1.'), path
        assert int(pins['pyarrow'].split('.')[0]) < 26, path


def test_groups_of_one_lock_agree() -> None:
    """The groups of one Python pin the same version of a package they share."""
    for folder in sorted(ROOT.glob('locks/py*')):
        pins: dict[str, str] = {}
        for path in sorted(folder.glob('*.txt')):
            for line in path.read_text().splitlines():
                name, version = line.split('==')
                assert pins.setdefault(name, version) == version, f'{path}: {name}'


def test_exported_targets_point_at_this_interpreter() -> None:
    """No CMake file of the environment names the machine the wheels were built on."""
    env = environment.current()
    if not environment.is_from_pypi(env):
        assert env['ROS_DISTRO']
        return
    for path in (ROOT / '.venv' / 'share').glob('*/cmake/*'):
        if path.is_file():
            assert '/opt/python/cp3' not in path.read_text(errors='replace'), path


def test_without_rights_the_line_to_run_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is not root is told the apt-get line instead of a failure half-way."""
    here = home.Home(sys.executable, (3, 11), None, 'jazzy')
    monkeypatch.setattr(system, 'needed', lambda _: ['cmake', 'libosmesa6'])
    monkeypatch.setattr(os, 'geteuid', lambda: 1000)
    with pytest.raises(WorkspaceError) as error:
        system.install(here)
    assert '  sudo apt-get install -y --no-install-recommends cmake libosmesa6' in str(error.value)


def test_a_missing_tool_is_asked_for_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a compiler on the path the compiler's package is on the list."""
    here = home.Home(sys.executable, (3, 11), None, 'jazzy')
    monkeypatch.setenv('PATH', '/nonexistent')
    assert {'cmake', 'g++', 'make'} <= set(system.needed(here))


@pytest.mark.parametrize(('release', 'there', 'wanted'), [
    ('NAME="Debian"\nID=debian\n', None, ['chromium']),
    ('NAME="Debian"\nID=debian\n', 'google-chrome-stable', []),
    # Its package is a snap.
    ('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', None, []),
    (None, None, [])])
def test_the_tests_ask_for_a_browser(
        release: str | None, there: str | None, wanted: list[str], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is there will do; without any it is said, and nothing else asks for one."""
    installed: list[str] = []
    if release:
        (tmp_path / 'os-release').write_text(release)
    if there:
        (tmp_path / there).touch(0o755)
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setattr(system, '_RELEASE', tmp_path / 'os-release')
    assert system.needed_by_tests() == wanted
    assert 'chromium' not in system.needed(home.Home(sys.executable, (3, 11), None, 'jazzy'))
    monkeypatch.setattr(system, '_is_allowed', lambda: False)
    system.install_for_tests()
    assert ('No browser here' in capsys.readouterr().out) == (there is None)
    monkeypatch.setattr(system, '_is_allowed', lambda: True)
    monkeypatch.setattr(system, '_install', installed.extend)
    system.install_for_tests()
    assert installed == wanted


def test_a_setup_file_alone_is_no_distribution(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prefix whose rclpy cannot be imported is passed over."""
    monkeypatch.delenv('PYTHONPATH', raising=False)
    (tmp_path / 'lib' / 'python3.11').mkdir(parents=True)
    (tmp_path / 'setup.bash').write_text('export ROS_DISTRO=jazzy\n')
    assert home.find_distribution(str(tmp_path)) is None


def test_a_distribution_that_imports_is_used(tmp_path: Path) -> None:
    """A prefix whose setup file makes rclpy and launch_ros importable is the home."""
    minor = sys.version_info.minor
    packages = tmp_path / 'lib' / f'python3.{minor}' / 'site-packages'
    for name in ('rclpy', 'launch_ros'):
        (packages / name).mkdir(parents=True)
        (packages / name / '__init__.py').touch()
    (tmp_path / 'setup.bash').write_text(f'export PYTHONPATH="{packages}" ROS_DISTRO=jazzy\n')
    found = home.find_distribution(str(tmp_path))
    assert found is not None
    assert found.setup == tmp_path / 'setup.bash'
    assert found.version == sys.version_info[:2]
    assert found.distro == 'jazzy'
    script = tmp_path / 'shell.bash'
    script.write_text(install._setup_script(found))
    path = subprocess.run(['bash', '-c', f'source "{script}"; echo "$PYTHONPATH"'],
                          capture_output=True, text=True, check=True).stdout.strip().split(':')
    # Its `ros2` imports what our launch files do, and nothing of ours instead of its own.
    site = str(next(install.VENV.glob('lib/python3.*/site-packages')))
    assert site in path and path.index(str(packages)) < path.index(site)


def test_no_fitting_python_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no Python fits, the versions wanted and an install line are named."""
    monkeypatch.setattr(home, 'PYTHONS', ((3, 99),))
    monkeypatch.setenv('APPRENTICE_ROS_PREFIX', '')
    with pytest.raises(WorkspaceError, match='apt-get install python3.11'):
        home.find()


def test_an_environment_keeps_its_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another python3 that happens to run ws does not make everything install again."""
    monkeypatch.setenv('APPRENTICE_ROS_PREFIX', '')
    used = os.path.realpath(sys.executable)
    monkeypatch.setattr(sys, 'executable', '/usr/bin/false')
    assert home.find(used=used).python == used


def test_ctrl_c_works_in_tests_that_run_in_the_background(tmp_path: Path) -> None:
    """What `ws test` starts takes SIGINT, though a shell's background jobs ignore it."""
    probe = tmp_path / 'colcon.py'
    probe.write_text('import signal, sys\n'
                     'sys.exit(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n')
    script = ('import os, signal, sys; sys.path.insert(0, sys.argv[1]); '
              'signal.signal(signal.SIGINT, signal.SIG_IGN); '
              'from workspace import build; build._COLCON[:] = [sys.executable, sys.argv[2]]; '
              'sys.exit(build.test(dict(os.environ), ["a_package"]))')
    result = subprocess.run([sys.executable, '-c', script, str(ROOT / 'tools'), str(probe)],
                            text=True, capture_output=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_package_is_tested_once_and_each_counts(tmp_path: Path) -> None:
    """Side by side or by itself; a failure anywhere fails `ws test`."""
    probe = tmp_path / 'colcon.py'
    probe.write_text('import os, pathlib, sys\n'
                     'names = sys.argv[sys.argv.index("--packages-select") + 1:'
                     'sys.argv.index("--pytest-args")] if "test" in sys.argv else []\n'
                     'pathlib.Path(__file__).with_name(f"{os.getpid()}.txt")'
                     '.write_text(" ".join(names))\n'
                     'sys.exit("feetech_driver" in names)\n')
    script = ('import os, sys; sys.path.insert(0, sys.argv[1]); from workspace import build; '
              'build._COLCON[:] = [sys.executable, "-u", sys.argv[2]]; '
              'build._test_workspace = lambda env: 0; '
              'sys.exit(build.test(dict(os.environ), []))')
    result = subprocess.run([sys.executable, '-c', script, str(ROOT / 'tools'), str(probe)],
                            text=True, capture_output=True, timeout=60)
    found = [name for told in tmp_path.glob('*.txt') for name in told.read_text().split()]
    assert result.returncode == 1, result
    assert sorted(found) == sorted(path.parent.name for path in ROOT.glob('src/*/package.xml'))


def test_what_a_signal_ended_is_tested_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As what failed is; a package that failed was tried twice already."""
    log = tmp_path / 'test_3' / 'latest_test' / 'events.log'
    log.parent.mkdir(parents=True)
    log.write_text(''.join(f"[1.5] ({name}) JobEnded: {{'identifier': '{name}', 'rc': {code}}}\n"
                           for name, code in (('one', -11), ('two', 0), ('three', 1))))
    monkeypatch.setattr(build, 'LOG', tmp_path)
    assert build._crashed(3) == ['one']
