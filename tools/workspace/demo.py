# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`./ws demo`: an SO-100 in simulation does pick-and-place episodes; a report and a picture."""

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

from ament_index_python.packages import get_package_prefix
from demonstration.episodes import episodes_of
from demonstration.episodes import Progress
from demonstration.monitor import Monitor
from demonstration.processes import Program
from demonstration.report import Episode
from demonstration.report import make_report
from demonstration.report import Report
from demonstration.report import to_text
import rclpy

CAMERAS = ('front', 'wrist')
POLL_PERIOD_S = 0.05
BRING_UP_TIMEOUT_S = 60.0
EPISODE_TIMEOUT_S = 60.0
NEXT = """
What next
  ./ws shell                                             a shell in which the following work
  ros2 launch so100_bringup teleop.launch.py view:=true  the same robot, with a viewer
  ros2 run apprentice_sim demonstrator --ros-args -p arm:=so100   someone to move its leader
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
    except DemoError as error:
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
    launch = Program(
        ['ros2', 'launch', 'so100_bringup', 'teleop.launch.py', 'hardware:=sim', f'seed:={seed}'],
        out / 'launch.log', environment)
    rclpy.init(args=[], domain_id=int(domain))
    try:
        node = rclpy.create_node('demo', enable_rosout=False, start_parameter_services=False)
        monitor = Monitor(node, CAMERAS)
        bring_up_s = _await_robot(monitor, launch, begin)
        recorded = _perform(monitor, launch, episodes, seed, out, environment)
        node.destroy_node()
    finally:
        print('-- Shutting the robot down')
        launch.stop()
        rclpy.try_shutdown()
    report = make_report(monitor.recording, recorded, bring_up_s)
    _write(monitor, report, out)
    return report


def _await_robot(monitor: Monitor, launch: Program, begin: float) -> float:
    progress = Progress()
    follower_s = 0.0

    def ready() -> bool:
        nonlocal follower_s
        silent = monitor.silent()
        if not follower_s and monitor.recording.follower.topic not in silent:
            follower_s = time.monotonic() - begin
        progress.show(f'{time.monotonic() - begin:4.0f} s  waiting for {", ".join(silent)}')
        return not silent

    _poll_until(ready, monitor, launch, BRING_UP_TIMEOUT_S, lambda: (
        f'nothing came on {", ".join(monitor.silent())} within {BRING_UP_TIMEOUT_S:.0f} s'))
    progress.end(f'   up after {time.monotonic() - begin:.1f} s, '
                 f'first follower state after {follower_s:.1f} s')
    return follower_s


def _perform(
    monitor: Monitor, launch: Program, episodes: int, seed: int, out: Path,
    environment: dict[str, str],
) -> list[Episode]:
    print(f'-- The demonstrator moves the leader: {episodes} episodes')
    monitor.restart()
    demonstrator = Program(
        # Not through `ros2 run`, which would not pass a signal on.
        [f'{get_package_prefix("apprentice_sim")}/lib/apprentice_sim/demonstrator', '--ros-args',
         '-p', 'arm:=so100', '-p', f'episodes:={episodes}', '-p', f'seed:={seed}'],
        out / 'demonstrator.log', environment)
    progress = Progress()
    begin = time.monotonic()

    def finished() -> bool:
        progress.show_episodes(monitor.recording, episodes, time.monotonic() - begin)
        return demonstrator.exit_code is not None

    try:
        _poll_until(finished, monitor, launch, EPISODE_TIMEOUT_S * episodes, lambda: (
            f'the demonstrator did not finish; the end of {demonstrator.log}:\n'
            f'{demonstrator.tail(10)}'))
    finally:
        demonstrator.stop()
    progress.end(f'   done in {time.monotonic() - begin:.0f} s')
    recorded = episodes_of(monitor.recording.world)
    if not recorded:
        raise DemoError(f'no episode took place; the end of {demonstrator.log}:\n'
                        f'{demonstrator.tail(15)}')
    return recorded


def _poll_until(
    done: Callable[[], bool], monitor: Monitor, launch: Program, timeout_s: float,
    what_failed: Callable[[], str],
) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        # Raised where Python ignores exceptions, in a destructor for one, it came to nothing.
        if _interrupted.is_set():
            raise KeyboardInterrupt
        monitor.poll()
        if done():
            return
        if launch.exit_code is not None:
            raise DemoError(f'the robot ended by itself (exit code {launch.exit_code}); the end '
                            f'of {launch.log}:\n{launch.tail()}')
        if time.monotonic() > deadline:
            raise DemoError(f'{what_failed()}\nThe robot\'s output is in {launch.log}')
        time.sleep(POLL_PERIOD_S)


def _write(monitor: Monitor, report: Report, out: Path) -> None:
    print()
    print(to_text(report))
    (out / 'report.json').write_text(json.dumps(report.to_json(), indent=2) + '\n')
    # Slow to import, and needed only now.
    from demonstration.picture import draw
    draw(monitor.recording, report, out / 'report.png')
    print(f'\nPicture: {out / "report.png"}   numbers: {out / "report.json"}')


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
    options = parser.parse_args(arguments)
    if options.episodes < 1:
        parser.error(f'--episodes: found {options.episodes}, expected at least 1')
    return options


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _interrupted.set()
    raise KeyboardInterrupt


if __name__ == '__main__':
    sys.exit(main())
