# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Nodes that hang, and nodes of one name."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
import os
from pathlib import Path
from typing import Any

from apprentice_doctor.listening import LATCHED
from apprentice_doctor.listening import ros_node
from apprentice_msgs.msg import GuardState
from doctor_stage import end
from doctor_stage import examine
from doctor_stage import heard
from doctor_stage import start_driver
from doctor_stage import until
from doctor_stage import write_calibration
from doctor_stage import write_hardware
import pytest

pytestmark = pytest.mark.timeout(120)
GRAPH = ('--only', 'graph')


@pytest.fixture
def dead_lines() -> Iterator[tuple[str, str]]:
    """Give two ports on which no motor answers."""
    pairs = [os.openpty(), os.openpty()]
    yield os.ttyname(pairs[0][1]), os.ttyname(pairs[1][1])
    for pair in pairs:
        for line in pair:
            os.close(line)


def test_an_empty_graph_is_told(tmp_path: Path, capsys: Any) -> None:
    """Nothing to say but that nothing runs."""
    hardware = write_hardware(tmp_path / 'h.yaml')
    code, found = examine(capsys, hardware, *GRAPH, '--seconds', '0.01')
    assert code == 0 and f'domain {os.environ["ROS_DOMAIN_ID"]}' in found['no-graph']['what']


def test_a_node_without_complaints_is_in_order(
    tmp_path: Path, capsys: Any, dead_lines: tuple[str, str],
) -> None:
    """A driver that has not been configured reports, and has nothing to complain about."""
    hardware = write_hardware(tmp_path / 'h.yaml')
    driver = start_driver(dead_lines[0], tmp_path / 'none.json', autostart='false')
    try:
        until(lambda: 'nodes' in examine(capsys, hardware, *GRAPH)[1], 'never in order')
    finally:
        end(driver)


def test_two_drivers_of_one_name_that_wait_for_motors(
    tmp_path: Path, capsys: Any, dead_lines: tuple[str, str],
) -> None:
    """The name is told with its count; who waits reports nothing, nor does a hung guard."""
    calibration = write_calibration(tmp_path / 'follower.json', 'follower')
    with ExitStack() as stack:
        drivers = [start_driver(port, calibration) for port in dead_lines]
        for driver in drivers:
            stack.callback(end, driver)
        for driver in drivers:
            heard(driver, 'waiting for motors')
        node, _executor = stack.enter_context(ros_node('hung'))
        node.create_publisher(GuardState, '/other/guard_state', LATCHED)
        code, found = examine(capsys, write_hardware(tmp_path / 'h.yaml'), *GRAPH)
    assert code == 2
    finding = found['duplicate-nodes']
    assert (finding['where'], finding['found']) == ('/follower/feetech_driver', '2'), found
    assert found['node-stale']['where'] == '/follower/feetech_driver'
    assert found['guard-silent']['where'] == '/other/guard_state'
