# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""However `ros2 launch` ends, it leaves no process behind and loses no output."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import time

import pytest

PYTHON = Path(__file__).parent.parent / 'tools' / 'pip_ros' / 'python'
LIMIT_S = 20.0
# Before all else, but a distribution's own packages must be found too.
PATH = os.pathsep.join(filter(None, (str(PYTHON), os.environ.get('PYTHONPATH'))))
HEADER = """
from launch import LaunchDescription
from launch.actions import *
from launch.conditions import *
from launch.event_handlers import *
from launch.substitutions import *

def generate_launch_description():
    return LaunchDescription([
"""
STAYS = "ExecuteProcess(cmd=['sleep', {mark!r}]),"
# Ignores SIGINT and SIGTERM: only SIGKILL ends it.
STUBBORN = ("ExecuteProcess(cmd=['sh', '-c', 'trap : INT TERM; echo set; while :; do sleep "
            "{mark}; done'], output='screen', sigterm_timeout='0.3', sigkill_timeout='0.3'),")
GRANDCHILD = ("ExecuteProcess(cmd=['sh', '-c', 'sleep {mark} & echo forked'], output='screen'),")

pytestmark = pytest.mark.timeout(60)


class Launch:
    """A running `ros2 launch` and the processes that carry its mark."""

    def __init__(self, folder: Path, actions: str) -> None:
        # A duration that no other process sleeps for marks all that this launch starts.
        self.mark = f'{random.randrange(10**6, 10**7)}'
        file = folder / 'test.launch.py'
        file.write_text(HEADER + actions.format(mark=self.mark) + '\n])\n')
        environment = {**os.environ, 'PYTHONPATH': PATH, 'ROS_LOG_DIR': str(folder / 'log')}
        self.output = folder / 'output'
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'ros2cli_lite', 'launch', str(file)], env=environment,
            stdin=subprocess.DEVNULL, stdout=self.output.open('w'), stderr=subprocess.STDOUT,
            start_new_session=True)

    def text(self) -> str:
        """Return what was printed so far."""
        return self.output.read_text()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline, f'{self.text()}\nleft: {self.left()}'
            time.sleep(0.01)

    def left(self) -> dict[int, str]:
        """Return what runs of the session of this launch, by process id."""
        found = {}
        for entry in Path('/proc').glob('[0-9]*'):
            try:
                line = (entry / 'cmdline').read_bytes().replace(b'\0', b' ').decode()
                session = os.getsid(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
            if (session == self.process.pid or self.mark in line) and line:
                found[int(entry.name)] = line
        return found

    def count_marked(self) -> int:
        """Return how many processes with the mark run."""
        return sum(self.mark in line for line in self.left().values())

    def end(self) -> None:
        """Kill what is left."""
        for pid in (*self.left(), self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[[str], Launch]]:
    """Start launches that end with the test."""
    started = []

    def start(actions: str) -> Launch:
        started.append(Launch(tmp_path, actions))
        return started[-1]
    yield start
    for each in started:
        each.end()


@pytest.mark.parametrize('number', [
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_ends_everything_after_a_signal(launch: Callable[[str], Launch],
                                        number: signal.Signals) -> None:
    """One signal to the launch process alone ends all children, stubborn ones too."""
    running = launch(STAYS + STUBBORN)
    running.wait_for(lambda: running.count_marked() == 3 and '[sh-2] set' in running.text())
    running.process.send_signal(number)
    assert running.process.wait(LIMIT_S) == 0
    assert not running.left()
    assert "escalating to 'SIGKILL'" in running.text()


def test_terminal_reaches_launch_alone(launch: Callable[[str], Launch]) -> None:
    """Ctrl-C, which goes to the whole group, gives each child one SIGINT, by way of launch."""
    running = launch(
        "ExecuteProcess(cmd=['python3', '-c', 'import os, signal, time; "
        'signal.signal(2, lambda *_: os.write(1, b"caught\\\\n")); os.write(1, b"set\\\\n"); '
        "time.sleep({mark})'], name='child', output='screen', sigterm_timeout='1'),")
    running.wait_for(lambda: '[child-1] set' in running.text())
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.process.wait(LIMIT_S) == 0
    assert running.text().count('[child-1] caught') == 1


@pytest.mark.parametrize('actions', [STAYS * 3, STAYS + GRANDCHILD])
def test_kill_of_launch_ends_children(launch: Callable[[str], Launch], actions: str) -> None:
    """SIGKILL of the launch process ends its children and what these started."""
    running = launch(actions)
    running.wait_for(lambda: running.count_marked() == actions.count('sleep'))
    running.process.kill()
    running.wait_for(lambda: not running.left())


def test_kill_at_any_time(launch: Callable[[str], Launch]) -> None:
    """SIGKILL at a random moment of the start leaves nothing."""
    for _ in range(10):
        running = launch(STAYS * 20)
        running.wait_for(lambda: 'verbosity' in running.text())
        time.sleep(random.uniform(0.0, 0.1))
        running.process.kill()
        running.wait_for(lambda: not running.left())


def test_grandchildren_end_with_the_launch(launch: Callable[[str], Launch]) -> None:
    """A launch that ends by itself takes along what its children left behind, and says so."""
    running = launch(GRANDCHILD)
    assert running.process.wait(LIMIT_S) == 0
    assert 'SIGINT to what is left of the launch' in running.text()
    assert not running.left()


def test_a_grandchild_with_open_pipes_does_not_hide_the_end(
        launch: Callable[[str], Launch]) -> None:
    """A child's end is noticed though a grandchild keeps its output open."""
    running = launch(GRANDCHILD + STAYS)
    running.wait_for(lambda: 'process has finished cleanly' in running.text())
    assert 'forked' in running.text()


def test_no_output_is_lost(launch: Callable[[str], Launch]) -> None:
    """All lines that a child prints before it ends are shown, the unfinished last one too."""
    running = launch(
        "ExecuteProcess(cmd=['sh', '-c', 'seq 100000; printf {mark}'], output='screen'),")
    assert running.process.wait(LIMIT_S) == 0
    lines = [line.removeprefix('[sh-1] ') for line in running.text().splitlines()
             if line.startswith('[sh-1] ')]
    assert lines == [*map(str, range(1, 100001)), running.mark]


def test_python_children_print_at_once(launch: Callable[[str], Launch]) -> None:
    """What a Python child prints appears while it runs, not when it ends."""
    running = launch("ExecuteProcess(cmd=['python3', '-c', 'import time; print(1234567); "
                     "time.sleep({mark})'], output='screen'),")
    running.wait_for(lambda: '] 1234567' in running.text())


def test_stops_and_continues_as_one(launch: Callable[[str], Launch]) -> None:
    """Ctrl-Z stops the children too, and fg continues them."""
    running = launch(STAYS)
    running.wait_for(lambda: running.count_marked() == 1)
    child = next(pid for pid, line in running.left().items() if line.startswith('sleep'))

    def state(pid: int) -> str:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]

    running.process.send_signal(signal.SIGTSTP)
    running.wait_for(lambda: state(child) == state(running.process.pid) == 'T')
    running.process.send_signal(signal.SIGCONT)
    running.wait_for(lambda: 'T' not in (state(child), state(running.process.pid)))
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(LIMIT_S) == 0


def test_goes_on_without_a_reader(tmp_path: Path) -> None:
    """A closed standard output does not end the launch, nor break its shutdown."""
    file = tmp_path / 'test.launch.py'
    file.write_text(HEADER + "ExecuteProcess(cmd=['sh', '-c', 'while :; do echo x; sleep 0.01; "
                    "done'], output='screen')])")
    process = subprocess.Popen(
        [sys.executable, '-m', 'ros2cli_lite', 'launch', str(file)], stdout=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': PATH, 'ROS_LOG_DIR': str(tmp_path)})
    process.stdout.readline()
    process.stdout.close()
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) == 0


def test_temporary_files_are_removed(tmp_path: Path) -> None:
    """Parameter files that launch wrote are gone when it ends."""
    (tmp_path / 'tmp').mkdir()
    script = (
        'import sys; from launch import *; from launch.actions import *; '
        'from launch_ros.actions import Node; '
        "from launch_ros import substitutions; node = Node(package='p', executable='e', "
        "parameters=[{'a': 1}]); "
        "substitutions.ExecutableInPackage.perform = lambda self, context: '/bin/true'; "
        'service = LaunchService(); '
        'service.include_launch_description(LaunchDescription([node])); sys.exit(service.run())')
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, timeout=LIMIT_S,
        env={**os.environ, 'PYTHONPATH': PATH, 'TMPDIR': str(tmp_path / 'tmp')})
    assert done.returncode == 0, done.stderr
    assert 'finished cleanly' in done.stdout
    assert not list((tmp_path / 'tmp').iterdir())


@pytest.mark.parametrize(('code', 'message'), [
    ('from launch.actions import ForEach',
     "'ForEach' is not in this workspace's stand-in for launch.actions"),
    ("from launch.actions import ExecuteProcess; ExecuteProcess(cmd=['x'], respawn=True)",
     "ExecuteProcess: this workspace's stand-in does not know the argument 'respawn'"),
])
def test_what_the_stand_in_lacks_is_said(code: str, message: str) -> None:
    """Names and arguments that the stand-in lacks are refused, and the error says why."""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': PATH})
    assert done.returncode == 1
    assert message in done.stderr
