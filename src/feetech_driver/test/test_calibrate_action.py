# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibration as an action: confirmed by a service, canceled, refused, and one at a time."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import subprocess
import threading
from typing import Any

from action_msgs.msg import GoalStatus
from ament_index_python.packages import get_package_prefix
from apprentice_msgs.action import Calibrate
from calibration_bench import assert_close
from calibration_bench import environment
from calibration_bench import file_of
from calibration_bench import MIDDLE
from calibration_bench import read
from calibration_bench import SIDES
from calibration_bench import until
from calibration_bench import Workbench
from calibration_bench import workbench
from domain_coordinator import domain_id
import pytest
import rclpy
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import Trigger

JOINTS = [*MIDDLE]


class Client:
    """A calibration node in a process, and who talks to it."""

    def __init__(self, bench: Workbench, home: Path, domain: int) -> None:
        """Start the node and wait for its action."""
        program = Path(
            get_package_prefix('feetech_driver'), 'lib', 'feetech_driver', 'calibration')
        self.bench = bench
        self.process = subprocess.Popen(
            [str(program)], env={**environment(home), 'ROS_DOMAIN_ID': str(domain)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.feedback: list[Calibrate.Feedback] = []
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._node = Node('client', context=self._context)
        self._action = ActionClient(self._node, Calibrate, 'calibration/calibrate')
        self._confirm = self._node.create_client(Trigger, 'calibration/confirm')
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._open = True
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        until(self._action.server_is_ready, 'no action')
        until(self._confirm.service_is_ready, 'no service')

    def send(self, **fields: Any) -> Any:
        """Send a goal and return its handle."""
        goal = Calibrate.Goal(**{
            'port': self.bench.arm.port, 'arm': 'so101', 'role': 'follower',
            'robot_id': 'my_arm', **fields})
        self.feedback.clear()
        future = self._action.send_goal_async(
            goal, lambda message: self.feedback.append(message.feedback))
        until(future.done, 'no answer to the goal')
        assert future.result().accepted
        return future.result()

    def result(self, handle: Any) -> tuple[int, Calibrate.Result]:
        """Wait for a goal's end; return status and result."""
        future = handle.get_result_async()
        until(future.done, f'no result; last {self.feedback[-1:]}')
        return future.result().status, future.result().result

    def cancel(self, handle: Any) -> None:
        """Cancel a goal."""
        future = handle.cancel_goal_async()
        until(future.done, 'cancel is not answered')

    def confirm(self) -> Trigger.Response:
        """Confirm a phase."""
        future = self._confirm.call_async(Trigger.Request())
        until(future.done, 'confirm is not answered')
        return future.result()

    def reaches(self, phase: str) -> None:
        """Wait until the calibration waits in a phase."""
        until(lambda: any(it.phase == phase for it in self.feedback[-1:]), f'never {phase}')
        assert self.feedback[-1].awaits_confirmation

    def close(self) -> None:
        """End everything."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self._open = False
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _spin(self) -> None:
        while self._open:
            self._executor.spin_once(0.05)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Give a node beside an arm fresh from the workshop."""
    with domain_id() as domain, workbench(tmp_path) as bench:
        made = Client(bench, tmp_path, domain)
        try:
            yield made
        finally:
            made.close()


def test_an_arm_is_calibrated_by_action(client: Client, tmp_path: Path) -> None:
    """Phases come in order, each waits for its word; result, file and registers agree."""
    bench = client.bench
    refused = client.confirm()
    assert not refused.success and 'no calibration is under way' in refused.message
    handle = client.send(check_directions=True)
    for phase, act in (('middle', lambda: bench.lead(MIDDLE)), ('range', bench.sweep),
                       ('direction', lambda: bench.lead(SIDES))):
        client.reaches(phase)
        act()
        assert client.confirm().success
    status, result = client.result(handle)
    assert status == GoalStatus.STATUS_SUCCEEDED, result
    assert result.path == str(file_of(tmp_path)) and result.verdicts == ['ok'] * 6
    found = read(file_of(tmp_path))
    assert_close(found, bench.truth())
    assert list(result.homing_offset) == [it['homing_offset'] for it in found.values()]
    assert bench.registers() == {
        name: (it['homing_offset'], it['range_min'], it['range_max'])
        for name, it in found.items()}
    recorded = [it for it in client.feedback if it.phase == 'range'][-1]
    assert recorded.joints == JOINTS and recorded.flags[0] == 'ok, 220 of 220 deg'
    order = [it.phase for it in client.feedback]
    assert order.index('middle') < order.index('range') < order.index('direction')
    # What the file says afterwards is a goal of its own.
    bench.arm.set('gripper', 'homing_offset', 5)
    status, result = client.result(client.send(mode=Calibrate.Goal.COMPARE))
    assert (status, result.error_code) == (
        GoalStatus.STATUS_ABORTED, Calibrate.Result.DIFFERENT)
    assert 'gripper: homing_offset is' in result.verdicts[5] and result.verdicts[0] == 'ok'
    status, result = client.result(client.send(mode=Calibrate.Goal.WRITE_FILE_TO_SERVOS))
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert bench.arm.register('gripper', 'homing_offset') == found['gripper']['homing_offset']


def test_cancel_refusal_and_a_second_goal(client: Client, tmp_path: Path) -> None:
    """A second goal is turned away; canceling puts the registers back; bad goals are told."""
    bench = client.bench
    before = bench.registers()
    handle = client.send()
    client.reaches('middle')
    _, busy = client.result(client.send())
    assert busy.error_code == Calibrate.Result.BUSY
    client.cancel(handle)
    status, result = client.result(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_CANCELED, Calibrate.Result.STOPPED)
    assert bench.registers() == before
    handle = client.send()
    client.reaches('middle')
    bench.lead(MIDDLE)
    client.confirm()
    client.reaches('range')
    client.confirm()
    client.reaches('redo')
    assert any('gripper: was not moved' in text for it in client.feedback for text in it.messages)
    client.cancel(handle)
    status, result = client.result(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_CANCELED, Calibrate.Result.REFUSED)
    assert result.joints == [name for name in JOINTS if name != 'wrist_roll']
    assert 'shoulder_lift: was not moved' in result.verdicts[1]
    assert bench.registers() == before and not file_of(tmp_path).exists()
    for fields, code, text in (
            ({'arm': 'koch'}, 'BAD_GOAL', "found arm 'koch'"),
            ({'mode': 9}, 'BAD_GOAL', '9 is not a valid Mode'),
            ({'joints': ['elbow']}, 'BAD_GOAL', 'joints: found elbow'),
            ({'mode': Calibrate.Goal.COMPARE}, 'BAD_GOAL', "no calibration of follower 'my_arm'"),
            ({'port': str(tmp_path)}, 'UNREACHABLE', str(tmp_path))):
        status, result = client.result(client.send(**fields))
        assert status == GoalStatus.STATUS_ABORTED and text in result.error_msg
        assert result.error_code == getattr(Calibrate.Result, code)


def test_a_node_that_is_stopped_puts_everything_back(client: Client) -> None:
    """SIGTERM in the middle of a calibration ends with 0 and the registers of before."""
    bench = client.bench
    before = bench.registers()
    client.send()
    client.reaches('middle')
    bench.lead(MIDDLE)
    client.confirm()
    client.reaches('range')
    assert bench.registers() != before
    os.kill(client.process.pid, signal.SIGTERM)
    said, _ = client.process.communicate(timeout=30)
    assert client.process.returncode == 0, said
    assert bench.registers() == before
