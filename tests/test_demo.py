# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ws demo`: what it measures, what it writes, and that it leaves nothing running."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
import signal
import subprocess
import sys

from apprentice_dataset.reader import Dataset
import pytest
from robot_harness import MARK
from robot_harness import marked_processes
from robot_harness import wait

WORKSPACE = Path(__file__).resolve().parents[1] / 'tools' / 'workspace'
sys.path.insert(0, str(WORKSPACE))

from demonstration.episodes import episodes_of  # noqa: E402,I100
from demonstration.measures import interventions_of  # noqa: E402
from demonstration.measures import lag_between  # noqa: E402
from demonstration.measures import rate_of  # noqa: E402
from demonstration.recorder import free_folder  # noqa: E402
from demonstration.records import Arrival  # noqa: E402
from demonstration.records import GuardSample  # noqa: E402
from demonstration.records import JointStream  # noqa: E402
from demonstration.records import Stream  # noqa: E402
from demonstration.records import WorldSample  # noqa: E402

MS = 1_000_000


def arrivals(stamps_ms: list[int], numbers: list[int] | None = None) -> list[Arrival]:
    """Return arrivals with these stamps."""
    return [Arrival(stamp * MS, stamp * MS, stamp * MS, number)
            for stamp, number in zip(stamps_ms, numbers or range(len(stamps_ms)))]


def sine(delay_ms: int, offset: float = 0.0) -> JointStream:
    """Return a joint that swings at 0.5 Hz, measured at 200 Hz."""
    stamps = list(range(0, 5000, 5))
    stream = JointStream('x', arrivals(stamps), ('pan', 'gripper'))
    stream.positions = [
        (math.sin(math.pi * 1e-3 * (stamp - delay_ms)) + offset, 0.0) for stamp in stamps]
    return stream


def test_a_rate_counts_what_never_came() -> None:
    """Gaps in the sequence numbers are losses, whatever the stamps say."""
    rate = rate_of(Stream('x', arrivals([0, 10, 20, 40], [5, 6, 7, 9])))
    assert rate.lost == 1
    assert rate.mean_hz == pytest.approx(75.0)
    assert rate.period_ms.median == 10.0


def test_a_lag_is_found_though_the_arm_sags() -> None:
    """A constant offset between two curves is no delay."""
    assert lag_between(sine(0), sine(65, offset=0.03)) == pytest.approx(65.0, abs=2.5)
    assert lag_between(sine(0), sine(0)) == 0.0


def test_an_arm_at_rest_has_no_lag() -> None:
    """Nothing is invented where nothing moves."""
    still = JointStream('x', arrivals([0, 5]), ('pan',))
    still.positions = [(0.0,), (0.0,)]
    assert math.isnan(lag_between(still, still))


def test_interventions_are_those_since_the_start() -> None:
    """Counters run since the driver was configured."""
    def guard(**counters: int) -> GuardSample:
        return GuardSample(0, 1, '', '', counters)
    assert interventions_of([guard(ramp=2, estop=1), guard(ramp=3, estop=1, stale=0)]) \
        == {'ramp': 1}
    assert interventions_of([]) == {}


def test_episodes_lie_between_resets() -> None:
    """Each reset brings another seed; the last state before it counts."""
    world = [WorldSample(0, 4, False), WorldSample(1, 4, True), WorldSample(2, 5, False)]
    assert [(e.seed, e.cube_in_bin) for e in episodes_of(world)] == [(4, True), (5, False)]


def start_demo(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the demo, marked so that its processes can be found."""
    environment = {**os.environ, MARK: str(folder)}
    environment.pop('ROS_DOMAIN_ID', None)
    with (folder / 'output').open('wb') as output:
        return subprocess.Popen(
            [sys.executable, str(WORKSPACE / 'demo.py'), '--no-learn', '--out',
             str(folder / 'demo'), *arguments], stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True)


def assert_nothing_left(folder: Path) -> None:
    """Fail if a process of this demo lives."""
    mark = f'{MARK}={folder}'
    assert wait(lambda: not marked_processes(mark), 5.0), marked_processes(mark)


def assert_recorded(folder: Path, output: str) -> None:
    """Fail unless the episode is a dataset, checked, told and drawn."""
    assert f'Dataset {folder}/dataset: 1 episodes' in output
    assert 'valid: every row and every picture was read' in output
    dataset = Dataset.open(folder / 'dataset')
    assert dataset.repaired == []
    assert list(dataset.tasks) == ['put the cube into the bin']
    rows = dataset.rows(0).to_pydict()
    assert len(rows['action']) > 200
    lift = [action[1] for action in rows['action']]
    assert max(lift) - min(lift) > 45.0, 'degrees that the shoulder moves to the cube and back'
    assert (folder / 'dataset.png').read_bytes().startswith(b'\x89PNG')


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """A dataset of an earlier demo is never touched."""
    assert free_folder(tmp_path / 'data') == tmp_path / 'data'
    for name in ('data', 'data-2'):
        (tmp_path / name).mkdir()
    assert free_folder(tmp_path / 'data') == tmp_path / 'data-3'


@pytest.mark.timeout(150)
def test_one_episode_ends_with_a_report_and_a_picture(tmp_path: Path) -> None:
    """The cube is in the bin, every stream was measured, no frame was lost."""
    demo = start_demo(tmp_path, '--episodes', '1')
    try:
        code = demo.wait(120)
    finally:
        demo.kill()
    output = (tmp_path / 'output').read_text()
    assert code == 0, output
    assert 'What next' in output
    report = json.loads((tmp_path / 'demo' / 'report.json').read_text())
    assert [episode['cube_in_bin'] for episode in report['episodes']] == [True]
    for camera in ('front', 'wrist'):
        rate = report['rates'][f'{camera}/image_raw/compressed']
        assert rate['lost'] == 0
        assert rate['mean_hz'] > 2.0
    assert report['rates']['follower/joint_commands']['mean_hz'] > 20.0
    assert 0.0 < report['lags_ms']['goals behind the leader'] < 150.0
    picture = (tmp_path / 'demo' / 'report.png').read_bytes()
    assert picture.startswith(b'\x89PNG')
    assert len(picture) > 100_000
    assert_recorded(tmp_path / 'demo', output)
    assert_nothing_left(tmp_path)


@pytest.mark.timeout(90)
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_demo_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and even a kill end the robot that it started."""
    demo = start_demo(tmp_path)
    try:
        output = tmp_path / 'output'
        wait(lambda: demo.poll() is not None or 'moves the leader' in output.read_text(), 60.0)
        assert 'moves the leader' in output.read_text(), output.read_text()
        demo.send_signal(number)
        code = demo.wait(20)
    finally:
        demo.kill()
    assert code == (130 if number is signal.SIGINT else -signal.SIGKILL)
    mark = f'{MARK}={tmp_path}'
    assert wait(lambda: not marked_processes(mark), 15.0), marked_processes(mark)
    assert 'torque is off' in (tmp_path / 'demo' / 'launch.log').read_text()


def test_a_demo_of_no_episodes_is_refused(tmp_path: Path) -> None:
    """The option is named with what it takes."""
    result = subprocess.run(
        [sys.executable, str(WORKSPACE / 'demo.py'), '--episodes', '0'], capture_output=True,
        text=True, timeout=30)
    assert result.returncode == 2
    assert '--episodes: found 0, expected at least 1' in result.stderr
