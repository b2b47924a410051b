# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Simulated arms, real drivers on them, and the doctor that looks at both."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import subprocess
import sys
import time
from typing import Any

from ament_index_python.packages import get_package_prefix
from apprentice_doctor import doctor
from apprentice_doctor.listening import ros_node
from apprentice_sim.presets import default_joints
from apprentice_sim.testing import SimArm
from apprentice_sim.testing import so_arm_bus
from trajectory_msgs.msg import JointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint
import yaml

# The simulated arm runs in a thread of the test: the two must take turns within a reply's time.
sys.setswitchinterval(0.0005)

WAIT_S = 30.0
NOBODY = 65534


def write_calibration(path: Path, role: str, **changes: int) -> Path:
    """Write the simulated arm's calibration file, with fields of its gripper changed."""
    content = {
        name: {'id': joint.servo_id, 'drive_mode': 0, 'homing_offset': joint.homing_offset,
               'range_min': joint.range_min, 'range_max': joint.range_max,
               **(changes if name == 'gripper' else {})}
        for name, joint in default_joints(role).items()}
    path.write_text(json.dumps(content))
    return path


class Stage:
    """One simulated follower, drivers started on it, and a hardware file that names it."""

    def __init__(self, arm: SimArm, folder: Path) -> None:
        self.arm = arm
        self.folder = folder
        self.calibration = write_calibration(folder / 'follower.json', 'follower')
        self.hardware = folder / 'hardware.yaml'
        self.name_arms(follower=(arm.port, self.calibration))
        self.domain = ''
        self.drivers: list[subprocess.Popen[str]] = []

    def name_arms(self, **arms: tuple[str, Path]) -> None:
        """Write the hardware file."""
        write_hardware(self.hardware, **arms)

    def start(self) -> subprocess.Popen[str]:
        """Start a driver in namespace /follower, and wait for neither good nor bad."""
        process = start_driver(self.arm.port, self.calibration, self.domain)
        self.drivers.append(process)
        return process

    def drive(self) -> subprocess.Popen[str]:
        """Start a driver and wait until it holds the arm."""
        process = self.start()
        heard(process, 'torque is on')
        assert self.torque() == {1}
        return process

    def torque(self) -> set[int]:
        """Return the distinct values of the torque registers."""
        return set(self.arm.registers('torque_enable').values())

    def close(self) -> None:
        """End every driver that still runs, and what keeps their ports."""
        for process in self.drivers:
            end(process)


def start_driver(
    port: str, calibration: Path, domain: str = '', autostart: str = 'true',
) -> subprocess.Popen[str]:
    """Start a driver in namespace /follower, by default in this domain; it waits for motors."""
    driver = Path(get_package_prefix('feetech_driver'), 'lib', 'feetech_driver', 'driver')
    return subprocess.Popen(
        [str(driver), '--ros-args', '-r', '__ns:=/follower', '-p', f'port:={port}',
         '-p', f'calibration_file:={calibration}', '-p', 'connect_timeout_s:=60.0',
         '-p', f'autostart:={autostart}'], text=True,
        env=os.environ | ({'ROS_DOMAIN_ID': domain} if domain else {}),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def heard(process: subprocess.Popen[str], words: str) -> None:
    """Wait until a process says something."""
    said = []
    while not said or words not in said[-1]:
        said.append(process.stdout.readline())
        assert said[-1], said


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process that still runs."""
    if process.poll() is None:
        process.kill()
    process.communicate()


def write_hardware(path: Path, **arms: tuple[str, Path]) -> Path:
    """Write a hardware file that names these arms."""
    path.write_text(yaml.safe_dump({'version': 1, 'cameras': {}, **{
        role: {'port': port, 'calibration_file': str(file)}
        for role, (port, file) in arms.items()}}))
    return path


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Give a simulated follower; its drivers end with the block."""
    with so_arm_bus('follower', folder) as arm:
        stage = Stage(arm, folder)
        try:
            yield stage
        finally:
            stage.close()


@contextmanager
def commanding(arm: str = '/follower') -> Iterator[Callable[[dict[str, float], int], None]]:
    """Give a function that sends one point, so many times at 100 Hz, as source teleop."""
    with ros_node('commander') as (node, _executor):
        publisher = node.create_publisher(
            JointTrajectory, f'{arm}/sources/teleop/joint_trajectory', 1)
        until(publisher.get_subscription_count, 'no driver listens')

        def send(positions: dict[str, float], times: int) -> None:
            message = JointTrajectory(joint_names=list(positions))
            point = JointTrajectoryPoint(positions=list(map(float, positions.values())))
            point.time_from_start.nanosec = 20_000_000
            message.points = [point]
            for _ in range(times):
                publisher.publish(message)
                time.sleep(0.01)

        yield send


def until(condition: Callable[[], Any], what: str) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def examine(capsys: Any, hardware: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the doctor here; return its exit code and its findings by name."""
    capsys.readouterr()
    code = doctor.main(['--hardware', str(hardware), '--json', '--seconds', '0.5', *arguments])
    content = json.loads(capsys.readouterr().out)
    found = {item['name']: item for item in content['findings']}
    found['scenarios'] = content['scenarios']
    return code, found


def seen(capsys: Any, hardware: Path, name: str, *arguments: str) -> dict[str, Any]:
    """Return the finding of this name, which must be there."""
    _code, found = examine(capsys, hardware, *arguments)
    assert name in found, found
    return found[name]


def as_nobody(code: str, *arguments: str) -> str:
    """Run Python code without the rights of root; return what it prints."""
    # Imported before the change of user, who may not be allowed to read our packages.
    before = f'import apprentice_doctor.doctor, os; os.geteuid() or os.setuid({NOBODY})\n'
    result = subprocess.run([sys.executable, '-c', before + code, *arguments], text=True,
                            capture_output=True, timeout=60)
    assert not result.stderr, result.stderr
    return result.stdout


def program(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the doctor as a program."""
    return subprocess.run(
        [sys.executable, '-m', 'apprentice_doctor.doctor', *arguments], text=True,
        capture_output=True, timeout=60, **{'env': dict(os.environ), **options})
