# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The keeper releases the motors of a driver that died, and of no other."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Iterator

from apprentice_sim.testing import SimArm
from conftest import MOTORS
from conftest import NAMES
from feetech_driver import devices
from feetech_driver.bus import FeetechBus
from feetech_driver.keeper import Keeper
import pytest

# A driver as far as the keeper sees it: it holds the arm, then waits to be killed.
DRIVER = """
import signal, sys, time
# Who starts the tests in the background has it ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from feetech_driver.bus import FeetechBus, Motor
from feetech_driver.keeper import Keeper
names = sys.argv[2].split(',')
bus = FeetechBus(sys.argv[1], {name: Motor(i + 1) for i, name in enumerate(names)})
bus.open()
keeper = Keeper(bus.fd, bus.ids)
bus.write_many('torque_enable', dict.fromkeys(names, 1))
assert set(bus.read_many('torque_enable').values()) == {1}
keeper.arm()
print(keeper.pid, flush=True)
while True:
    bus.read_state()
    bus.write_goals(dict.fromkeys(names, 2048))
    time.sleep(0.004)
"""


@pytest.fixture
def keeper(bus: FeetechBus) -> Iterator[Keeper]:
    started = Keeper(bus.fd, bus.ids)
    yield started
    started.close()


def hold(bus: FeetechBus) -> None:
    bus.write_many('torque_enable', dict.fromkeys(NAMES, 1))
    assert set(bus.read_many('torque_enable').values()) == {1}


def gone(pid: int) -> bool:
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as file:
            return file.read().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:
        return True


def held(arm: SimArm) -> set[int]:
    return set(arm.registers('torque_enable').values())


@pytest.mark.parametrize('end', ['kill', 'kill group', 'interrupt group', 'terminate group'])
def test_a_killed_driver_is_released(arm: SimArm, end: str) -> None:
    """However the driver dies, torque goes off, the port is free and no process is left."""
    driver = subprocess.Popen(
        [sys.executable, '-c', DRIVER, arm.port, ','.join(NAMES)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    keeper_pid = int(driver.stdout.readline())
    killed = time.monotonic()
    if end == 'kill':
        driver.kill()
    else:
        signals = {'kill group': signal.SIGKILL, 'interrupt group': signal.SIGINT,
                   'terminate group': signal.SIGTERM}
        os.killpg(driver.pid, signals[end])
    driver.communicate()
    assert held(arm) == {1}, 'the arm is let down slowly, not dropped'
    assert arm.wait_until(lambda: held(arm) == {0})
    assert time.monotonic() - killed > 0.9
    assert arm.wait_until(lambda: gone(keeper_pid), 4.0)
    assert time.monotonic() - killed < 4.0
    bus = FeetechBus(arm.port, MOTORS)
    bus.open()
    assert arm.wait_until(lambda: len(bus.read_state()) == len(NAMES))
    bus.close()


def test_the_next_driver_waits_for_the_release(arm: SimArm) -> None:
    """A driver started at once after a crash opens the port when the keeper is done with it."""
    driver = subprocess.Popen(
        [sys.executable, '-c', DRIVER, arm.port, ','.join(NAMES)], stdout=subprocess.PIPE)
    driver.stdout.readline()
    driver.kill()
    driver.communicate()
    bus = FeetechBus(arm.port, MOTORS)
    bus.open()
    assert held(arm) == {0}
    bus.close()


def test_disarmed_it_does_nothing(bus: FeetechBus, arm: SimArm, keeper: Keeper) -> None:
    """After disarm the death of the driver leaves torque as it is."""
    hold(bus)
    keeper.arm()
    keeper.disarm()
    arm.taps.clear()
    keeper.close_unreleased()
    assert held(arm) == {1}
    assert arm.taps.events == []


def test_never_armed_it_does_nothing(bus: FeetechBus, arm: SimArm, keeper: Keeper) -> None:
    """A driver that dies before it takes the arm leaves torque as it is."""
    hold(bus)
    arm.taps.clear()
    keeper.close_unreleased()
    assert arm.taps.events == []


def test_closing_ends_the_process_and_touches_nothing(
    bus: FeetechBus, arm: SimArm, keeper: Keeper,
) -> None:
    """An orderly end leaves torque as it is and no process behind."""
    hold(bus)
    keeper.arm()
    arm.taps.clear()
    pid = keeper.pid
    start = time.monotonic()
    keeper.close()
    assert time.monotonic() - start < 1.0
    assert gone(pid)
    assert arm.taps.events == []


def test_signals_do_not_reach_it(bus: FeetechBus, arm: SimArm, keeper: Keeper) -> None:
    """Ctrl-C, SIGTERM and SIGHUP to the keeper itself change nothing."""
    hold(bus)
    keeper.arm()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(keeper.pid, name)
    assert os.getsid(keeper.pid) == keeper.pid
    keeper.close_unreleased()
    assert held(arm) == {0}


def test_it_lets_an_unplugged_port_go(
    bus: FeetechBus, arm: SimArm, keeper: Keeper, tmp_path: Path,
) -> None:
    """The name of an unplugged device is not kept occupied by the keeper."""
    def port_is_open() -> bool:
        links = [str(link) for link in Path(f'/proc/{keeper.pid}/fd').iterdir()]
        return any(devices.link_target(link).startswith('/dev/pts/') for link in links)
    keeper.arm()
    assert arm.wait_until(port_is_open)
    arm.unplug()
    assert arm.wait_until(lambda: not port_is_open())
    assert keeper.alive


def test_after_a_reconnect_it_keeps_the_new_port(
    bus: FeetechBus, arm: SimArm, keeper: Keeper,
) -> None:
    """A keeper reopened on the new descriptor is armed as before and releases there."""
    keeper.arm()
    arm.unplug()
    arm.replug()
    bus.reopen()
    keeper.reopen(bus.fd)
    hold(bus)
    assert keeper.armed
    keeper.close_unreleased()
    assert held(arm) == {0}


def test_a_dead_port_ends_it_at_once(
    bus: FeetechBus, arm: SimArm, tmp_path: Path,
) -> None:
    """Without a port to release on the keeper exits, and its report says so."""
    report = tmp_path / 'report'
    keeper = Keeper(bus.fd, bus.ids, report=report)
    keeper.arm()
    arm.unplug()
    start = time.monotonic()
    keeper.close_unreleased()
    assert time.monotonic() - start < 1.0
    assert 'not confirmed: ids [1, 2, 3, 4, 5, 6]' in report.read_text()


def test_the_report_tells_what_was_done(
    bus: FeetechBus, arm: SimArm, tmp_path: Path,
) -> None:
    """A release leaves a line that names the ids switched off and those that failed."""
    report = tmp_path / 'report'
    keeper = Keeper(bus.fd, bus.ids, report=report)
    keeper.arm()
    arm.bus.silence('elbow_flex')
    keeper.close_unreleased()
    assert report.read_text() == 'torque off: ids [1, 2, 4, 5, 6]; not confirmed: ids [3]\n'


def test_a_killed_keeper_is_noticed_and_replaced(
    bus: FeetechBus, arm: SimArm, keeper: Keeper,
) -> None:
    """A driver can see that its keeper is gone, and start another."""
    os.kill(keeper.pid, signal.SIGKILL)
    assert arm.wait_until(lambda: not keeper.alive)
    with pytest.raises(BrokenPipeError):
        keeper.arm()
    keeper.disarm()
    keeper.reopen(bus.fd)
    assert keeper.alive


def test_it_is_there_at_once_and_small(bus: FeetechBus) -> None:
    """The process costs little time and memory, for it runs beside every driver."""
    start = time.monotonic()
    keeper = Keeper(bus.fd, bus.ids)
    keeper.arm()
    keeper.disarm()
    keeper.close()
    assert time.monotonic() - start < 0.5
    keeper = Keeper(bus.fd, bus.ids)
    modules = Path(f'/proc/{keeper.pid}/status').read_text()
    assert int(modules.split('VmRSS:')[1].split()[0]) < 16_000
    keeper.close()
