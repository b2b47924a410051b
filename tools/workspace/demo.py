# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
`./ws demo`: an SO-100 in simulation does pick-and-place episodes, which become a dataset.

Then a policy learns the task from demonstrations and is tried.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
import json
import os
from pathlib import Path
import signal
import sys
import threading
import time
from types import FrameType
from typing import NamedTuple

from ament_index_python.packages import get_package_prefix
from demonstration.episodes import episodes_of
from demonstration.episodes import Progress
from demonstration.learning import learn
from demonstration.learning import LearningError
from demonstration.monitor import Monitor
from demonstration.processes import Program
from demonstration.recorder import free_folder
from demonstration.recorder import RecorderClient
from demonstration.recorder import RecorderError
from demonstration.report import Episode
from demonstration.report import make_report
from demonstration.report import Report
from demonstration.report import to_text
import rclpy

CAMERAS = ('front', 'wrist')
POLL_PERIOD_S = 0.05
BRING_UP_TIMEOUT_S = 60.0
EPISODE_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 15.0
TASK = 'put the cube into the bin'
NEXT = """
What next
  ./ws shell                                             a shell in which the following work
  ros2 launch so100_bringup teleop.launch.py view:=true  the same robot, with a viewer
  ros2 run apprentice_sim demonstrator --ros-args -p arm:=so100   someone to move its leader
  ros2 launch so100_bringup record.launch.py dataset:=data/cubes task:="put the cube into the bin"
  ros2 run apprentice_recorder console                   its keyboard: start, save, record again
  config/so100/hardware.yaml                             ports of your own arms go here"""


_interrupted = threading.Event()


class DemoError(RuntimeError):
    """The demo cannot go on; the text says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0 if every cube ended in the bin, 1 if not, 130 after Ctrl-C."""
    options = _parse(arguments)
    # SIGINT too: a shell starts background jobs with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with _own_domain() as domain:
            report = run_demo(options.episodes, options.seed, options.out, domain)
        if options.learn:
            learn(options.out)
    except (DemoError, LearningError) as error:
        print(f'\ndemo: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\ndemo: interrupted; everything that it started has ended', file=sys.stderr)
        return 130
    print(NEXT)
    return 0 if report.cubes == options.episodes else 1


def run_demo(episodes: int, seed: int, out: Path, domain: str) -> Report:
    """Bring the robot up, let the demonstrator work, measure, write the report."""
    out.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, 'ROS_DOMAIN_ID': domain, 'PYTHONUNBUFFERED': '1'}
    begin = time.monotonic()
    print(f'-- Starting so100_bringup in simulation (its output: {out / "launch.log"})')
    dataset = free_folder(out / 'dataset')
    launch = Program(
        # Another seed than the first episode's: its placement shows that the world was reset.
        ['ros2', 'launch', 'so100_bringup', 'record.launch.py', 'hardware:=sim',
         f'seed:={seed + episodes}', f'dataset:={dataset}', 'preflight:=false'],
        out / 'launch.log', environment)
    rclpy.init(args=[], domain_id=int(domain))
    try:
        node = rclpy.create_node('demo', enable_rosout=False, start_parameter_services=False)
        monitor = Monitor(node, CAMERAS)
        recorder = RecorderClient(node)
        stage = _Stage(monitor, recorder, launch)
        bring_up_s = _await_robot(stage, begin)
        _await_recorder(stage)
        recorded = _perform(stage, range(seed, seed + episodes), out, environment)
        node.destroy_node()
    finally:
        print('-- Shutting the robot down')
        launch.stop()
        rclpy.try_shutdown()
    report = make_report(monitor.recording, recorded, bring_up_s)
    _write(monitor, report, out)
    _write_dataset(dataset, out)
    return report


class _Stage(NamedTuple):
    monitor: Monitor
    recorder: RecorderClient
    launch: Program

    def poll(self) -> None:
        self.monitor.poll()
        self.recorder.poll()


def _await_robot(stage: _Stage, begin: float) -> float:
    monitor = stage.monitor
    progress = Progress()
    follower_s = 0.0

    def ready() -> bool:
        nonlocal follower_s
        silent = monitor.silent()
        if not follower_s and monitor.recording.follower.topic not in silent:
            follower_s = time.monotonic() - begin
        progress.show(f'{time.monotonic() - begin:4.0f} s  waiting for {", ".join(silent)}')
        return not silent

    _poll_until(ready, stage, BRING_UP_TIMEOUT_S, lambda: (
        f'nothing came on {", ".join(monitor.silent())} within {BRING_UP_TIMEOUT_S:.0f} s'))
    progress.end(f'   up after {time.monotonic() - begin:.1f} s, '
                 f'first follower state after {follower_s:.1f} s')
    return follower_s


def _await_recorder(stage: _Stage) -> None:
    """Wait until the recorder's checks pass; a machine too slow for them shows the rest."""
    recorder, progress = stage.recorder, Progress()
    patience = time.monotonic() + READY_TIMEOUT_S

    def ready() -> bool:
        status = recorder.status
        progress.show('waiting for the recorder')
        return status is not None and (not status.blocks or time.monotonic() > patience)

    _poll_until(ready, stage, BRING_UP_TIMEOUT_S, lambda: 'the recorder did not start')
    progress.end('   the recorder is ready')
    for block in recorder.status.blocks:
        print(f'   but: {block}')


def _perform(
    stage: _Stage, seeds: range, out: Path, environment: dict[str, str],
) -> list[Episode]:
    """Let the demonstrator do one episode after the other while the recorder records."""
    print(f'-- The demonstrator moves the leader: {len(seeds)} episodes')
    stage.monitor.restart()
    progress = Progress()
    begin = time.monotonic()
    for seed in seeds:
        # Not through `ros2 run`, which would not pass a signal on.
        demonstrator = Program(
            [f'{get_package_prefix("apprentice_sim")}/lib/apprentice_sim/demonstrator',
             '--ros-args', '-p', 'arm:=so100', '-p', 'episodes:=1', '-p', f'seed:={seed}'],
            out / 'demonstrator.log', environment)
        try:
            _demonstrate(stage, demonstrator, seed, lambda: progress.show_episodes(
                stage.monitor.recording, seeds, time.monotonic() - begin))
        except RecorderError as error:
            raise DemoError(f'the recorder: {error}') from None
        finally:
            demonstrator.stop()
    progress.end(f'   done in {time.monotonic() - begin:.0f} s')
    return [episode for episode in episodes_of(stage.monitor.recording.world)
            if episode.seed in seeds]


def _demonstrate(
    stage: _Stage, demonstrator: Program, seed: int, show: Callable[[], None],
) -> None:
    """Record from the reset of the world to the end of the demonstration."""
    world = stage.monitor.recording.world

    def until(done: Callable[[], bool]) -> None:
        def looked() -> bool:
            show()
            return done() or demonstrator.exit_code is not None
        _poll_until(looked, stage, EPISODE_TIMEOUT_S, lambda: (
            f'the demonstrator did not finish; the end of {demonstrator.log}:\n'
            f'{demonstrator.tail(10)}'))

    until(lambda: bool(world) and world[-1].seed == seed)
    if not world or world[-1].seed != seed:
        raise DemoError(f'no episode took place; the end of {demonstrator.log}:\n'
                        f'{demonstrator.tail(15)}')
    stage.recorder.start(TASK)
    until(lambda: False)
    stage.recorder.save(world[-1].cube_in_bin)


def _poll_until(
    done: Callable[[], bool], stage: _Stage, timeout_s: float, what_failed: Callable[[], str],
) -> None:
    launch = stage.launch
    deadline = time.monotonic() + timeout_s
    while True:
        # Raised where Python ignores exceptions, in a destructor for one, it came to nothing.
        if _interrupted.is_set():
            raise KeyboardInterrupt
        stage.poll()
        if done():
            return
        if launch.exit_code is not None:
            raise DemoError(f'the robot ended by itself (exit code {launch.exit_code}); the end '
                            f'of {launch.log}:\n{launch.tail()}')
        if time.monotonic() > deadline:
            raise DemoError(f"{what_failed()}\nThe robot's output is in {launch.log}")
        time.sleep(POLL_PERIOD_S)


def _write(monitor: Monitor, report: Report, out: Path) -> None:
    print()
    print(to_text(report))
    (out / 'report.json').write_text(json.dumps(report.to_json(), indent=2) + '\n')
    # Slow to import, and needed only now.
    from demonstration.picture import draw
    draw(monitor.recording, report, out / 'report.png')
    print(f'\nPicture: {out / "report.png"}   numbers: {out / "report.json"}')


def _write_dataset(folder: Path, out: Path) -> None:
    """Check the dataset, tell its episodes and draw what is in it."""
    # Slow to import, and needed only now.
    from apprentice_dataset.reader import Dataset
    from apprentice_dataset.validate import validate
    from apprentice_recorder.report import to_text as episode_text
    from demonstration.dataset_picture import draw
    dataset = Dataset.open(folder)
    print(f'\nDataset {folder}: {dataset.info.total_episodes} episodes, {len(dataset)} rows')
    for index in range(len(dataset.episodes)):
        print('\n'.join(f'  {line}' for line in episode_text(dataset, index)))
    problems = validate(folder, deep=True)
    for problem in problems:
        print(f'  PROBLEM {problem}')
    if problems:
        raise DemoError(f'the dataset {folder} has {len(problems)} problems')
    draw(dataset, out / 'dataset.png')
    print(f'  valid: every row and every picture was read\nPicture: {out / "dataset.png"}')


@contextmanager
def _own_domain() -> Iterator[str]:
    """Keep the demo away from whatever else runs here, a real arm above all."""
    if 'ROS_DOMAIN_ID' in os.environ:
        yield os.environ['ROS_DOMAIN_ID']
        return
    import domain_coordinator
    with domain_coordinator.domain_id() as domain:
        yield str(domain)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='ws demo', description=__doc__)
    parser.add_argument('--episodes', type=int, default=3, help='how many (default: 3)')
    parser.add_argument('--seed', type=int, default=0, help='of the first episode (default: 0)')
    parser.add_argument('--out', type=Path, default=Path('demo'),
                        help='folder of the report (default: demo)')
    parser.add_argument('--learn', action=argparse.BooleanOptionalAction, default=True,
                        help='let a policy learn from demonstrations, two minutes (default: yes)')
    options = parser.parse_args(arguments)
    if options.episodes < 1:
        parser.error(f'--episodes: found {options.episodes}, expected at least 1')
    return options


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _interrupted.set()
    raise KeyboardInterrupt


if __name__ == '__main__':
    sys.exit(main())
