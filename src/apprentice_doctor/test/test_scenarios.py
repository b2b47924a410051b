# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Each of the 17 scenarios is staged, and the doctor names it."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import select
import signal
import threading
import tty
from typing import Any

from apprentice_doctor.bus_look import DYNAMIXEL_PING
from apprentice_doctor.scenarios import SCENARIOS
from apprentice_doctor.scenarios import shown_by
from apprentice_sim.faults import Action
from apprentice_sim.taps import TapKind
from apprentice_sim.testing import so_arm_bus
from doctor_stage import commanding
from doctor_stage import examine
from doctor_stage import Stage
from doctor_stage import until
from doctor_stage import write_calibration
from doctor_stage import write_hardware
from feetech_driver import devices
import pytest

pytestmark = pytest.mark.timeout(120)
BUS = ('--only', 'bus')
GRAPH = ('--only', 'graph')
JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')


def names(capsys: Any, stage: Stage, name: str, *arguments: str) -> dict[str, Any]:
    """Return the finding of this name, which must be there."""
    _code, found = examine(capsys, stage.hardware, *arguments)
    assert name in found, found
    return found[name]


def test_the_table_has_all_seventeen() -> None:
    """Numbers go from 1 to 17, and a finding leads back to its scenario."""
    assert [scenario.number for scenario in SCENARIOS] == list(range(1, 18))
    assert [scenario.number for scenario in shown_by(['overload'])] == [8]
    assert all(scenario.findings for scenario in SCENARIOS)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_1_and_2_a_driver_that_ended_well_leaves_all_well(
    stage: Stage, capsys: Any, number: int,
) -> None:
    """After motion and a signal: torque off, port free, nothing written by the doctor."""
    driver = stage.drive()
    with commanding() as send:
        send({'gripper': 0.1}, 20)
    driver.send_signal(number)
    assert driver.wait(30) == 0
    stage.arm.taps.clear()
    code, found = examine(capsys, stage.hardware, *BUS, '--only', 'ports')
    assert code == 0, found
    assert found['all-well']['what'] == 'all well: torque off, port free'
    assert found['port-free']['level'] == 'OK'
    assert {1, 2} <= set(found['scenarios'])
    written = (TapKind.GOAL, TapKind.TORQUE, TapKind.WRITE)
    assert not [tap for kind in written for tap in stage.arm.taps.of(kind)], 'it wrote'


def test_3_killed_driver_and_keeper_leave_torque_on(stage: Stage, capsys: Any) -> None:
    """Where the keeper was killed too, the torque that stays is named."""
    driver = stage.drive()
    mates = [holder.pid for holder in devices.holders(stage.arm.port) if holder.is_keeper]
    assert mates
    os.kill(driver.pid, signal.SIGSTOP)
    for pid in (*mates, driver.pid):
        os.kill(pid, signal.SIGKILL)
    driver.wait(30)
    finding = names(capsys, stage, 'torque-left-on', *BUS)
    assert finding['level'] == 'ERROR'
    assert 'gripper' in finding['what'] and 'Support the arm' in finding['cure']


def test_4_one_lost_and_one_corrupt_answer_are_counted(stage: Stage, capsys: Any) -> None:
    """They are told without an alarm."""
    stage.arm.faults.add(Action.DROP, ids=[2], address=56, skip=30, count=1)
    stage.arm.faults.add(Action.CORRUPT, ids=[4], address=56, skip=40, count=1)
    finding = names(capsys, stage, 'packet-errors', *BUS)
    assert finding['level'] in ('OK', 'WARN')
    assert 'lost or corrupt' in finding['what'] + finding['found']


def test_5_motor_silent_from_the_start(stage: Stage, capsys: Any) -> None:
    """A broken chain: the first silent id, and the cable before it."""
    stage.arm.bus.break_chain(3)
    finding = names(capsys, stage, 'silent-motor', *BUS)
    assert 'id 4 (wrist_flex)' in finding['what'] or 'id 3 (elbow_flex)' in finding['what']
    assert 'check the cable between them' in finding['cure']


def test_6_motor_silent_in_motion(stage: Stage, capsys: Any) -> None:
    """The running driver's guard and diagnostics are passed on."""
    stage.drive()
    with commanding() as send:
        send({'wrist_roll': 0.2}, 20)
        stage.arm.bus.silence('wrist_roll')
        _code, found = examine(capsys, stage.hardware, *GRAPH)
    assert 'wrist_roll' in found['arm-unreachable']['found']
    assert found['node-error']['level'] == 'ERROR'
    assert 6 in found['scenarios']


def test_7_unplugged_and_plugged_in_again(stage: Stage, capsys: Any) -> None:
    """First the port is not there, then the driver has it again."""
    driver = stage.drive()
    _code, found = examine(capsys, stage.hardware, *GRAPH)
    assert 'arm-unreachable' not in found and 'node-error' not in found
    stage.arm.unplug()
    names(capsys, stage, 'arm-unreachable', *GRAPH)
    finding = names(capsys, stage, 'unplugged', '--only', 'ports')
    assert finding['level'] == 'ERROR' and stage.arm.port in finding['where']
    stage.arm.replug()
    until(lambda: any(holder.pid == driver.pid for holder in devices.holders(stage.arm.port)),
          'never taken back')
    finding = names(capsys, stage, 'reconnected', *GRAPH)
    assert 'came back' in finding['what']


def test_8_overload(stage: Stage, capsys: Any) -> None:
    """The motor is named."""
    stage.arm.faults.add(Action.ALARM, ids=[6], value=0x20)
    finding = names(capsys, stage, 'overload', *BUS)
    assert 'gripper' in finding['what'] and finding['level'] == 'ERROR'


@pytest.mark.parametrize('celsius, level', [(64.0, 'WARN'), (75.0, 'ERROR')])
def test_9_temperature_warns_then_alarms(
    stage: Stage, capsys: Any, celsius: float, level: str,
) -> None:
    """Getting hot is a warning, too hot an error."""
    stage.arm.faults.add(Action.TEMPERATURE, ids=[2], value=celsius)
    finding = names(capsys, stage, 'hot-motor', *BUS)
    assert 'shoulder_lift' in finding['what'] and finding['level'] == level


def test_10_stale_goal(stage: Stage, capsys: Any) -> None:
    """A goal that is elsewhere is told, the largest distance first."""
    stage.arm.set('elbow_flex', 'goal_position', 1100)
    finding = names(capsys, stage, 'stale-goal', *BUS)
    assert 'elbow_flex' in finding['what']


def test_11_commands_that_make_no_sense(stage: Stage, capsys: Any) -> None:
    """NaN, infinity, an unknown joint and a far goal are refused, and counted by reason."""
    stage.drive()
    with commanding() as send:
        for positions in ({'gripper': float('nan')}, {'gripper': float('inf')}, {'tail': 0.0},
                          {'gripper': 40.0}):
            send(positions, 5)
        finding = names(capsys, stage, 'rejected-commands', *GRAPH)
    for reason in ('not_finite', 'unknown_joint', 'out_of_reach'):
        assert reason in finding['found'], finding


def test_12_commands_that_stop_coming(stage: Stage, capsys: Any) -> None:
    """A source that is there but silent is named."""
    stage.drive()
    with commanding() as send:
        send({'gripper': 0.1}, 40)
        finding = names(capsys, stage, 'command-silence', *GRAPH)
    assert finding['level'] == 'WARN' and finding['where'] == '/follower'


@pytest.mark.parametrize('case', ['absent', 'malformed', 'mismatch', 'wrong-ids'])
def test_13_calibration_that_does_not_fit(stage: Stage, capsys: Any, case: str) -> None:
    """Each way to be wrong has a name, and the file is named."""
    if case == 'absent':
        stage.calibration.unlink()
    elif case == 'malformed':
        stage.calibration.write_text('{"gripper": ')
    elif case == 'mismatch':
        write_calibration(stage.calibration, 'follower', range_min=1500)
    else:
        write_calibration(stage.calibration, 'follower', id=9)
    finding = names(capsys, stage, f'calibration-{case}', '--only', 'calibration')
    assert finding['level'] == 'ERROR'
    assert 'feetech_driver calibrate --arm so100_follower' in finding['cure']


def test_the_cure_names_the_robot_that_was_asked_for(stage: Stage, capsys: Any) -> None:
    """The two arms differ in how far their joints travel."""
    stage.calibration.unlink()
    finding = names(capsys, stage, 'calibration-absent', '--only', 'calibration', '--robot',
                    'so101')
    assert '--arm so101_follower' in finding['cure']


def test_14_calibration_that_fits(stage: Stage, capsys: Any) -> None:
    """The file equals the registers."""
    finding = names(capsys, stage, 'calibration-matches', '--only', 'calibration')
    assert finding['level'] == 'OK'


def test_15_leader_and_follower_swapped(stage: Stage, capsys: Any, tmp_path: Path) -> None:
    """Each port is said to hold the other arm."""
    (tmp_path / 'second').mkdir()
    with so_arm_bus('leader', tmp_path / 'second') as leader:
        of_leader = write_calibration(tmp_path / 'leader.json', 'leader')
        stage.name_arms(leader=(stage.arm.port, of_leader),
                        follower=(leader.port, stage.calibration))
        finding = names(capsys, stage, 'arms-swapped', '--only', 'calibration')
    assert 'swap the two ports' in finding['cure']


def test_15_another_model(stage: Stage, capsys: Any) -> None:
    """A motor of another kind is named."""
    stage.arm.set('gripper', 'model_number', 2825)
    finding = names(capsys, stage, 'wrong-model', *BUS)
    assert 'sts3250' in finding['found'] and finding['expected'] == 'sts3215'


@pytest.fixture
def dynamixel() -> Iterator[str]:
    """Give the port of a motor that answers the ping of Dynamixel's protocol 2.0 alone."""
    far, near = os.openpty()
    tty.setraw(near)
    ended = threading.Event()

    def serve() -> None:
        heard = b''
        while not ended.is_set():
            if select.select([far], [], [], 0.02)[0]:
                heard = (heard + os.read(far, 4096))[-64:]
                if DYNAMIXEL_PING in heard:
                    heard = b''
                    os.write(far, bytes.fromhex('fffffd0001070055000604260065 5d'))

    thread = threading.Thread(target=serve)
    thread.start()
    yield os.ttyname(near)
    ended.set()
    thread.join()
    os.close(near)
    os.close(far)


def test_15_dynamixel_in_place_of_feetech(
    dynamixel: str, capsys: Any, tmp_path: Path,
) -> None:
    """The other maker is named."""
    hardware = write_hardware(tmp_path / 'h.yaml', follower=(dynamixel, tmp_path / 'none.json'))
    code, found = examine(capsys, hardware, *BUS)
    assert code == 2
    assert 'Dynamixel' in found['dynamixel-motors']['what']


def test_16_two_drivers_on_one_port(stage: Stage, capsys: Any) -> None:
    """The second refuses, and the doctor names the first."""
    first = stage.drive()
    second = stage.start()
    out, _ = second.communicate(timeout=30)
    assert second.returncode == 1 and 'in use by' in out
    _code, found = examine(capsys, stage.hardware, '--only', 'ports', *BUS)
    assert f'process {first.pid} ' in found['port-held']['what']
    assert found['bus-not-read']['level'] == 'OK'
    assert 16 in found['scenarios']


def test_17_faults_at_full_rate(stage: Stage, capsys: Any) -> None:
    """One answer in fifty is spoilt: the share is measured, and the loop's timing told."""
    stage.arm.faults.add(Action.DROP, address=56, probability=0.01)
    stage.arm.faults.add(Action.CORRUPT, address=56, probability=0.01)
    _code, found = examine(capsys, stage.hardware, *BUS, '--seconds', '3')
    assert found['packet-errors']['level'] == 'WARN', found
    assert '%' in found['packet-errors']['found']
    assert 'loop-timing' in found
    assert {4, 17} <= set(found['scenarios'])
