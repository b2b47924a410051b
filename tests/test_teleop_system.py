# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The whole robot: from a hand on the leader to the follower's motors, and to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
import os
from pathlib import Path
import signal
import time

from ament_index_python.packages import get_package_share_directory
from apprentice_sim.testing import so_arm_process
import domain_coordinator
from feetech_driver.bus import FeetechBus
from feetech_driver.motors import Motor
import pytest
from robot_harness import GONE_S
from robot_harness import Launch
from robot_harness import launched
from robot_harness import wait
from robot_harness import Watcher

pytestmark = pytest.mark.timeout(90)
TELEOP = ('so100_bringup', 'teleop.launch.py', 'hardware:=sim', 'cameras:=none')
FOLLOWER, LEADER, WORLD = ('__ns:=/follower',), ('__ns:=/leader',), ('apprentice_sim/world',)
TELEOP_NODE, CAMERAS = ('apprentice_teleop/teleop',), ('apprentice_sim/cameras',)


@pytest.fixture
def domain() -> Iterator[str]:
    """Give the test a domain of its own."""
    with domain_coordinator.domain_id() as number:
        yield str(number)


def bring_up(launch: Launch, watcher: Watcher) -> float:
    """Wait until teleoperation runs; return the seconds to the follower's first state."""
    assert watcher.wait(lambda: 'follower/joint_states' in watcher.states), launch.output()
    first_s = time.monotonic() - launch.begin
    assert watcher.wait(watcher.is_tracking), launch.output()
    return first_s


def follows(watcher: Watcher, **positions: float) -> bool:
    """Move the leader by hand and return whether the follower comes along."""
    def arrived() -> bool:
        watcher.hold_leader(**positions)
        return all(abs(watcher.follower(joint) - q) < 0.06 for joint, q in positions.items())
    return watcher.wait(arrived, 10.0)


def test_the_follower_follows_a_hand_on_the_leader(domain: str, tmp_path: Path) -> None:
    """Bring-up takes seconds, both directions are followed, Ctrl-C ends everything cleanly."""
    with launched(*TELEOP, domain=domain, folder=tmp_path) as (launch, watcher):
        first_s = bring_up(launch, watcher)
        print(f'first follower state after {first_s:.2f} s (wanted: < 5)')
        assert first_s < 20.0
        assert 'SIMULATION: asked for' in launch.output()
        before = watcher.follower('shoulder_pan')
        assert follows(watcher, shoulder_pan=before + 0.4, wrist_roll=0.3)
        assert follows(watcher, shoulder_pan=before - 0.2, wrist_roll=0.0)
        # The world's own truth, not what a driver says of it.
        assert watcher.wait(lambda: abs(watcher.world.follower[0] - before + 0.2) < 0.06, 5.0)
        launch.end(signal.SIGINT)
        launch.assert_gone()
        assert 'torque is off' in launch.output()
        assert 'Traceback' not in launch.output()


def test_sigterm_ends_everything(domain: str, tmp_path: Path) -> None:
    """A service manager's way to stop, a signal to every process, is as clean as Ctrl-C."""
    with launched(*TELEOP, domain=domain, folder=tmp_path) as (launch, watcher):
        bring_up(launch, watcher)
        os.killpg(launch.process.pid, signal.SIGTERM)
        launch.process.wait(GONE_S)
        assert wait(lambda: not launch.processes(), GONE_S), launch.processes()
        # Not in the output: upstream's launch is gone before it could pass that on.
        logs = [path.read_text() for path in (tmp_path / 'log').rglob('*.log')]
        assert any('torque is off' in text for text in logs)


def test_ctrl_c_in_a_terminal_twice_still_releases(domain: str, tmp_path: Path) -> None:
    """The terminal signals every process, and an impatient operator does so again."""
    with launched(*TELEOP, domain=domain, folder=tmp_path) as (launch, watcher):
        bring_up(launch, watcher)
        for _ in range(2):
            os.killpg(launch.process.pid, signal.SIGINT)
            for pid in launch.processes():
                os.kill(pid, signal.SIGINT)
            time.sleep(0.2)
        launch.process.wait(15.0)
        launch.assert_gone()
        assert 'torque is off' in launch.output()


@pytest.mark.parametrize('victim, name', [
    (FOLLOWER, 'follower/feetech_driver'), (LEADER, 'leader/feetech_driver'),
    (WORLD, 'sim/world'), (TELEOP_NODE, 'teleop')])
def test_the_death_of_an_essential_node_ends_the_launch(
    domain: str, tmp_path: Path, victim: tuple[str, ...], name: str,
) -> None:
    """Non-zero, the dead one is named, nothing is left."""
    with launched(*TELEOP, domain=domain, folder=tmp_path) as (launch, watcher):
        bring_up(launch, watcher)
        os.kill(launch.find(*victim), signal.SIGKILL)
        assert launch.process.wait(15.0) == 1
        launch.assert_gone()
        assert f'{name} ended (exit code -9), which the robot cannot do without' \
            in launch.output()


def test_the_arms_outlive_their_cameras(domain: str, tmp_path: Path) -> None:
    """A camera that dies is reported, and the follower still follows."""
    arguments = (*TELEOP[:3], 'cameras:=front', 'namespace:=robot1')
    with launched(
        *arguments, domain=domain, folder=tmp_path, namespace='robot1',
    ) as (launch, watcher):
        bring_up(launch, watcher)
        assert watcher.wait(lambda: 'sim.cameras]: front by' in launch.output())
        os.kill(launch.find(*CAMERAS), signal.SIGKILL)
        assert watcher.wait(lambda: 'the arms keep running' in launch.output(), 5.0)
        assert follows(watcher, shoulder_pan=0.3)
        launch.end(signal.SIGINT)
        launch.assert_gone()


def test_one_arm_alone(domain: str, tmp_path: Path) -> None:
    """The driver's launch file publishes the leader and starts no teleoperation."""
    arguments = ('so101_bringup', 'driver.launch.py', 'role:=leader')
    with launched(*arguments, domain=domain, folder=tmp_path) as (launch, watcher):
        assert watcher.wait(lambda: 'leader/joint_states' in watcher.states), launch.output()
        assert 'so101: leader at' in launch.output()
        assert 'follower/joint_states' not in watcher.states
        launch.end(signal.SIGINT)
        launch.assert_gone()


def test_a_bad_parameter_file_ends_the_launch(domain: str, tmp_path: Path) -> None:
    """The node's own words name the key, and the launch fails."""
    path = tmp_path / 'params.yaml'
    path.write_text('/**/teleop:\n  ros__parameters:\n    lead: 0.02\n')
    with launched(
        *TELEOP, f'params_file:={path}', domain=domain, folder=tmp_path,
    ) as (launch, _):
        assert launch.process.wait(30.0) == 1
        launch.assert_gone()
        assert "parameter 'lead' does not exist; did you mean 'lead_s'?" in launch.output()


# Configured ports -------------------------------------------------------------------------


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Serve two arms from processes of their own: for the launch they are hardware."""
    with ExitStack() as stack:
        yield {
            role: stack.enter_context(so_arm_process(
                role, tmp_path, '--calibration', str(calibration(role))))[0]
            for role in ('leader', 'follower')}


def calibration(role: str) -> Path:
    """Return the calibration file of the simulated arm."""
    return Path(get_package_share_directory('so100_bringup')) / 'config/sim' / f'{role}.json'


def hardware_file(folder: Path, ports: dict[str, str]) -> Path:
    """Write an operator's file with both ports."""
    path = folder / 'hardware.yaml'
    path.write_text('version: 1\n' + ''.join(
        f'{role}: {{port: {port}, calibration_file: {calibration(role)}}}\n'
        for role, port in ports.items()))
    return path


def assert_released(port: str) -> None:
    """Fail unless the port can be opened by itself alone and no motor has torque."""
    bus = FeetechBus(port, {f'motor_{ident}': Motor(ident, 'sts3215') for ident in range(1, 7)})
    bus.open()
    try:
        torque: dict[str, int] = {}
        wait(lambda: torque.update(bus.read_many('torque_enable')) or len(torque) == 6, 5.0)
        assert list(torque.values()) == [0] * 6
    finally:
        bus.close()


@pytest.mark.parametrize('how', ['ctrl-c', 'driver killed'])
def test_configured_ports_are_used_and_set_free(
    domain: str, tmp_path: Path, ports: dict[str, str], how: str,
) -> None:
    """`auto` drives the arms behind the ports; afterwards torque is off and no lock is left."""
    arguments = (
        'so100_bringup', 'teleop.launch.py', f'hardware_file:={hardware_file(tmp_path, ports)}')
    with launched(*arguments, domain=domain, folder=tmp_path) as (launch, watcher):
        bring_up(launch, watcher)
        assert 'SIMULATION' not in launch.output()
        assert watcher.wait(lambda: 'follower/joint_commands' in watcher.states, 5.0)
        if how == 'ctrl-c':
            launch.end(signal.SIGINT)
        else:
            os.kill(launch.find(*FOLLOWER), signal.SIGKILL)
            assert launch.process.wait(15.0) == 1
        launch.assert_gone()
        for port in ports.values():
            assert_released(port)
