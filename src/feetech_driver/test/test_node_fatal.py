# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A bug in the bus thread releases the arm and leaves the node unconfigured, with ERROR."""
from __future__ import annotations

from pathlib import Path
import time

from apprentice_sim.testing import so_arm_bus
from domain_coordinator import domain_id
from driver_harness import write_calibration
from feetech_driver.node import FeetechDriver
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor

pytestmark = pytest.mark.timeout(30)


def test_bug_in_the_bus_thread_takes_the_error_path(tmp_path: Path) -> None:
    """Torque is off on every motor, and the node can be configured again."""
    file = write_calibration(tmp_path / 'calibration.json', 'follower')
    with domain_id() as domain, so_arm_bus('follower', tmp_path) as arm:
        rclpy.init(domain_id=domain, args=[
            '--ros-args', '-p', f'port:={arm.port}', '-p', f'calibration_file:={file}'])
        node = FeetechDriver()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        try:
            node.trigger_configure()
            node.trigger_activate()
            assert set(arm.registers('torque_enable').values()) == {1}

            def bug() -> None:
                raise ZeroDivisionError('never thought of')
            node._session._bus.read_state = bug
            end = time.monotonic() + 10.0
            while node.state != 'unconfigured':
                assert time.monotonic() < end, node.state
                executor.spin_once(0.1)
            assert set(arm.registers('torque_enable').values()) == {0}
            assert 'ZeroDivisionError: never thought of' in node.last_error
            node.trigger_configure()
            node.trigger_activate()
            assert node.state == 'active'
            node.trigger_shutdown()
            assert set(arm.registers('torque_enable').values()) == {0}
        finally:
            executor.shutdown()
            node.destroy_node()
            rclpy.shutdown()
