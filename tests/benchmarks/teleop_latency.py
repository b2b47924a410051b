# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Measure teleoperation from port to port, launched as users launch it, both cameras running.

A hand moves the leader in steps. Latency: from the first change of the leader's position
register to the first changed goal on the follower's wire. Then the hand moves to and fro, and
the lag at which the goals follow is found: it holds `lead`, the time over which the driver
interpolates on purpose. Bus cycle: intervals between goal writes all along. With `--record` the
recorder runs too and records all of it as one episode.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
import math
from pathlib import Path
import random
import sys
import tempfile
import time
from typing import Any

from _common import CpuMeter
from _common import Launched
from _common import memory_folder
from _common import NS
from _common import own_domain
from _common import Report
from _common import StayedOut
from _common import until
from _listener import Listener
from ament_index_python.packages import get_package_share_directory
from apprentice_dataset.reader import Dataset
from apprentice_msgs.msg import GuardState
from apprentice_msgs.srv import SaveEpisode
from apprentice_msgs.srv import StartEpisode
from apprentice_recorder.report import to_text
from apprentice_sim.tap_file import read_taps
from apprentice_sim.taps import Tap
from apprentice_sim.taps import TapKind
import rclpy
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
import yaml

JOINT = 'shoulder_pan'
STEP_RAD = 0.06
STEP_EVERY_S = 0.25
SWEEP_RAD = 0.3
SWEEP_HZ = 0.5
RATE_HZ = 200.0
LATENCY_LIMIT_MS = 15.0
JITTER_LIMIT_MS = 2.0
# A rate is counted over whole cycles, and clocks are read a little late.
RATE_SLACK_HZ = 0.5


class Operator(Node):
    """Moves the leader by hand and watches the follower's guard."""

    def __init__(self) -> None:
        """Connect to the simulated world and the follower."""
        super().__init__('operator')
        self.state = -1
        self._hand = self.create_publisher(JointState, '/sim/leader_hand', 1)
        self._start = self.create_client(StartEpisode, '/recorder/start')
        self._save = self.create_client(SaveEpisode, '/recorder/save')
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(GuardState, '/follower/guard_state', self._on_guard, latched)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def wait_for(self, state: int, timeout_s: float = 30.0) -> None:
        """Wait for a state of the guard."""
        def reached() -> bool:
            self._executor.spin_once(0.05)
            return self.state == state
        until(reached, f'guard state {state}', timeout_s)

    def start_recording(self) -> None:
        """Start an episode; StayedOut says why it was refused."""
        answer = self._call(self._start, StartEpisode.Request(task='step and sweep'))
        if not answer.success:
            raise StayedOut(answer.message)

    def save_recording(self) -> str:
        """Save the episode and return what the recorder says."""
        return self._call(self._save, SaveEpisode.Request(force=True)).message

    def _call(self, client: Client, request: object) -> Any:
        until(client.service_is_ready, client.srv_name, 30.0)
        future = client.call_async(request)
        self._executor.spin_until_future_complete(future, 60.0)
        return future.result()

    def hold(self, angle: float) -> None:
        """Hold the leader's joint at an angle, rad."""
        self._hand.publish(JointState(name=[JOINT], position=[angle]))

    def step(self, count: int, chance: random.Random) -> None:
        """Step to and fro; the pauses do not beat with the bus cycle."""
        for number in range(count):
            self.hold(STEP_RAD * (number % 2))
            time.sleep(STEP_EVERY_S + chance.random() * 0.01)

    def sweep(self, seconds: float) -> None:
        """Move to and fro steadily."""
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            self.hold(SWEEP_RAD * math.sin(2 * math.pi * SWEEP_HZ * passed))
            time.sleep(0.01)

    def _on_guard(self, message: GuardState) -> None:
        self.state = message.state


def write_parameters(folder: Path, acceleration: float | None) -> Path:
    """Write the bring-up's parameters, the world told to keep register changes."""
    share = Path(get_package_share_directory('so100_bringup'))
    content = yaml.safe_load((share / 'config' / 'params.yaml').read_text())
    world = content.setdefault('/**/sim/world', {}).setdefault('ros__parameters', {})
    for role in ('leader', 'follower'):
        world[f'{role}_taps'] = str(folder / f'{role}.taps')
    if acceleration is not None:
        driver = content['/**/follower/feetech_driver']['ros__parameters']
        driver['max_acceleration'] = acceleration
    path = folder / 'params.yaml'
    path.write_text(yaml.safe_dump(content))
    return path


def changes(taps: Sequence[Tap]) -> list[tuple[int, int]]:
    """Return (ns, value) of each tap whose value differs from the one before."""
    result = []
    last = None
    for tap in taps:
        if tap.value != last:
            result.append((tap.t_ns, tap.value))
            last = tap.value
    return result


def latencies_ms(leader: Sequence[Tap], follower: Sequence[Tap]) -> list[float]:
    """Return the time from the onset of each step to the first changed goal after it."""
    moved = [t for t, _ in changes(leader)]
    quiet_ns = int(STEP_EVERY_S / 3 * 1e9)
    onsets = [t for before, t in zip(moved, moved[1:]) if t - before > quiet_ns]
    goals = [t for t, _ in changes(follower)]
    result = []
    position = 0
    for onset in onsets:
        while position < len(goals) and goals[position] < onset:
            position += 1
        if position and position < len(goals) and onset - goals[position - 1] > quiet_ns // 4:
            result.append((goals[position] - onset) * 1e-6)
    return result


def lag_ms(leader: Sequence[Tap], follower: Sequence[Tap], offset: float) -> float:
    """Return the delay at which the goals of a sweep fit the leader's motion best."""
    times, values = [tap.t_ns for tap in leader], [tap.value for tap in leader]
    best = (math.inf, 0.0)
    for delay_us in range(0, 60_000, 250):
        position, error, n = 0, 0.0, 0
        for tap in follower:
            at = tap.t_ns - delay_us * 1000
            while position + 1 < len(times) and times[position + 1] <= at:
                position += 1
            if times[position] <= at:
                error += (values[position] + offset - tap.value) ** 2
                n += 1
        best = min(best, (error / max(n, 1), delay_us * 1e-3))
    return best[1]


def measure(
    folder: Path, steps: int, sweep_s: float, acceleration: float | None, dataset: Path | None,
    report: Report,
) -> dict[str, float]:
    """Run the robot; return the shares of a core by process. Taps are left in the folder."""
    with own_domain() as environment:
        parameters = write_parameters(folder, acceleration)
        more = [f'dataset:={dataset}'] if dataset else []
        launched = Launched(
            environment, f'params_file:={parameters}', *more, log=folder / 'log',
            file='record.launch.py' if dataset else 'teleop.launch.py')
        listener = Listener(environment)
        rclpy.init()
        operator = Operator()
        try:
            operator.wait_for(GuardState.TRACKING)
            operator.hold(0.0)
            time.sleep(3.0)
            if dataset:
                operator.start_recording()
            cpu = CpuMeter({**launched.processes(), listener.pid: 'image subscriber'})
            (folder / 'begin').write_text(str(time.monotonic_ns()))
            operator.step(steps, random.Random(1))
            (folder / 'sweep').write_text(str(time.monotonic_ns()))
            operator.sweep(sweep_s)
            (folder / 'end').write_text(str(time.monotonic_ns()))
            shares = cpu.shares()
            images = listener.finish()
            if dataset:
                report.line(operator.save_recording())
                for text in to_text(Dataset.open(dataset), 0):
                    report.line(text)
        finally:
            operator.destroy_node()
            rclpy.shutdown()
            listener.close()
            launched.close()
    for camera, stream in images.items():
        report.line(f'{camera}: {len(stream["ages_ms"])} images received meanwhile')
    return shares


def evaluate(folder: Path, report: Report) -> None:
    """Print the figures of a run."""
    begin, sweep, end = (
        int((folder / name).read_text()) for name in ('begin', 'sweep', 'end'))
    leader = [tap for tap in read_taps(folder / 'leader.taps')
              if tap.kind is TapKind.PRESENT and tap.name == JOINT and begin < tap.t_ns < end]
    follower = [tap for tap in read_taps(folder / 'follower.taps')
                if tap.kind is TapKind.GOAL and tap.name == JOINT and begin < tap.t_ns < end]
    steps = latencies_ms([tap for tap in leader if tap.t_ns < sweep],
                         [tap for tap in follower if tap.t_ns < sweep])
    latency = report.row('leader register to first goal', steps, 'ms')
    sweeping = [tap for tap in leader if tap.t_ns > sweep + 5 * 10**8]
    following = [tap for tap in follower if tap.t_ns > sweep + 10**9]
    # Both registers in their own arm's zero: the ranges of leader and follower are shifted.
    offset = sum(tap.value for tap in following) / len(following) \
        - sum(tap.value for tap in sweeping) / len(sweeping)
    report.line(f'goals follow a steady motion {lag_ms(sweeping, following, offset):.1f} ms '
                'later, of which lead is 20.0 ms')
    gaps = [(b.t_ns - a.t_ns) * 1e-6 for a, b in zip(follower, follower[1:])]
    report.row('interval of goal writes', gaps, 'ms')
    jitter = report.row(
        'cycle jitter, interval against 5 ms', [abs(gap - 1e3 / RATE_HZ) for gap in gaps], 'ms')
    rate = len(gaps) / ((follower[-1].t_ns - follower[0].t_ns) * NS)
    report.line(f'bus cycles: {rate:.2f} Hz over {len(gaps)} cycles')
    report.bound(f'latency p99 < {LATENCY_LIMIT_MS:g} ms', latency.p99 < LATENCY_LIMIT_MS)
    report.bound(f'bus cycle >= {RATE_HZ:g} Hz', rate >= RATE_HZ - RATE_SLACK_HZ)
    report.bound(f'cycle jitter p99 < {JITTER_LIMIT_MS:g} ms', jitter.p99 < JITTER_LIMIT_MS)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--n', type=int, default=400, help='steps of the leader')
    parser.add_argument('--seconds', type=float, default=20.0, help='of the motion to and fro')
    parser.add_argument(
        '--max-acceleration', type=float, metavar='RAD_S2',
        help='instead of the default cap of 30, whose first step from rest is half a tick')
    parser.add_argument('--record', action='store_true', help='with the recorder recording')
    parser.add_argument('--keep', type=Path, help='keep register changes and logs in this folder')
    arguments = parser.parse_args()
    report = Report('teleoperation, two cameras at 640x480 and 30 Hz, both subscribed'
                    + (', recorder recording' if arguments.record else ''))
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name, \
            tempfile.TemporaryDirectory() as disk:
        folder = arguments.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        shares = measure(
            folder, arguments.n, arguments.seconds, arguments.max_acceleration,
            Path(disk, 'dataset') if arguments.record else None, report)
        for title, share in shares.items():
            report.line(f'{title}: {share:.0f} % of a core')
        evaluate(folder, report)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
