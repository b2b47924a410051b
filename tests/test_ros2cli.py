# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Compare the stand-in for the `ros2` command line with what upstream printed."""
from __future__ import annotations

from argparse import ArgumentParser
from argparse import Namespace
from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import replace
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import tempfile
import time

import domain_coordinator
import pytest
from ros2_commands.runner import Case
from ros2_commands.runner import fixture_graph
from ros2_commands.runner import HERE
from ros2_commands.runner import load_cases
from ros2_commands.runner import masked
from ros2_commands.runner import Outcome
from ros2_commands.runner import run

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('test_msgs', reason='needs test_msgs, whose action the fixture serves')

TOOLS = Path(__file__).resolve().parents[1] / 'tools' / 'pip_ros'
sys.path.append(str(TOOLS / 'python'))

from ros2cli_lite import topic_echo  # noqa: E402,I100  (the path must come first)
from ros2cli_lite.graph import open_node  # noqa: E402
from ros2cli_lite.graph import wait_until  # noqa: E402

ROS2 = (sys.executable, '-m', 'ros2cli_lite')
TMP = Path(tempfile.mkdtemp(prefix='ros2cli_'))
GROUPS = load_cases(TMP)
CASES = {case.name: case for cases in GROUPS.values() for case in cases}
GOLDEN = json.loads((HERE / 'golden.json').read_text())
# The cases of these groups build on each other; the others run side by side.
IN_ORDER = ('writing', 'lifecycle')
# Groups that do not disturb each other share a graph; only one of them needs messages.
GRAPHS = {'graph': 'graph', 'messages': 'messages', 'publish': 'calls', 'services': 'calls',
          'actions': 'calls', 'parameters': 'parameters', 'hearing': 'parameters',
          'writing': 'changes', 'lifecycle': 'changes', 'offline': 'parameters'}
WORKERS = 10
ECHOES = 10


def _environment(domain: int) -> dict[str, str]:
    paths = [path for path in (os.environ.get('PYTHONPATH'), str(TOOLS / 'python')) if path]
    return dict(
        os.environ, ROS_DOMAIN_ID=str(domain), PYTHONPATH=os.pathsep.join(paths),
        FASTRTPS_DEFAULT_PROFILES_FILE=str(TOOLS / 'fastdds.xml'))


@pytest.fixture(scope='module')
def graphs() -> Iterator[dict[str, dict[str, str]]]:
    """Run the fixture graphs, each in a domain of its own; yield each group's environment."""
    with ExitStack() as stack:
        environments = {}
        for graph in sorted(set(GRAPHS.values())):
            domain = stack.enter_context(domain_coordinator.domain_id())
            environments[graph] = _environment(domain)
            stack.enter_context(fixture_graph(environments[graph], silent=graph != 'messages'))
        yield {group: environments[graph] for group, graph in GRAPHS.items()}


@pytest.fixture(scope='module')
def outcomes(request: pytest.FixtureRequest,
             graphs: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, Future]]:
    """Start every selected case at once; yield what will come of them."""
    selected = {item.callspec.params['name'] for item in request.session.items
                if 'name' in getattr(getattr(item, 'callspec', None), 'params', {})}
    futures: dict[str, Future] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for group in sorted(GROUPS, key=lambda group: group not in IN_ORDER):
            cases = [case for case in GROUPS[group] if case.name in selected]
            if group in IN_ORDER and cases:
                futures.update(_start_chain(pool, GROUPS[group], graphs[group]))
            else:
                futures.update({case.name: pool.submit(_run, case, graphs[group])
                                for case in cases})
        yield futures


def _run(case: Case, environment: Mapping[str, str]) -> Outcome:
    # Where ours ends by itself, only upstream has to be stopped.
    return run(replace(case, interrupt_s=None) if 'rc' in case.ours else case, ROS2, environment)


def _start_chain(pool: ThreadPoolExecutor, cases: list[Case],
                 environment: Mapping[str, str]) -> dict[str, Future]:
    futures = {case.name: Future() for case in cases}

    def work() -> None:
        for case in cases:
            try:
                futures[case.name].set_result(_run(case, environment))
            except (OSError, subprocess.SubprocessError) as error:
                futures[case.name].set_exception(error)

    pool.submit(work)
    return futures


@pytest.mark.timeout(90)
@pytest.mark.parametrize('name', CASES)
def test_command_behaves_like_upstream(name: str, outcomes: Mapping[str, Future]) -> None:
    """Exit code and output are upstream's, or what the case says is better."""
    case, outcome = CASES[name], outcomes[name].result()
    shown = masked(case, outcome.stdout, TMP)
    detail = f'stdout:\n{outcome.stdout}\nstderr:\n{outcome.stderr}'
    assert 'Traceback' not in outcome.stderr, detail
    assert outcome.rc == case.ours.get('rc', GOLDEN[name]['rc']), detail
    if 'stdout' in case.ours:
        assert re.search(case.ours['stdout'], shown), detail
    elif 'same_as' in case.ours or not case.ours:
        assert shown == GOLDEN[case.ours.get('same_as', name)]['stdout'], detail
    _check_stderr(case, outcome, detail)


def _check_stderr(case: Case, outcome: Outcome, detail: str) -> None:
    if 'stderr' in case.ours:
        assert re.search(case.ours['stderr'], outcome.stderr), detail
    if outcome.rc == 1:
        assert re.fullmatch(r'\S.{10,}\n', outcome.stderr), f'not one line: {detail}'
    elif not case.ours:
        assert outcome.stderr == '', detail


def test_every_case_has_a_recording() -> None:
    """Nothing is compared with nothing."""
    assert sorted(GOLDEN) == sorted(CASES)


def _cli(environment: Mapping[str, str], *argv: str) -> Outcome:
    return run(Case('', argv, None, 0, '', (), {}), ROS2, environment)


@pytest.mark.timeout(30)
def test_published_values_arrive(graphs: Mapping[str, Mapping[str, str]]) -> None:
    """A message from `topic pub` reaches a subscriber with the values given."""
    values = '{joint_names: [told], points: [{positions: [0.5], time_from_start: {nanosec: 7}}]}'
    sent = _cli(graphs['hearing'], 'topic', 'pub', '--once', '/arm/command',
                'trajectory_msgs/msg/JointTrajectory', values)
    assert sent.rc == 0, sent
    heard = _cli(graphs['hearing'], 'topic', 'echo', '--once', '--full-length', '/arm/heard')
    assert "joint_names=['told']" in heard.stdout, heard
    assert 'positions=[0.5]' in heard.stdout and 'nanosec=7' in heard.stdout, heard


@pytest.mark.timeout(30)
def test_stamp_now_is_the_time(graphs: Mapping[str, Mapping[str, str]]) -> None:
    """The value `now` of a stamp becomes the time of publication."""
    sent = _cli(graphs['publish'], 'topic', 'pub', '--once', '-w', '0', '/stamped',
                'geometry_msgs/msg/PointStamped', '{header: {stamp: now}}')
    stamp = re.search(r'sec=(\d+)', sent.stdout)
    assert stamp and abs(int(stamp[1]) - time.time()) < 20, sent


@pytest.mark.timeout(120)
@pytest.mark.parametrize(('case', 'rate', 'low', 'high'), [
    ('messages/hz', r'average rate: ([\d.]+)', 15, 25),
    ('messages/bw', r'([\d.]+) KB/s', 1.5, 3.5)])
def test_rates_are_measured(case: str, rate: str, low: float, high: float,
                            outcomes: Mapping[str, Future],
                            graphs: Mapping[str, Mapping[str, str]]) -> None:
    """The 20 Hz of the fixture are found by `topic hz`, and its 2.3 kB/s by `topic bw`."""
    # Beside ten commands that start, the fixture itself falls short of 20 Hz: measure alone.
    # A machine busy with something else gets three tries; a wrong measurement fails them all.
    wait(outcomes.values())
    seen = []
    for _ in range(3):
        found = re.findall(rate, _run(CASES[case], graphs['messages']).stdout)
        if found and all(low < float(value) < high for value in found):
            return
        seen.append(found)
    pytest.fail(f'outside {low} to {high} each time: {seen}')


def _package(prefix: Path, script: str) -> None:
    program = prefix / 'lib' / 'some_package' / 'some_program'
    program.parent.mkdir(parents=True)
    program.write_text(f'#!{sys.executable}\n{script}')
    program.chmod(0o755)
    (program.parent / 'notes.txt').write_text('not a program')
    marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / 'some_package'
    marker.parent.mkdir(parents=True)
    marker.touch()


@pytest.fixture
def prefixed(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a package `some_package` whose program shows its arguments."""
    _package(tmp_path, 'import json, os, signal, sys, time\n'
             'print(json.dumps(sys.argv[1:]), flush=True)\n'
             'signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n'
             'if "wait" in sys.argv: time.sleep(20)\n'
             'sys.exit(3)\n')
    paths = f'{tmp_path}{os.pathsep}{os.environ["AMENT_PREFIX_PATH"]}'
    return dict(_environment(0), AMENT_PREFIX_PATH=paths)


@pytest.mark.timeout(30)
def test_run_passes_arguments_and_exit_code(prefixed: dict[str, str]) -> None:
    """`ros2 run` hands on every argument, options too, and returns the program's exit code."""
    argv = ['--ros-args', '-p', 'a:=1', '--prefix', '-h', '--', 'x y']
    outcome = _cli(prefixed, 'run', 'some_package', 'some_program', *argv)
    assert (outcome.rc, json.loads(outcome.stdout)) == (3, argv), outcome


@pytest.mark.timeout(30)
def test_run_puts_the_prefix_first(prefixed: dict[str, str]) -> None:
    """`ros2 run --prefix` runs the prefix command with the program as its argument."""
    outcome = _cli(prefixed, 'run', '--prefix', 'echo "a b"', 'some_package', 'some_program', 'x')
    assert outcome.stdout.startswith('a b /') and outcome.stdout.endswith('some_program x\n')


@pytest.mark.timeout(30)
def test_run_names_the_near_executable(prefixed: dict[str, str]) -> None:
    """A misspelt executable is an error that offers the right one."""
    outcome = _cli(prefixed, 'run', 'some_package', 'some_progam')
    assert outcome.rc == 1 and 'did you mean some_program?' in outcome.stderr, outcome


@pytest.mark.timeout(30)
def test_pkg_lists_executables(prefixed: dict[str, str]) -> None:
    """`ros2 pkg executables` shows programs and leaves other files out."""
    outcome = _cli(prefixed, 'pkg', 'executables', 'some_package')
    assert outcome.stdout == 'some_package some_program\n', outcome


@pytest.mark.timeout(30)
def test_run_hands_signals_to_the_program(prefixed: dict[str, str]) -> None:
    """A signal to `ros2 run` reaches the program itself, which nothing outlives."""
    process = subprocess.Popen([*ROS2, 'run', 'some_package', 'some_program', 'wait'],
                               env=prefixed, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == '["wait"]\n'
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 7
    process.stdout.close()


# In a process of its own: within one, writer and reader know each other at once.
TELLER = """
import sys
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node('teller')
latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
sys.stdin.readline()
for name in sys.argv[1:]:
    node.create_publisher(String, name, latched).publish(String(data=f'{name} told'))
sys.stdin.readline()
"""


@pytest.mark.timeout(90)
def test_a_latched_message_is_echoed_whoever_came_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    """An echo that saw no publisher at first asks anew, for what was said, once it sees one."""
    names = [f'/latched_{number}' for number in range(ECHOES)]
    with domain_coordinator.domain_id() as domain, ExitStack() as stack:
        for name, value in _environment(domain).items():
            monkeypatch.setenv(name, value)
        teller = stack.enter_context(subprocess.Popen(
            [sys.executable, '-c', TELLER, *names], stdin=subprocess.PIPE, text=True))
        stack.callback(teller.kill)
        node = stack.enter_context(open_node(Namespace()))
        pool = stack.enter_context(ThreadPoolExecutor(ECHOES))
        before = [pool.submit(_echo, name) for name in names]
        assert wait_until(
            lambda: all(node.count_subscribers(name) for name in names), 30.0)
        teller.stdin.write('\n')
        teller.stdin.flush()
        _assert_told(before, names, capsys)
        _assert_told([pool.submit(_echo, name) for name in names], names, capsys)
        # As where discovery takes longer than the first look.
        monkeypatch.setattr(topic_echo, 'PUBLISHER_S', 0.0)
        _assert_told([pool.submit(_echo, name) for name in names], names, capsys)


def _assert_told(
    echoes: list[Future], names: list[str], capsys: pytest.CaptureFixture[str],
) -> None:
    for echo in echoes:
        echo.result(60.0)
    heard = [line for line in capsys.readouterr().out.splitlines() if 'data' in line]
    assert sorted(heard) == sorted(f'data: {name} told' for name in names)


def _echo(name: str) -> None:
    parser = ArgumentParser()
    topic_echo.add_arguments(parser)
    topic_echo.run(parser.parse_args(
        [name, 'std_msgs/msg/String', '--once', '--timeout', '30']))


@pytest.mark.timeout(30)
def test_reader_may_leave(graphs: Mapping[str, Mapping[str, str]]) -> None:
    """A pipe that its reader closed ends the command without a word."""
    process = subprocess.Popen([*ROS2, 'topic', 'echo', '/arm/joint_states'],
                               env=graphs['messages'], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'header:\n'
    process.stdout.close()
    assert (process.wait(10), process.stderr.read()) == (0, '')
    process.stderr.close()
