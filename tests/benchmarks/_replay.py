# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Replay two cameras and two arms of six joints from a process of its own, noting each sample."""
from __future__ import annotations

from array import array
from collections.abc import Iterator
from collections.abc import Mapping
import heapq
from pathlib import Path
import signal
import struct
import subprocess
import sys
import time
from typing import Any
from typing import NamedTuple

from _common import JOINTS
from _pictures import COUNT
from _pictures import HEIGHT
from _pictures import read_pictures
from _pictures import WIDTH
import numpy as np
from numpy.typing import NDArray

FPS = 30
SIDES = ('left', 'right')
TASK = 'what is replayed'
CONTRACT = f"""
version: 1
robot_type: replayed
fps: {FPS}
reference: front
streams:
  front: {{topic: front/image_raw/compressed, type: sensor_msgs/msg/CompressedImage,
          rate_hz: {FPS}, max_age_ms: 50}}
  wrist: {{topic: wrist/image_raw/compressed, type: sensor_msgs/msg/CompressedImage,
          rate_hz: {FPS}, max_age_ms: 50}}
  left: {{topic: left/joint_states, type: sensor_msgs/msg/JointState, rate_hz: 200,
         max_age_ms: 50}}
  right: {{topic: right/joint_states, type: sensor_msgs/msg/JointState, rate_hz: 200,
          max_age_ms: 50}}
  commands: {{topic: joint_commands, type: sensor_msgs/msg/JointState, rate_hz: 200,
             max_lead_ms: 50}}
features:
  observation.images.front: {{stream: front, width: {WIDTH}, height: {HEIGHT}}}
  observation.images.wrist: {{stream: wrist, width: {WIDTH}, height: {HEIGHT}}}
  observation.state:
    parts:
      - {{stream: left, field: position, joints: [{', '.join(f'left_{n}' for n in JOINTS)}]}}
      - {{stream: right, field: position, joints: [{', '.join(f'right_{n}' for n in JOINTS)}]}}
action:
  sent:
    - {{stream: commands, field: position,
       joints: [{', '.join(f'{side}_{n}' for side in SIDES for n in JOINTS)}]}}
"""
_READY_S = 60.0
_END_S = 20.0
_FLUSH_NS = 500_000_000
_RECORD = struct.Struct('<qq')
_JITTERS = 1009
# After a stall the samples come apart: a driver's queue of 10 does not hold a burst.
_APART_NS = 200_000


class Stream(NamedTuple):
    """One topic: its rate, when it begins, how far a sample may lie off its period, in ns."""

    topic: str
    rate_hz: int
    phase_ns: int
    jitter_ns: int
    joints: tuple[str, ...] = ()
    first: int = 0


def _joints(*sides: str) -> tuple[str, ...]:
    return tuple(f'{side}_{name}' for side in sides for name in JOINTS)


# A wrist picture always lies between two of the front camera; no joint comes with a picture.
STREAMS = {
    'front': Stream('front/image_raw/compressed', FPS, 0, 2_000_000),
    'wrist': Stream('wrist/image_raw/compressed', FPS, 12_000_000, 2_000_000, first=COUNT // 2),
    'left': Stream('left/joint_states', 200, 700_000, 300_000, _joints('left')),
    'right': Stream('right/joint_states', 200, 1_700_000, 300_000, _joints('right')),
    'commands': Stream('joint_commands', 200, 2_700_000, 300_000, _joints(*SIDES))}
CAMERAS = ('front', 'wrist')


def positions(stream: str, number: int | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the joints of a sample, or of many: they tell stream and number, as float32 too."""
    sign = {'left': 1.0, 'right': -1.0, 'commands': 1.0}[stream]
    joints = np.arange(len(STREAMS[stream].joints)) / 16.0
    return sign * (np.asarray(number)[..., None] + joints)


class Published:
    """When each sample was acquired (its stamp) and given to the middleware, by stream, in ns."""

    def __init__(self, folder: Path) -> None:
        """Read what a replay has noted until now, half a second ago at the latest."""
        self.stamps: dict[str, NDArray[np.int64]] = {}
        self.sent: dict[str, NDArray[np.int64]] = {}
        for name in STREAMS:
            data = _notes(folder, name).read_bytes()
            pairs = np.frombuffer(data[:len(data) - len(data) % _RECORD.size], '<i8')
            self.stamps[name], self.sent[name] = pairs.reshape(-1, 2).T.astype(np.int64)

    def delays_s(self, stream: str, begin_ns: int, end_ns: int) -> list[float]:
        """Return how long after its stamp each sample of a time was given to the middleware."""
        stamps = self.stamps[stream]
        chosen = (stamps >= begin_ns) & (stamps <= end_ns)
        return ((self.sent[stream] - stamps)[chosen] * 1e-9).tolist()


class Replay:
    """The process, seen from a benchmark."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        """Start it on a folder with `pictures/` and wait until it publishes."""
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder)], env=environment, stdin=subprocess.DEVNULL)
        self.pid = self._process.pid
        end = time.monotonic() + _READY_S
        while not all(_notes(folder, name).exists() and _notes(folder, name).stat().st_size
                      for name in STREAMS):
            if self._process.poll() is not None or time.monotonic() > end:
                self.close()
                raise SystemExit('the replay did not begin')
            time.sleep(0.05)

    def published(self) -> Published:
        """Return everything that it had published when this was called."""
        time.sleep(3e-9 * _FLUSH_NS)
        return Published(self.folder)

    def close(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _notes(folder: Path, name: str) -> Path:
    return folder / f'{name}.published'


# In the process --------------------------------------------------------------------------


def _instants(name: str, begin_ns: int) -> Iterator[tuple[int, str, int]]:
    """Yield when each sample of a stream is acquired, with its number."""
    stream = STREAMS[name]
    jitter = np.random.default_rng(stream.phase_ns).integers(
        -stream.jitter_ns, stream.jitter_ns, _JITTERS, endpoint=True).tolist()
    number = 0
    while True:
        due = number * 1_000_000_000 // stream.rate_hz + jitter[number % _JITTERS]
        yield begin_ns + stream.phase_ns + due, name, number
        number += 1


class _Outlet:
    """Publishes the samples of one stream."""

    def __init__(self, node: Any, name: str, folder: Path, pictures: list[Any]) -> None:
        """Make the message once; only stamp and content change."""
        from rclpy.qos import QoSProfile
        from sensor_msgs.msg import CompressedImage
        from sensor_msgs.msg import JointState
        self._name, self._stream, self._pictures = name, STREAMS[name], pictures
        self._message = (JointState(name=self._stream.joints) if self._stream.joints
                         else CompressedImage(format='jpeg'))
        self._publisher = node.create_publisher(
            type(self._message), self._stream.topic, QoSProfile(depth=10))
        # Written out before it is given up: a buffer would lie about the last second.
        self.notes = _notes(folder, name).open('wb')

    def publish(self, stamp_ns: int, number: int) -> None:
        """Publish a sample and note it."""
        message, stream = self._message, self._stream
        if stream.joints:
            message.position = array('d', positions(self._name, number).tobytes())
        else:
            message.data = self._pictures[(number + stream.first) % COUNT]
        stamp = message.header.stamp
        stamp.sec, stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
        sent_ns = time.time_ns()
        self._publisher.publish(message)
        self.notes.write(_RECORD.pack(stamp_ns, sent_ns))


def main() -> None:
    """Publish until SIGTERM."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions
    folder = Path(sys.argv[1])
    pictures = [array('B', data) for data in read_pictures(folder / 'pictures')]
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('replay', start_parameter_services=False)
    outlets = {name: _Outlet(node, name, folder, pictures) for name in STREAMS}
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    begin_ns = flushed_ns = time.time_ns() + 500_000_000
    for due_ns, name, number in heapq.merge(*(_instants(name, begin_ns) for name in STREAMS)):
        time.sleep(max(due_ns - time.time_ns(), _APART_NS) * 1e-9)
        outlets[name].publish(due_ns, number)
        if due_ns - flushed_ns > _FLUSH_NS:
            flushed_ns = due_ns
            for outlet in outlets.values():
                outlet.notes.flush()
        if stopped:
            break
    for outlet in outlets.values():
        outlet.notes.close()
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
