# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Command the follower to wave, for ever, from a process that a benchmark may stop or kill."""
from __future__ import annotations

import argparse
from collections.abc import Mapping
import math
import subprocess
import sys
import time

from _common import JOINTS
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from trajectory_msgs.msg import JointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint

PERIOD_S = 0.01
LEAD_NS = 20_000_000
WAVE_HZ = 0.75
# The follower can only catch up with a commander that rests now and then.
CALM_S = 1.2
WAVE_S = 2.0
WAVE_RAD = 0.4
PEAK_VELOCITY = 2 * math.pi * WAVE_HZ * WAVE_RAD


def start_commander(
    environment: Mapping[str, str], source: str = 'teleop',
) -> subprocess.Popen[bytes]:
    """Start the process as this source."""
    return subprocess.Popen(
        [sys.executable, __file__, source], env=environment, stdin=subprocess.DEVNULL)


def wave(now_s: float) -> float:
    """Return the angle at an instant: at rest for a while, then to and fro, and so on."""
    since_s = now_s % (CALM_S + WAVE_S) - CALM_S
    if since_s < 0.0:
        return 0.0
    envelope = math.sin(math.pi * since_s / WAVE_S)
    return WAVE_RAD * envelope * math.sin(2 * math.pi * WAVE_HZ * since_s)


def main() -> None:
    """Wave until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source')
    source = parser.parse_args().source
    rclpy.init()
    node = Node(f'commander_{source}')
    publisher = node.create_publisher(
        JointTrajectory, f'/follower/sources/{source}/joint_trajectory', QoSProfile(depth=1))
    point = JointTrajectoryPoint()
    point.time_from_start.nanosec = LEAD_NS
    message = JointTrajectory(joint_names=list(JOINTS), points=[point])
    while rclpy.ok():
        now = time.monotonic()
        angle = wave(now)
        point.positions = [angle * (-1.0) ** index for index in range(len(JOINTS))]
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)
        time.sleep(PERIOD_S - now % PERIOD_S)


if __name__ == '__main__':
    main()
