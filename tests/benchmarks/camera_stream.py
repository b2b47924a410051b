# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Measure camera nodes: stamp to message in another process, pictures lost, processor.

Three cameras, two of 640x480 and one of 1920x1080, all at 30 Hz: first their JPEGs passed through
to image_raw/compressed, then decoded to image_raw, the small ones and the large one by themselves.
"""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from collections.abc import Sequence
import json
import signal
import subprocess
import sys
import time
from typing import Any

from _cameras import Camera
from _cameras import CAMERAS
from _cameras import COUNT
from _cameras import http
from _cameras import number_of
from _cameras import RATE_HZ
from _cameras import Sources
from _cameras import v4l2
from _common import CpuMeter
from _common import own_domain
from _common import Report
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image

START_S = 5.0
END_S = 20.0
_DEPTH = 30
LISTEN = '--listen'


class Stream:
    """What came on one topic."""

    def __init__(self, node: Node, name: str, kind: str) -> None:
        """Subscribe as a recorder does."""
        self.ages_ms: list[float] = []
        self.sequence: list[int] = []
        self.numbers: list[int] = []
        self.stamps_ns: list[int] = []
        self.bytes = 0
        raw = kind == 'raw'
        node.create_subscription(
            Image if raw else CompressedImage,
            f'/{name}/image_raw' + ('' if raw else '/compressed'), self._take,
            QoSProfile(depth=_DEPTH))

    def _take(self, message: Any, info: Mapping[str, int]) -> None:
        now_ns = time.time_ns()
        stamp_ns = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        self.ages_ms.append((now_ns - stamp_ns) * 1e-6)
        self.stamps_ns.append(stamp_ns)
        self.bytes += len(message.data)
        self.sequence.append(info['publication_sequence_number'])
        if isinstance(message, CompressedImage):
            self.numbers.append(number_of(bytes(message.data[:10])))


def listen(kind: str, names: Sequence[str]) -> None:
    """Listen until SIGINT, in a process of its own, and print what came as JSON."""
    rclpy.init()
    node = Node('listener')
    streams = {name: Stream(node, name, kind) for name in names}
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        json.dump({name: vars(stream) for name, stream in streams.items()}, sys.stdout)


def measure(
    report: Report, sources: Sources, environment: Mapping[str, str], kind: str,
    cameras: Sequence[Camera], seconds: float,
) -> None:
    """Run the cameras and a listener, and report."""
    nodes = {camera.name: _camera(sources, environment, camera) for camera in cameras}
    listener = subprocess.Popen(
        [sys.executable, __file__, LISTEN, kind, *nodes], env=environment,
        stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(START_S)
        cpu = CpuMeter({**{node.pid: f'camera {name}' for name, node in nodes.items()},
                        listener.pid: 'subscriber'})
        time.sleep(seconds)
        shares = cpu.shares()
        listener.send_signal(signal.SIGINT)
        heard = json.loads(listener.communicate(timeout=END_S)[0])
    finally:
        for process in (*nodes.values(), listener):
            process.send_signal(signal.SIGINT)
        for process in (*nodes.values(), listener):
            process.wait(END_S)
    for camera in cameras:
        _report(report, camera, kind, heard[camera.name])
    for title, share in shares.items():
        report.line(f'{title}: {share:.1f} % of a core')


def _camera(
    sources: Sources, environment: Mapping[str, str], camera: Camera,
) -> subprocess.Popen[bytes]:
    parameters = {'index_or_path': sources.index_or_path[camera.name], 'width': camera.width,
                  'height': camera.height, 'fps': float(RATE_HZ), 'warmup_s': 0.0}
    arguments = [word for name, value in parameters.items()
                 for word in ('-p', f'{name}:={value}')]
    return subprocess.Popen(
        [sys.executable, '-c', 'import sys; from opencv_camera_driver.main import main; '
         'sys.exit(main())', '--ros-args', '--log-level', 'error', '-r', f'__ns:=/{camera.name}',
         *arguments], env={**environment, **sources.environment})


def _report(report: Report, camera: Camera, kind: str, stream: Mapping[str, list]) -> None:
    what = f'{camera.name} {camera.width}x{camera.height} {kind}'
    report.row(f'{what}: stamp to message', stream['ages_ms'], 'ms')
    stamps, sequence = stream['stamps_ns'], stream['sequence']
    rate = (len(stamps) - 1) / ((stamps[-1] - stamps[0]) * 1e-9)
    unheard = sequence[-1] - sequence[0] + 1 - len(sequence)
    report.line(f'{what}: {len(stamps)} pictures, {rate:.3f} Hz, '
                f'{stream["bytes"] / len(stamps) / 1000:.0f} kB each')
    if kind == 'compressed':
        numbers = stream['numbers']
        missing = sum((b - a) % COUNT - 1 for a, b in zip(numbers, numbers[1:]))
        report.bound(f'{what}: 0 pictures lost from camera to reader, found {missing}',
                     missing == 0)
    report.bound(f'{what}: 0 lost by publication number, found {unheard}', unheard == 0)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=10.0, help='of the passed through ones')
    parser.add_argument('--decoded-s', type=float, default=30.0, help='of the decoded ones')
    parser.add_argument('--source', choices=('http', 'v4l2'), default='http')
    arguments = parser.parse_args()
    report = Report(f'cameras over {arguments.source}, {arguments.minutes:g} minutes passed '
                    f'through, {arguments.decoded_s:g} s decoded')
    source = {'http': http, 'v4l2': v4l2}[arguments.source]
    with source() as sources, own_domain() as environment:
        measure(report, sources, environment, 'compressed', CAMERAS, arguments.minutes * 60.0)
        measure(report, sources, environment, 'raw', CAMERAS[:2], arguments.decoded_s)
        measure(report, sources, environment, 'raw', CAMERAS[2:], arguments.decoded_s)
    return report.end()


if __name__ == '__main__':
    if sys.argv[1:2] == [LISTEN]:
        listen(sys.argv[2], sys.argv[3:])
        sys.exit(0)
    sys.exit(main())
