# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The launch file, and that a real camera does what the robots' contracts ask for."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import re
import signal
import subprocess

from apprentice_contract.contract import load_contract
from apprentice_contract.pictures import picture
from camera_harness import Graph
from camera_harness import graph
from opencv_camera_driver.parameters import SPECS
from probe import configured
import pytest
from streams import MjpegServer
from streams import serving
import yaml

pytestmark = pytest.mark.timeout(180)
CONFIG = Path(__file__).resolve().parents[3] / 'config'
ROBOTS = ('so100', 'so101')
LAUNCH = ['ros2', 'launch', 'opencv_camera_driver', 'camera.launch.py']


@pytest.fixture
def on() -> Iterator[Graph]:
    """Give a graph of the test's own."""
    with graph() as found:
        yield found


def examples(robot: str) -> dict[str, dict[str, object]]:
    """Read the cameras that stand as comments in a hardware file."""
    text = (CONFIG / robot / 'hardware.yaml').read_text()
    lines = re.findall(r'^#  ( +\w.*)$', text, re.MULTILINE)
    return yaml.safe_load('\n'.join(lines))


@pytest.mark.parametrize('robot', ROBOTS)
def test_the_examples_fit_the_contract(robot: str) -> None:
    """What an operator copies are cameras of the contract with its size and rate."""
    contract = load_contract(CONFIG / robot / 'contract.yaml')
    found = examples(robot)
    cameras = contract.cameras.values()
    assert set(found) == {camera.stream for camera in cameras} == {'front', 'wrist'}
    for camera in cameras:
        entry = found[camera.stream]
        assert (entry['package'], entry['executable']) == ('opencv_camera_driver', 'camera')
        wanted = configured(**entry['parameters']).wanted
        rate_hz = contract.streams[camera.stream].rate_hz
        assert (wanted.width, wanted.height, wanted.fps) == (camera.width, camera.height, rate_hz)


def test_a_launched_camera_is_read_by_its_contract(on: Graph) -> None:
    """Its topics lie where the contract looks for them, its messages pass the recorder's check."""
    contract = load_contract(CONFIG / 'so100' / 'contract.yaml')
    pictures = on.pictures()
    with serving(MjpegServer) as server:
        launch = subprocess.Popen(
            [*LAUNCH, 'name:=front', f'index_or_path:={server.url}', 'warmup_s:=0', 'fps:=30'],
            env=on.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True)
        try:
            on.until(lambda: len(pictures) > 3, 'no pictures')
            camera = next(one for one in contract.cameras.values() if one.stream == 'front')
            stream = contract.streams['front']
            assert stream.topic == 'front/image_raw/compressed'
            assert picture(pictures[0], camera, stream).kind == 'jpeg'
        finally:
            # What a terminal's Ctrl-C reaches; and a camera left behind would meet later tests.
            os.killpg(launch.pid, signal.SIGINT)
            try:
                output, _ = launch.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(launch.pid, signal.SIGKILL)
                raise
    assert launch.returncode == 0 and 'Traceback' not in output, output


def test_every_parameter_is_an_argument() -> None:
    """With a description and the default of the node."""
    result = subprocess.run([*LAUNCH, '--show-args'], text=True, capture_output=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    for spec in SPECS:
        assert f"'{spec.name}':" in result.stdout
