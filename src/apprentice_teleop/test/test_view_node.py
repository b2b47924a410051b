# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The viewer as a process: topics in, a Rerun file out."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from apprentice_msgs.msg import GuardState
import domain_coordinator
import pytest
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import JointState

pytestmark = pytest.mark.timeout(60)
START = 'import sys; from apprentice_teleop.main import view; sys.exit(view())'


@pytest.fixture
def domain() -> Iterator[str]:
    """Give the test a domain of its own."""
    with domain_coordinator.domain_id() as number:
        yield str(number)


def view(domain: str, *arguments: str) -> subprocess.Popen[str]:
    """Start the viewer's entry point."""
    return subprocess.Popen(
        [sys.executable, '-c', START, *arguments], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, 'ROS_DOMAIN_ID': domain})


def publish_until_heard(node: Node) -> None:
    """Publish every kind of message until each has been taken for a while."""
    publishers = {
        node.create_publisher(CompressedImage, 'front/image_raw/compressed', 10):
            CompressedImage(format='jpeg', data=b'\xff\xd8\xff\xd9'),
        node.create_publisher(JointState, 'leader/joint_states', 10):
            JointState(name=['gripper', 'unknown'], position=[0.5, 0.1]),
        node.create_publisher(GuardState, 'follower/guard_state', 10):
            GuardState(state=GuardState.TRACKING, owner='teleop', detail='catching up'),
    }
    end = time.monotonic() + 20.0
    while not all(p.get_subscription_count() for p in list(publishers)[:2]):
        assert time.monotonic() < end, 'the viewer never subscribed'
        time.sleep(0.02)
    for _ in range(30):
        for publisher, message in publishers.items():
            message.header.stamp = node.get_clock().now().to_msg()
            publisher.publish(message)
        time.sleep(0.02)


def test_what_is_published_lands_in_the_file(domain: str, tmp_path: Path) -> None:
    """Images and joints are there, joints that nobody asked for are not."""
    pytest.importorskip('rerun')
    path = tmp_path / 'a.rrd'
    process = view(domain, '--save', str(path), '--ros-args', '-p', "cameras:=['front']")
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(domain))
    try:
        publish_until_heard(Node('robot', context=context))
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=20)[0]
    finally:
        rclpy.shutdown(context=context)
        process.kill()
    assert process.returncode == 0, output
    content = path.read_bytes()
    assert b'/cameras/front' in content
    assert b'/joints/gripper/leader' in content
    assert b'/joints/unknown' not in content


def test_a_file_that_cannot_be_written_ends_the_viewer(domain: str, tmp_path: Path) -> None:
    """Exit code 1 and one line with the path."""
    pytest.importorskip('rerun')
    process = view(domain, '--save', str(tmp_path / 'nowhere' / 'a.rrd'))
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 1
    assert 'nowhere/a.rrd cannot be opened' in output
