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
from apprentice_doctor.listening import ros_node
from apprentice_doctor.scenarios import SCENARIOS
from apprentice_doctor.scenarios import shown_by
from apprentice_sim.faults import Action
from apprentice_sim.taps import TapKind
from apprentice_sim.testing import so_arm_bus
from doctor_stage import commanding
from doctor_stage import examine
from doctor_stage import seen
from doctor_stage import Stage
from doctor_stage import until
from doctor_stage import WAIT_S
from doctor_stage import write_calibration
from doctor_stage import write_hardware
from feetech_driver import devices
import pytest
from std_srvs.srv import Trigger

pytestmark = pytest.mark.timeout(120)
BUS = ('--only', 'bus')
GRAPH = ('--only', 'graph')


def test_the_table_has_all_seventeen() -> None:
    """Numbers go from 1 to 17, and a finding leads back to its scenario."""
    assert [scenario.number for scenario in SCENARIOS] == list(range(1, 18))
    assert [scenario.number for scenario in shown_by(['overload'])] == [8]
    assert all(scenario.findings for scenario in SCENARIOS)


def test_1_and_2_a_driver_that_ended_well_leaves_all_well(stage: Stage, capsys: Any) -> None:
    """After motion and a signal: torque off, port free, nothing written by the doctor."""
    driver = stage.drive()
    with commanding() as send:
        send({'gripper': 0.1}, 20)
    driver.send_signal(signal.SIGINT)
    assert driver.wait(30) == 0
    stage.arm.taps.clear()
    found: dict[str, Any] = {}

    def all_well() -> bool:
        code, news = examine(capsys, stage.hardware, *BUS, '--only', 'ports')
        found.update(news)
        return code == 0 and 'all-well' in news

    # On a busy machine the loop may be slow, which is worth a warning.
    until(all_well, 'never well')
    assert found['all-well']['what'] == 'all well: torque off, port free'
    assert found['port-free']['level'] == 'OK'
    assert found['torque-off']['what'] == 'off at all 6 motors'
    assert '7.4 to 7.4 V' in found['motors']['what']
    assert {1, 2} <= set(found['scenarios'])
    written = (TapKind.GOAL, TapKind.TORQUE, TapKind.WRITE)
    assert not [tap for kind in written for tap in stage.arm.taps.of(kind)], 'it wrote'


def test_3_killed_driver_and_keeper_leave_torque_on(stage: Stage, capsys: Any) -> None:
    """A keeper at work is waited for; where it was killed too, the torque that stays is named."""
    driver = stage.drive()
    mates = [holder.pid for holder in devices.holders(stage.arm.port) if holder.is_keeper]
    assert mates
    # Stopped, it cannot be done before the doctor looks.
    for pid in mates:
        os.kill(pid, signal.SIGSTOP)
    driver.kill()
    driver.wait(30)
    finding = seen(capsys, stage.hardware, 'keeper-at-work', '--only', 'ports')
    assert finding['level'] == 'WARN' and f'process {mates[0]} ' in finding['found']
    for pid in mates:
        os.kill(pid, signal.SIGKILL)
    finding = seen(capsys, stage.hardware, 'torque-left-on', *BUS)
    assert finding['level'] == 'ERROR'
    assert 'gripper' in finding['what'] and 'Support the arm' in finding['cure']


def test_4_one_lost_and_one_corrupt_answer_are_counted(stage: Stage, capsys: Any) -> None:
    """They are told without an alarm."""
    stage.arm.faults.add(Action.DROP, ids=[2], address=56, skip=30, count=1)
    stage.arm.faults.add(Action.CORRUPT, ids=[4], address=56, skip=40, count=1)
    finding = seen(capsys, stage.hardware, 'packet-errors', *BUS)
    assert finding['level'] in ('OK', 'WARN')
    assert 'lost or corrupt' in finding['what'] + finding['found']


def test_5_motor_silent_from_the_start(stage: Stage, capsys: Any) -> None:
    """A broken chain: the first silent id, and the cable before it."""
    stage.arm.bus.break_chain(3)
    finding = seen(capsys, stage.hardware, 'silent-motor', *BUS)
    assert 'id 4 (wrist_flex)' in finding['what'] or 'id 3 (elbow_flex)' in finding['what']
    assert 'check the cable between them' in finding['cure']


def test_8_overload(stage: Stage, capsys: Any) -> None:
    """The motor is named."""
    stage.arm.faults.add(Action.ALARM, ids=[6], value=0x20)
    finding = seen(capsys, stage.hardware, 'overload', *BUS)
    assert 'gripper' in finding['what'] and finding['level'] == 'ERROR'


def test_9_temperature_rises_until_the_servo_protects_itself(
    stage: Stage, capsys: Any,
) -> None:
    """A load heats a motor of a running driver: warned of first, then an error; also after it."""
    servo = stage.arm.servos['shoulder_lift']
    # A warm room, and a housing that takes 0.2 s where a real one takes minutes.
    servo.ambient_c, servo.thermal_time_s = 40.0, 0.2
    driver = stage.drive()
    servo.external_load = 0.58
    rise: list[float] = []

    def warm() -> bool:
        rise.append(servo.temperature_c)
        return rise[-1] > 62.0

    until(warm, 'not warm')
    assert rise == sorted(rise) and len(rise) > 20
    _code, found = examine(capsys, stage.hardware, *GRAPH)
    assert found['hot-motor']['level'] == 'WARN', found
    assert 'getting hot' in found['hot-motor']['what'] and 9 in found['scenarios']
    assert found['hot-motor']['where'] == '/follower/feetech_driver: motor shoulder_lift'
    assert servo.torque_on
    servo.external_load = 0.72
    until(lambda: not servo.torque_on, 'the servo did not protect itself')
    # Let go, it would cool down faster than the doctor looks.
    servo.thermal_time_s, servo.temperature_c = 1e6, 71.0
    finding = seen(capsys, stage.hardware, 'hot-motor', *GRAPH)
    assert finding['level'] == 'ERROR'
    assert 'overheated' in finding['what']
    driver.send_signal(signal.SIGTERM)
    assert driver.wait(30) == 0
    _code, found = examine(capsys, stage.hardware, *BUS)
    assert found['hot-motor']['level'] == 'ERROR' and found['torque-off']['level'] == 'OK'
    assert 'shoulder_lift' in found['hot-motor']['what']


def test_10_stale_goal(stage: Stage, capsys: Any) -> None:
    """A goal that is elsewhere is told; a machine that is not busy loses no answer."""
    stage.arm.set('elbow_flex', 'goal_position', 1100)

    def every_answer_came() -> bool:
        _code, found = examine(capsys, stage.hardware, *BUS)
        assert 'elbow_flex' in found['stale-goal']['what']
        return 'packets' in found

    until(every_answer_came, 'answers are lost again and again')


@pytest.mark.parametrize('name', [
    'calibration-absent', 'calibration-malformed', 'calibration-mismatch',
    'calibration-wrong-ids'])
def test_13_calibration_that_does_not_fit(stage: Stage, capsys: Any, name: str) -> None:
    """Each way to be wrong has a name, and the file is named."""
    if name == 'calibration-absent':
        stage.calibration.unlink()
    elif name == 'calibration-malformed':
        stage.calibration.write_text('{"gripper": ')
    elif name == 'calibration-mismatch':
        write_calibration(stage.calibration, 'follower', range_min=1500)
    else:
        write_calibration(stage.calibration, 'follower', id=9)
    finding = seen(capsys, stage.hardware, name, '--only', 'calibration')
    assert finding['level'] == 'ERROR'
    assert 'feetech_driver calibrate --arm so100_follower' in finding['cure']


def test_an_arm_without_a_name_is_told_so(
    stage: Stage, capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    """Neither file nor robot_id: the name that is missing is asked for, not a file of None."""
    monkeypatch.setenv('HF_LEROBOT_CALIBRATION', str(tmp_path / 'empty'))
    stage.hardware.write_text(f'version: 1\nfollower: {{port: {stage.arm.port}}}\n')
    finding = seen(capsys, stage.hardware, 'calibration-absent', '--only', 'calibration')
    assert finding['found'].startswith('robot_id is not set')
    assert '--id NAME' in finding['cure']


def test_the_cure_names_the_robot_that_was_asked_for(stage: Stage, capsys: Any) -> None:
    """The two arms differ in how far their joints travel."""
    stage.calibration.unlink()
    finding = seen(capsys, stage.hardware, 'calibration-absent', '--only', 'calibration',
                   '--robot', 'so101')
    assert '--arm so101_follower' in finding['cure']


def test_14_calibration_that_fits(stage: Stage, capsys: Any) -> None:
    """The file equals the registers."""
    finding = seen(capsys, stage.hardware, 'calibration-matches', '--only', 'calibration')
    assert finding['level'] == 'OK'


def test_15_leader_and_follower_swapped(stage: Stage, capsys: Any, tmp_path: Path) -> None:
    """Each port is said to hold the other arm."""
    (tmp_path / 'second').mkdir()
    with so_arm_bus('leader', tmp_path / 'second') as leader:
        of_leader = write_calibration(tmp_path / 'leader.json', 'leader')
        stage.name_arms(leader=(stage.arm.port, of_leader),
                        follower=(leader.port, stage.calibration))
        finding = seen(capsys, stage.hardware, 'arms-swapped', '--only', 'calibration')
    assert 'swap the two ports' in finding['cure']


def test_15_another_model(stage: Stage, capsys: Any) -> None:
    """A motor of another kind is named."""
    stage.arm.set('gripper', 'model_number', 2825)
    finding = seen(capsys, stage.hardware, 'wrong-model', *BUS)
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


def test_17_faults_at_full_rate(stage: Stage, capsys: Any) -> None:
    """One answer in fifty is spoilt: the share is measured, and the loop's timing told."""
    stage.arm.faults.add(Action.DROP, address=56, probability=0.01)
    stage.arm.faults.add(Action.CORRUPT, address=56, probability=0.01)
    _code, found = examine(capsys, stage.hardware, *BUS, '--seconds', '2')
    assert found['packet-errors']['level'] == 'WARN', found
    assert '%' in found['packet-errors']['found']
    assert 'loop-timing' in found
    assert {4, 17} <= set(found['scenarios'])


def test_16_two_drivers_on_one_port(driven: Stage, capsys: Any) -> None:
    """The second refuses; the doctor names the first, and reads no bus."""
    first = driven.drivers[0]
    second = driven.start()
    out, _ = second.communicate(timeout=30)
    assert second.returncode == 1 and 'in use by' in out
    _code, found = examine(
        capsys, driven.hardware, '--only', 'ports', *BUS, '--only', 'calibration')
    assert f'process {first.pid} ' in found['port-held']['what']
    assert found['bus-not-read']['level'] == 'OK'
    assert 'its driver' in found['calibration-not-compared']['what']
    assert 16 in found['scenarios']


def test_11_and_12_commands_without_sense_and_commands_that_stop(
    driven: Stage, capsys: Any,
) -> None:
    """What was refused is counted by reason; a source that is there but silent is named."""
    with commanding() as send:
        for positions in ({'gripper': float('nan')}, {'gripper': float('inf')}, {'tail': 0.0},
                          {'gripper': 40.0}):
            send(positions, 5)
        send({'gripper': 0.1}, 40)
        _code, found = examine(capsys, driven.hardware, *GRAPH)
    for reason in ('not_finite', 'unknown_joint', 'out_of_reach'):
        assert reason in found['rejected-commands']['found'], found
    assert found['command-silence']['level'] == 'WARN'
    assert found['command-silence']['where'] == '/follower'
    assert {11, 12} <= set(found['scenarios'])


def test_6_motor_silent_in_motion(driven: Stage, capsys: Any) -> None:
    """The running driver's guard and diagnostics are passed on."""
    with commanding() as send:
        send({'wrist_roll': 0.2}, 20)
        driven.arm.bus.silence('wrist_roll')
        _code, found = examine(capsys, driven.hardware, *GRAPH)
    driven.arm.bus.restore('wrist_roll')
    assert 'wrist_roll' in found['arm-unreachable']['found']
    assert found['node-error']['level'] == 'ERROR'
    assert 6 in found['scenarios']


def test_7_unplugged_and_plugged_in_again_and_an_emergency_stop(
    driven: Stage, capsys: Any,
) -> None:
    """First the port is not there, then the driver has it again; a latched stop has its cure."""
    driven.arm.unplug()
    finding = seen(capsys, driven.hardware, 'unplugged', '--only', 'ports')
    assert finding['level'] == 'ERROR' and driven.arm.port in finding['where']
    driven.arm.replug()
    driver = driven.drivers[0].pid
    until(lambda: driver in {holder.pid for holder in devices.holders(driven.arm.port)},
          'never taken back')
    driven.arm.servos['gripper'].voltage_v = 3.8
    with ros_node('operator') as (node, executor):
        client = node.create_client(Trigger, '/follower/estop')
        until(client.service_is_ready, 'no driver')
        future = client.call_async(Trigger.Request())
        executor.spin_until_future_complete(future, timeout_sec=WAIT_S)
        assert future.result().success
    _code, found = examine(capsys, driven.hardware, *GRAPH)
    assert 'came back' in found['reconnected']['what'] and 7 in found['scenarios']
    assert found['estopped']['level'] == 'WARN'
    assert '/follower/estop_reset' in found['estopped']['cure']
    assert found['node-warning']['where'].startswith('/follower/feetech_driver'), found
