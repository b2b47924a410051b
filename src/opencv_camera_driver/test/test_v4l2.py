# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Video devices at the boundary of system calls, against a shim that answers as uvcvideo does."""
from __future__ import annotations

from collections.abc import Callable
import re

from fake_v4l2 import Camera
from fake_v4l2 import Machine
from probe import Probe
import pytest

pytestmark = pytest.mark.timeout(120)
Start = Callable[..., Probe]
MS = 1_000_000


def test_mjpeg_comes_in_order_with_stamps_of_the_kernel(probe: Start) -> None:
    """Stamps are the kernel's: whole milliseconds, a whole number of periods apart."""
    run = probe(index_or_path='0')
    frames = run.frames(10)
    assert run.all('format') == ['MJPG 640x480 at 30 Hz']
    for before, after in zip(frames, frames[1:]):
        assert before['stamp'] % MS == 0
        passed = after['stamp'] - before['stamp']
        # The shim's period is a whole number of milliseconds; each picture has its own number.
        assert passed == 33 * MS * ((after['number'] - before['number']) % 100)
        assert after['now'] >= after['stamp']
    end = run.end()
    assert end['stamps'] == 'kernel'
    assert end['device'] == '/dev/video0 (Fake Camera)'


def test_a_driver_without_stamps_gets_the_arrival(probe: Start, machine: Machine) -> None:
    """Stamps of another clock are not taken for the kernel's."""
    machine.fault(0, 'unstamped')
    run = probe(index_or_path='0')
    assert all(0 <= frame['now'] - frame['stamp'] for frame in run.frames(3))
    assert run.end()['stamps'] == 'arrival'


def test_an_uncompressed_format_is_decoded(probe: Start) -> None:
    """YUYV becomes RGB: red on the left, blue on the right."""
    frame = probe(index_or_path=0, fourcc='YUYV').frames(1)[0]
    assert frame['shape'] == [480, 640, 3]
    assert (colour(frame['left']), colour(frame['right'])) == ('red', 'blue')


def colour(pixel: list[int]) -> str:
    red, green, blue = pixel
    assert abs(red - blue) > 100 > green, pixel
    return 'red' if red > blue else 'blue'


@pytest.mark.parametrize('rotation, shape, left, right', [
    (0, [480, 640, 3], 'red', 'blue'), (90, [640, 480, 3], 'blue', 'blue'),
    (180, [480, 640, 3], 'blue', 'red'), (-90, [640, 480, 3], 'red', 'red')])
def test_pictures_are_turned_clockwise(
        probe: Start, rotation: int, shape: list[int], left: str, right: str) -> None:
    """Width and height are those after rotation, as in LeRobot; looked at in the lower half."""
    frame = probe(index_or_path='0', rotation=rotation, width=shape[1],
                  height=shape[0]).frames(1)[0]
    assert frame['shape'] == shape
    assert (colour(frame['left']), colour(frame['right'])) == (left, right)


@pytest.mark.parametrize('spec', [
    '/dev/video0', Camera().by_id, Camera().serial, Camera().by_path.rpartition('/')[2]])
def test_a_camera_is_found_by_every_name(probe: Start, spec: str) -> None:
    """Number, path, links and serial number mean the same camera."""
    assert probe(index_or_path=spec).frames(1)


@pytest.mark.parametrize('parameters, words', [
    ({'fourcc': 'H264'}, r'does not offer H264 640x480 at 30 Hz.*MJPG 640x480 at 30, 15 Hz'),
    ({'width': 800, 'height': 600}, r'does not offer any format 800x600.*YUYV 320x240 at 30 Hz'),
    ({'fps': 25.0}, r'does not offer any format 640x480 at 25 Hz.*640x480 at 30, 15 Hz'),
    ({'fourcc': 'YUYV', 'fps': 15.0}, r'does not offer YUYV 640x480 at 15 Hz.*at 30, 10 Hz'),
    ({'exposure': '500'}, r"'exposure': found 500 ms, expected 0\.3 to 204\.7 ms or auto"),
    ({'white_balance': 100}, r"'white_balance': found 100 K, expected 2800 to 6500 K or auto"),
    ({'gain': '999'}, r"'gain': found 999, expected 0 to 255 or auto"),
    ({'index_or_path': '/dev/video1'}, r'/dev/video1 .*is no camera: it captures no pictures'),
    ({'index_or_path': '/dev/null'}, r'/dev/null is no video device. Cameras found:'),
    ({'index_or_path': '7'}, r"no camera is called '7'. Cameras found:.*/dev/video0, Fake Camera"),
    ({'index_or_path': 'SN43'}, r"no camera is called 'SN43'. Cameras found:.*SN42"),
    ({'index_or_path': '/dev/v4l/by-id/usb-none'}, r'no camera is called.*Cameras found:'),
])
def test_what_the_camera_has_not_is_refused(
        probe: Start, parameters: dict[str, object], words: str) -> None:
    """The error says what was asked and lists what there is."""
    assert re.search(words, probe(**{'index_or_path': '0', **parameters}).error(), re.DOTALL)


@pytest.mark.parametrize('fault, words', [
    ('size 320 240', r'gives size 320x240 instead of 640x480\. The device offers:.*MJPG 640x480'),
    ('rate 15', r'gives 15 Hz instead of 30 Hz\. The device offers:'),
    ('fourcc YUYV', r'gives format YUYV instead of MJPG\. The device offers:'),
    ('nospace', r'cannot be started: the USB bus has not the bandwidth.*Use fourcc MJPG'),
    ('denied', r'cannot be opened: permission denied. Add yourself to the group video'),
    ('frozen', r'was opened as MJPG 640x480 at 30 Hz but sends no picture'),
])
def test_a_camera_that_gives_something_else_is_refused(
        probe: Start, machine: Machine, fault: str, words: str) -> None:
    """What the device took is read back and held against what was asked."""
    machine.fault(0, fault)
    assert re.search(words, probe(index_or_path='0').error(), re.DOTALL)


def test_a_busy_camera_names_its_user(probe: Start) -> None:
    """The second who wants it is told the first one's process."""
    first = probe(index_or_path='0')
    first.frames(1)
    text = probe(index_or_path='0').error()
    assert f'is in use by process {first.process.pid} (' in text and 'probe.py' in text


def test_no_camera_at_all(probe: Start, machine: Machine) -> None:
    """Without a camera the error says so instead of an empty list."""
    machine.unplug(0)
    assert 'No camera is plugged in' in probe(index_or_path='0').error()


def test_two_cameras_of_one_serial_number_are_not_guessed(probe: Start, machine: Machine) -> None:
    """Which one is meant must be said by the place it is plugged in."""
    machine.plug(2, Camera(port='1-3'))
    text = probe(index_or_path='SN42').error()
    assert "2 cameras are called 'SN42'" in text and Camera(port='1-3').by_path in text


@pytest.mark.parametrize('fault, counter', [
    ('gap', 'lost'), ('error', 'damaged'), ('cut', 'damaged')])
def test_bad_pictures_are_counted_and_not_shown(
        probe: Start, machine: Machine, fault: str, counter: str) -> None:
    """Gaps in the numbers, buffers marked as errors, JPEGs cut short."""
    machine.fault(0, fault)
    run = probe(index_or_path='0')
    frames = run.frames(8)
    if counter == 'damaged':
        assert all(frame['number'] % 3 != 2 for frame in frames)
    assert run.end()[counter] >= 2


def test_settings_are_made_and_read_back(probe: Start) -> None:
    """Values are in ms and K; automatic ones say so."""
    run = probe(index_or_path='0', exposure=10.5, white_balance='auto', gain='12')
    run.frames(2)
    run.wait(lambda: len(run.all('frame')) > 3, 'pictures')
    end = run.end()
    assert (end['exposure'], end['gain']) == ('10.5 ms', '12')
    assert end['white_balance'] == '4000 K (auto)'


def test_automatic_exposure_keeps_the_rate(probe: Start) -> None:
    """The shim halves its rate in automatic exposure, as cameras do, unless it is told not to."""
    frames = probe(index_or_path='0').frames(4)
    numbers = [frame['number'] for frame in frames]
    assert frames[-1]['stamp'] - frames[0]['stamp'] == 33 * MS * (numbers[-1] - numbers[0])


def test_a_frozen_camera_is_opened_anew(probe: Start, machine: Machine) -> None:
    """Silence is a loss; pictures come again when the camera has recovered."""
    run = probe(index_or_path='0', timeout_s=0.3, reconnect_period_s=0.1)
    run.frames(2)
    machine.fault(0, 'frozen')
    run.wait(lambda: run.all('lost'), 'the loss')
    assert re.match(r'frozen: no picture for 0\.\d s', run.all('lost')[0])
    seen = len(run.all('frame'))
    machine.fault(0)
    run.frames(3, seen)
    assert run.all('back') == ['/dev/video0 (Fake Camera)'] and run.end()['reconnects'] == 1


@pytest.mark.parametrize('spec', ['0', Camera().serial, Camera().by_path])
def test_a_camera_comes_back_under_another_number(
        probe: Start, machine: Machine, spec: str) -> None:
    """Another camera that took its number in the meantime is left alone."""
    run = probe(index_or_path=spec, reconnect_period_s=0.1)
    run.frames(2)
    machine.unplug(0)
    run.wait(lambda: run.all('lost'), 'the loss')
    assert '/dev/video0 is gone: unplugged' in run.all('lost')[0]
    machine.plug(0, Camera('Stranger', 'SN1', '1-9'))
    seen = len(run.all('frame'))
    machine.plug(4)
    run.frames(3, seen)
    assert run.all('back') == ['/dev/video4 (Fake Camera)']
    assert run.all('crashed') == []


def test_a_camera_that_comes_back_as_another_is_refused(probe: Start, machine: Machine) -> None:
    """What is asked for may be had in another way, but not what was promised to the readers."""
    run = probe(index_or_path=Camera().by_path, width=0, height=0, reconnect_period_s=0.1)
    run.frames(2)
    machine.unplug(0)
    run.wait(lambda: run.all('lost'), 'the loss')
    machine.plug(0, Camera('Small Camera', modes=('MJPG 320 240 30',)))
    run.wait(lambda: any('comes back as MJPG 320x240 at 30 Hz instead of MJPG 640x480' in text
                         for text in run.all('trouble')), 'the refusal')
    assert run.all('back') == []
