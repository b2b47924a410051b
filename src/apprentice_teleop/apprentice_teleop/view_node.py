# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Node: cameras, joints and guard state shown in Rerun."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from apprentice_msgs.msg import GuardState
from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import Kind
from apprentice_node.parameters import ParameterSpec
from apprentice_teleop.teleop_parameters import ARM_JOINTS
from apprentice_teleop.viewer import media_type_of
from apprentice_teleop.viewer import Throttle
from apprentice_teleop.viewer import Viewer
from apprentice_teleop.viewer import ViewerError
from builtin_interfaces.msg import Time
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import JointState

SPECS = (
    ParameterSpec('cameras', (), 'Cameras to show.', kind=Kind.STRING_ARRAY),
    ParameterSpec('joints', ARM_JOINTS, 'Joints to show.'),
    ParameterSpec('image_rate_hz', 15.0, 'Images a second of each camera.', minimum=0.1,
                  maximum=120.0),
    ParameterSpec('joint_rate_hz', 50.0, 'Points a second of each curve.', minimum=0.1,
                  maximum=1000.0),
    ParameterSpec('save', '', 'File (.rrd) to write instead of opening a window.'),
)
CURVES = {
    'leader': 'leader/joint_states',
    'follower': 'follower/joint_states',
    'command': 'follower/joint_commands',
}
STATE_NAMES = {
    getattr(GuardState, name): name.lower()
    for name in ('INACTIVE', 'HOLDING', 'RAMPING', 'TRACKING', 'STOPPING', 'ESTOPPED')}


class ViewNode(ManagedNode):
    """Shows what it receives; it publishes nothing and nobody waits for it."""

    expected_errors = (ViewerError,)

    def __init__(self) -> None:
        """Declare the parameters."""
        super().__init__('view', SPECS)
        self._viewer: Viewer | None = None
        self._inputs: list[Subscription] = []

    def configure(self) -> None:
        """Open the viewer."""
        values = self.values
        save = Path(values['save']).expanduser() if values['save'] else None
        self._viewer = Viewer(values['cameras'], values['joints'], save)
        self._joints = frozenset(values['joints'])
        self._images = Throttle(values['image_rate_hz'])
        self._points = Throttle(values['joint_rate_hz'])

    def activate(self) -> None:
        """Subscribe."""
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._inputs = [
            self.create_subscription(
                CompressedImage, f'{camera}/image_raw/compressed',
                partial(self._on_image, camera), 1)
            for camera in self.values['cameras']
        ] + [
            self.create_subscription(JointState, topic, partial(self._on_joints, curve), 10)
            for curve, topic in CURVES.items()
        ] + [self.create_subscription(
            GuardState, 'follower/guard_state', self._on_guard, latched)]

    def deactivate(self) -> None:
        """Unsubscribe; the window stays."""
        while self._inputs:
            self.destroy_subscription(self._inputs.pop())

    def release(self) -> None:
        """Finish the file, or let go of the window."""
        self.deactivate()
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None

    def _on_image(self, camera: str, message: CompressedImage) -> None:
        stamp_ns = _nanoseconds(message.header.stamp)
        if self._images.passes(camera, stamp_ns):
            self._viewer.show_image(
                camera, stamp_ns, media_type_of(message.format), bytes(message.data))

    def _on_joints(self, curve: str, message: JointState) -> None:
        stamp_ns = _nanoseconds(message.header.stamp)
        if not self._points.passes(curve, stamp_ns):
            return
        shown = [pair for pair in zip(message.name, message.position) if pair[0] in self._joints]
        if shown:
            self._viewer.show_joints(curve, stamp_ns, *zip(*shown))

    def _on_guard(self, message: GuardState) -> None:
        state = STATE_NAMES.get(message.state, str(message.state))
        owner = f' by {message.owner}' if message.owner else ''
        self._viewer.show_event(
            _nanoseconds(message.header.stamp), f'{state}{owner}: {message.detail}',
            warn=message.state == GuardState.ESTOPPED)


def _nanoseconds(stamp: Time) -> int:
    return stamp.sec * 10**9 + stamp.nanosec
