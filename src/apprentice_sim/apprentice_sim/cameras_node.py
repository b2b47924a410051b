# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The simulated cameras with a camera driver's topics."""
from __future__ import annotations

import array
from dataclasses import dataclass
import os
import time

from apprentice_msgs.msg import WorldState
from apprentice_node.diagnostics import Health
from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import ParameterSpec
from apprentice_node.priority import lower_priority
from apprentice_node.rates import DurationMonitor
from apprentice_node.rates import RateMonitor
from apprentice_node.runner import run
from apprentice_sim.cameras import FramePicker
from apprentice_sim.cameras import SceneRenderer
from apprentice_sim.cameras import to_jpeg
from apprentice_sim.names import beside
from apprentice_sim.names import NAMESPACE
from apprentice_sim.scene import CAMERAS
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from so_arm_description import ARMS
from std_msgs.msg import Header

STATE_PERIOD_NS = 1e9 / 60
_IMAGE_QOS = QoSProfile(depth=10)

PARAMETERS = (
    ParameterSpec('arm', 'so100', "The world's arm.", choices=ARMS),
    ParameterSpec('cameras', tuple(CAMERAS), 'Which cameras to render.', choices=tuple(CAMERAS)),
    ParameterSpec('width', 640, 'Width of a picture in pixels.', minimum=16, maximum=1920),
    ParameterSpec('height', 480, 'Height of a picture in pixels.', minimum=16, maximum=1080),
    ParameterSpec('rate_hz', 30.0, 'Pictures a second.', minimum=1.0, maximum=60.0),
    ParameterSpec(
        'samples', 0, 'Samples a pixel against jagged edges; 4 doubles the time on a processor.',
        minimum=0, maximum=16),
    ParameterSpec('seed', 0, 'Looks of the first picture, which warms the renderer up.'),
)


@dataclass(frozen=True)
class Outlets:
    """The publishers of one camera and what they say about it."""

    raw: Publisher
    compressed: Publisher
    info: Publisher
    info_message: CameraInfo
    rate: RateMonitor


class CamerasNode(ManagedNode):
    """Render the newest state of the world when a frame is due, for those who listen."""

    def __init__(self) -> None:
        super().__init__('cameras', PARAMETERS, namespace=NAMESPACE)
        self._renderer: SceneRenderer | None = None
        self._subscription = None
        self._outlets: dict[str, Outlets] = {}

    def configure(self) -> None:
        """Make the renderer and the topics."""
        values = self.values
        self._renderer = SceneRenderer(
            values['arm'], values['width'], values['height'], values['samples'])
        self._renderer.warm_up(values['seed'])
        self._outlets = {name: self._make_outlets(name) for name in values['cameras']}
        self._durations = DurationMonitor()
        # Only now, so that a busy host does not hold up the start.
        priority = lower_priority()
        self.get_logger().info(
            f'{", ".join(self._outlets)} by {os.environ.get("MUJOCO_GL", "default OpenGL")}, '
            f'{priority}')

    def activate(self) -> None:
        """Listen to the world."""
        self._picker = FramePicker(self.values['rate_hz'])
        self._subscription = self.create_subscription(
            WorldState, beside(self.get_namespace(), 'sim/world_state'), self._on_state,
            QoSProfile(depth=1))

    def deactivate(self) -> None:
        """Stop listening."""
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None

    def release(self) -> None:
        """Give the renderer and the topics back."""
        self.deactivate()
        for outlets in self._outlets.values():
            for publisher in (outlets.raw, outlets.compressed, outlets.info):
                self.destroy_publisher(publisher)
        self._outlets = {}
        self.drop_rates()
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def health(self) -> list[Health]:
        """Report how long the pictures of one instant take."""
        if self._renderer is None:
            return []
        summary = self._durations.summary()
        return [Health('rendering', values={
            'all cameras p50 [ms]': f'{summary.p50_ns * 1e-6:.1f}',
            'all cameras p99 [ms]': f'{summary.p99_ns * 1e-6:.1f}'})]

    def _on_state(self, state: WorldState) -> None:
        stamp = state.header.stamp
        if not self._picker.due(stamp.sec * 1_000_000_000 + stamp.nanosec, STATE_PERIOD_NS):
            return
        start = time.monotonic_ns()
        shown = False
        for name, outlets in self._outlets.items():
            raw = outlets.raw.get_subscription_count() > 0
            compressed = outlets.compressed.get_subscription_count() > 0
            if (raw or compressed) and not shown:
                self._renderer.show(state.seed, state.qpos)
                shown = True
            header = Header(stamp=stamp, frame_id=f'{name}_optical_frame')
            if raw or compressed:
                self._publish(outlets, header, self._renderer.picture(name), raw, compressed)
            outlets.info_message.header = header
            outlets.info.publish(outlets.info_message)
            outlets.rate.tick()
        if shown:
            self._durations.add(time.monotonic_ns() - start)

    def _publish(
            self, outlets: Outlets, header: Header, picture: object, raw: bool,
            compressed: bool) -> None:
        if compressed:
            message = CompressedImage(header=header, format='rgb8; jpeg compressed bgr8')
            message.data = array.array('B', to_jpeg(picture))
            outlets.compressed.publish(message)
        if raw:
            height, width, channels = picture.shape
            message = Image(
                header=header, height=height, width=width, encoding='rgb8', is_bigendian=0,
                step=width * channels)
            message.data = array.array('B', picture.tobytes())
            outlets.raw.publish(message)

    def _make_outlets(self, name: str) -> Outlets:
        def topic(part: str) -> str:
            return beside(self.get_namespace(), f'{name}/{part}')

        return Outlets(
            raw=self.create_publisher(Image, topic('image_raw'), _IMAGE_QOS),
            compressed=self.create_publisher(
                CompressedImage, topic('image_raw/compressed'), _IMAGE_QOS),
            info=self.create_publisher(CameraInfo, topic('camera_info'), _IMAGE_QOS),
            info_message=camera_info(name, self.values['width'], self.values['height']),
            rate=self.monitor_rate(name, self.values['rate_hz']))


def camera_info(name: str, width: int, height: int) -> CameraInfo:
    """Return the calibration of a camera without distortion."""
    matrix = CAMERAS[name].intrinsics(width, height)
    message = CameraInfo(
        width=width, height=height, distortion_model='plumb_bob', d=[0.0] * 5, k=matrix)
    message.r = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    message.p = (*matrix[0:3], 0.0, *matrix[3:6], 0.0, *matrix[6:9], 0.0)
    return message


def main() -> int:
    """Run the node."""
    return run(CamerasNode)
