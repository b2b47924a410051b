# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The topics of a camera, each made only while somebody listens."""
from __future__ import annotations

import array

import numpy as np
from opencv_camera_driver.calibration import Calibration
from opencv_camera_driver.parameters import CameraConfig
from opencv_camera_driver.picture import Picture
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

_QOS = QoSProfile(depth=10)
# What compressed_image_transport calls a JPEG of a colour camera.
_FORMAT = 'rgb8; jpeg compressed bgr8'
_NS = 1_000_000_000


class Outlets:
    """Publish pictures; for one thread."""

    def __init__(
        self, node: Node, config: CameraConfig, width: int, height: int,
        calibration: Calibration | None,
    ) -> None:
        """Make the topics; size in pixels after rotation."""
        self._node = node
        self._config = config
        self._raw = node.create_publisher(Image, 'image_raw', _QOS)
        self._compressed = node.create_publisher(CompressedImage, 'image_raw/compressed', _QOS)
        self._info = node.create_publisher(CameraInfo, 'camera_info', _QOS)
        self._info_message = camera_info(width, height, calibration)
        self._image_message = Image(
            height=height, width=width, encoding=f'{config.color_mode}8', step=width * 3)
        self.published = 0
        self.passed_through: bool | None = None

    def publish(self, picture: Picture, stamp_ns: int) -> None:
        """Publish what is listened to; CameraError for a damaged picture."""
        header = Header(frame_id=self._config.frame_id)
        header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, _NS)
        if self._compressed.get_subscription_count():
            message = CompressedImage(header=header, format=_FORMAT)
            message.data = array.array('B', picture.jpeg(self._config.jpeg_quality))
            self._compressed.publish(message)
            self.passed_through = picture.passes_through
        else:
            self.passed_through = None
        if self._raw.get_subscription_count():
            self._raw.publish(self._image(picture, header))
        if self._info.get_subscription_count():
            self._info_message.header = header
            self._info.publish(self._info_message)
        self.published += 1

    def _image(self, picture: Picture, header: Header) -> Image:
        """Return the one message that every picture is drawn into: its pages stay in memory."""
        message = self._image_message
        message.header = header
        if not message.data:
            message.data = array.array('B', bytes(message.step * message.height))
        picture.draw(np.frombuffer(message.data, np.uint8).reshape(
            message.height, message.width, 3), self._config.color_mode)
        return message

    def destroy(self) -> None:
        """Take the topics away."""
        for publisher in (self._raw, self._compressed, self._info):
            self._node.destroy_publisher(publisher)


def camera_info(width: int, height: int, calibration: Calibration | None) -> CameraInfo:
    """Return the message of a calibration; without one the matrices are zero, as ROS has it."""
    message = CameraInfo(width=width, height=height)
    if calibration is not None:
        message.distortion_model = calibration.model
        message.d = list(calibration.d)
        message.k, message.r, message.p = calibration.k, calibration.r, calibration.p
    return message
