# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The camera node as a process on the graph."""
from __future__ import annotations

from collections.abc import Iterator
import time

from camera_harness import Graph
from camera_harness import graph
from camera_harness import stamp_ns
from fake_v4l2 import Camera
from fake_v4l2 import Machine
from lifecycle_msgs.msg import Transition
import numpy as np
from pictures import decoded
from pictures import number
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from streams import MjpegServer
from streams import serving

pytestmark = pytest.mark.timeout(180)
OK, WARN, ERROR = 0, 1, 2
MS = 1_000_000


@pytest.fixture
def on() -> Iterator[Graph]:
    """Give a graph of the test's own."""
    with graph() as found:
        yield found


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    """Give a network camera."""
    with serving(MjpegServer) as running:
        yield running


def settle(on: Graph) -> None:
    on.until(lambda: on.level == OK and on.values.get('received', '0') != '0',
             'the camera is not well')


def test_a_network_camera_comes_out_untouched(on: Graph, server: MjpegServer) -> None:
    """The bytes on image_raw/compressed are the camera's; the other topics when asked for."""
    pictures = on.pictures()
    begin_ns = time.time_ns()
    camera = on.start(index_or_path=server.url, warmup_s=0.0)
    on.until(lambda: len(pictures) >= 20, 'no pictures')
    for message in pictures:
        assert bytes(message.data) in server.pictures
        assert message.header.frame_id == 'front_optical_frame'
        assert message.format == 'rgb8; jpeg compressed bgr8'
        assert begin_ns < stamp_ns(message) < time.time_ns()
    numbers = [server.pictures.index(bytes(message.data)) for message in pictures]
    assert all(0 < (b - a) % 100 < 50 for a, b in zip(numbers, numbers[1:]))
    raw, info = on.listen(Image, 'image_raw'), on.listen(CameraInfo, 'camera_info')
    on.until(lambda: raw and info, 'no raw picture')
    image = raw[0]
    assert (image.encoding, image.width, image.height, image.step) == ('rgb8', 640, 480, 1920)
    pixels = np.frombuffer(image.data, np.uint8).reshape(480, 640, 3)
    on.until(lambda: any(stamp_ns(m) == stamp_ns(image) for m in pictures), 'the same instant')
    twin = next(m for m in pictures if stamp_ns(m) == stamp_ns(image))
    assert number(pixels) == number(decoded(twin.data)) and pixels[400, 10].argmax() == 0
    assert (info[0].width, info[0].height, info[0].distortion_model) == (640, 480, '')
    on.until(lambda: on.level == OK and float(on.values.get('rate [Hz]', 0)) > 20, 'the rate')
    assert on.values['stamps'] == 'arrival of the last byte'
    assert on.values['compressed'] == "the camera's own JPEG, passed through"
    assert on.values['rate expected [Hz]'] == '30'
    on.end(camera)


def test_a_device_that_is_lost_comes_back_in_place(on: Graph, machine: Machine) -> None:
    """Unplugged: ERROR. Plugged in under another number: pictures go on from the same process."""
    pictures = on.pictures()
    camera = on.start(machine.environment, index_or_path=0, warmup_s=0.2, reconnect_period_s=0.1)
    on.until(lambda: len(pictures) >= 5, 'no pictures')
    settle(on)
    assert on.values['stamps'] == 'kernel' and on.values['exposure'] == '25 ms (auto)'
    assert on.values['device'] == '/dev/video0 (Fake Camera)'
    steps = [stamp_ns(b) - stamp_ns(a) for a, b in zip(pictures, pictures[1:])]
    assert all(step % (33 * MS) == 0 for step in steps), steps
    machine.unplug(0)
    on.until(lambda: on.level == ERROR and 'no camera is called' in on.message, 'no error')
    pictures.clear()
    machine.plug(6)
    on.until(lambda: len(pictures) >= 5, 'no pictures after the return')
    settle(on)
    assert on.values['reconnects'] == '1'
    on.until(lambda: on.values['device'] == '/dev/video6 (Fake Camera)', 'the new number')
    output = on.end(camera)
    assert 'camera lost: /dev/video0 is gone: unplugged' in output
    assert 'camera back: /dev/video6 (Fake Camera)' in output


def test_rate_and_freeze_are_told(on: Graph, machine: Machine) -> None:
    """A camera slower than it says, one that is useless, a frozen one."""
    camera = on.start(machine.environment, index_or_path='0', warmup_s=0.0, timeout_s=0.5,
                      reconnect_period_s=0.1)
    settle(on)
    assert on.values['compressed'] == 'nobody listens'
    machine.fault(0, 'really 20')
    on.until(lambda: on.level == WARN and 'Hz instead of 30 Hz: dim light' in on.message, 'slow')
    machine.fault(0, 'really 8')
    on.until(lambda: on.level == ERROR and 'Hz instead of 30 Hz' in on.message, 'useless')
    machine.fault(0, 'frozen')
    on.until(lambda: on.level == ERROR and (
        'frozen' in on.message or 'sends no picture' in on.message), 'frozen')
    machine.fault(0)
    settle(on)
    machine.fault(0, 'really 60')
    on.until(lambda: on.level == WARN and 'set the camera, or fps' in on.message, 'fast')
    output = on.end(camera)
    assert output.count('Hz instead of 30 Hz: dim light') == 1, output


def test_exposure_can_be_changed_while_it_streams(on: Graph, machine: Machine) -> None:
    """What the camera refuses is told on /diagnostics until something else is set."""
    camera = on.start(machine.environment, index_or_path='0', warmup_s=0.0)
    settle(on)

    def put(name: str, value: object) -> bool:
        parameter = Parameter(name, value=value).to_parameter_msg()
        return on.call(SetParameters, 'set_parameters', parameters=[parameter]) \
            .results[0].successful

    assert put('exposure', 12.5)
    on.until(lambda: on.values.get('exposure') == '12.5 ms', 'the exposure')
    assert put('exposure', 'bright')
    on.until(lambda: on.level == WARN and "found 'bright', expected auto or a number"
             in on.message, 'the refusal of a word')
    assert put('exposure', 900)
    on.until(lambda: on.level == WARN and 'expected 0.3 to 204.7 ms' in on.message, 'the refusal')
    assert put('exposure', 'auto')
    on.until(lambda: on.level == OK and '(auto)' in on.values['exposure'], 'the automatic')
    assert not put('width', 320)
    on.end(camera)


def test_lifecycle(on: Graph, machine: Machine) -> None:
    """Inactive: open and silent. Cleaned up: the device is free for others."""
    pictures = on.pictures()
    camera = on.start(machine.environment, index_or_path=Camera().serial, autostart=False,
                      warmup_s=0.0)
    assert on.state() == 'unconfigured'
    assert on.change(Transition.TRANSITION_CONFIGURE)
    settle(on)
    assert on.values['published'] == '0' and not pictures
    assert on.change(Transition.TRANSITION_ACTIVATE)
    on.until(lambda: len(pictures) > 3, 'no pictures')
    second = on.start(machine.environment, index_or_path='0', warmup_s=0.0)
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f'in use by process {camera.pid} (' in output and 'Traceback' not in output, output
    assert on.change(Transition.TRANSITION_DEACTIVATE)
    assert on.change(Transition.TRANSITION_CLEANUP)
    third = on.start(machine.environment, index_or_path='0', warmup_s=0.0)
    pictures.clear()
    on.until(lambda: len(pictures) > 3, 'no pictures of the other')
    on.end(third)
    on.end(camera)


def test_what_cannot_start_says_so_once(on: Graph, machine: Machine) -> None:
    """Exit code 1 and the candidates for a camera that is not there; 2 for bad parameters."""
    missing = on.start(machine.environment, index_or_path='SN7')
    contradicted = on.start(machine.environment, fourcc='MJ', rotation=45)
    unknown = on.start(machine.environment, exposure='bright')
    output, _ = missing.communicate(timeout=60)
    assert missing.returncode == 1 and output.count('SN7') == 1, output
    assert '/dev/video0, Fake Camera, USB 046d:0825, serial number SN42' in output
    output, _ = contradicted.communicate(timeout=60)
    assert contradicted.returncode == 2
    assert "/front/camera: parameter 'rotation': found 45, expected one of 0, 90, 180, -90" \
        in output
    output, _ = unknown.communicate(timeout=60)
    assert unknown.returncode == 2
    assert "'exposure': found 'bright', expected auto or a number" in output
