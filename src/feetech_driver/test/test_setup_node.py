# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The set-up node finds and names motors by services, without a keyboard."""
from __future__ import annotations

from collections.abc import Iterator
import math
import os
from pathlib import Path
import signal
import subprocess
from typing import Any

from ament_index_python.packages import get_package_prefix
from apprentice_msgs.srv import AssignId
from apprentice_msgs.srv import ScanBus
from apprentice_sim.presets import chain
from apprentice_sim.presets import fresh_servo
from apprentice_sim.testing import servo_bus
from apprentice_sim.testing import SimArm
from domain_coordinator import domain_id
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

pytestmark = pytest.mark.timeout(120)
ANSWER_S = 40.0
KINDS = {'scan_bus': ScanBus, 'assign_id': AssignId}


class Caller:
    """A client of the node's services, and the process it calls."""

    def __init__(self, domain: int) -> None:
        """Start the node in namespace /arm."""
        executable = Path(
            get_package_prefix('feetech_driver'), 'lib', 'feetech_driver', 'setup_node')
        self.process = subprocess.Popen(
            [str(executable), '--ros-args', '-r', '__ns:=/arm'],
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain)})
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = Node('caller', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def ask(self, service: str, **fields: object) -> Any:
        """Call a service and return its answer."""
        future = self.send(service, **fields)
        self.executor.spin_until_future_complete(future, ANSWER_S)
        assert future.done(), f'{service} did not answer'
        return future.result()

    def send(self, service: str, **fields: object) -> Any:
        """Call a service; the answer comes later."""
        kind = KINDS[service]
        client = self.node.create_client(kind, f'/arm/feetech_setup/{service}')
        assert client.wait_for_service(ANSWER_S), f'{service} is not there'
        return client.call_async(kind.Request(**fields))

    def end(self) -> int:
        """Stop the node and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(ANSWER_S)
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)
        return code


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[SimArm]:
    """Serve one fresh motor."""
    with servo_bus(chain('sts3215:1@500000'), tmp_path / 'bus') as served:
        yield served


def test_motors_are_found_and_named_by_services(bus: SimArm) -> None:
    """Scan, refusals in words, a new id, a busy node, two motors of one id, the end."""
    with domain_id() as domain:
        caller = Caller(domain)
        try:
            follow(caller, bus)
        finally:
            code = caller.end()
    assert code == 0


def follow(caller: Caller, bus: SimArm) -> None:
    """Do what a programme that sets an arm up does."""
    port = bus.port
    found, = caller.ask('scan_bus', port=port).motors
    assert (found.id, found.baud, found.model, found.firmware) == (1, 500_000, 'sts3215', '3.10')
    assert round(found.voltage, 1) == 7.4 and found.temperature == 30.0 and not found.errors
    for fields, message in (
            ({'port': port}, 'id: found 0, expected 1 to 253, or a joint'),
            ({'port': port, 'joint': 'thumb'}, "joint: found 'thumb', expected one of"),
            ({'port': port, 'joint': 'gripper', 'id': 3}, 'found both, expected one'),
            ({'port': port, 'id': 254}, 'id: found 254'),
            ({'port': port, 'id': 3, 'model': 'xl330'}, "model: found 'xl330'"),
            ({'port': port + 'x', 'id': 3}, 'there is no serial port')):
        refused = caller.ask('assign_id', **fields)
        assert not refused.success and message in refused.message
    assert bus.taps.events == []
    done = caller.ask('assign_id', port=port, joint='gripper')
    assert done.success and done.changes == [
        'return_delay 250 -> 0', 'id 1 -> 6', 'baud rate 500000 -> 1000000']
    assert (done.before.id, done.after.id, done.after.baud) == (1, 6, 1_000_000)
    first, second = caller.send('scan_bus', port=port), caller.send('scan_bus', port=port)
    for future in (first, second):
        caller.executor.spin_until_future_complete(future, ANSWER_S)
    assert sorted(future.result().success for future in (first, second)) == [False, True]
    assert 'another request is under way' in first.result().message + second.result().message
    bus.bus.attach(fresh_servo('sts3215:6', 'twin'))
    twins, = caller.ask('scan_bus', port=port).motors
    assert twins.duplicated and math.isnan(twins.voltage)
