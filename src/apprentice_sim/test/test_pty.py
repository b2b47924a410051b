# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The port looks like a USB adapter to pyserial and to the vendor's SDK."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import threading
import time

from apprentice_sim.bus import ServoBus
from apprentice_sim.faults import Action
from apprentice_sim.faults import FaultRule
from apprentice_sim.presets import chain
from apprentice_sim.presets import so_arm
from apprentice_sim.pty import LinkError
from apprentice_sim.pty import PtyBus
from apprentice_sim.pty import run_thread
from apprentice_sim.taps import TapKind
from apprentice_sim.testing import servo_bus
from apprentice_sim.testing import SimArm
from apprentice_sim.testing import so_arm_bus
import pytest
import scservo_sdk
import serial

pytestmark = pytest.mark.timeout(20)
IDS = range(1, 7)
PING = bytes.fromhex('FF FF 01 02 01 FB')
PONG = bytes.fromhex('FF FF 01 02 00 FC')


@pytest.fixture
def arm(tmp_path: Path) -> Iterator[SimArm]:
    """Serve a follower."""
    with so_arm_bus('follower', tmp_path) as served:
        yield served


class SdkClient:
    """The vendor's SDK on a port; its byte order is global, so each client sets it anew."""

    def __init__(self, port: str, protocol: int = 0, baud: int = 1_000_000) -> None:
        self.port = scservo_sdk.PortHandler(port)
        assert self.port.openPort() and self.port.setBaudRate(baud)
        self.packets = scservo_sdk.PacketHandler(protocol)

    def __enter__(self) -> SdkClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.port.closePort()

    def sync_read(self, address: int, size: int) -> tuple[int, list[int]]:
        """Return result code and values of ids 1 to 6."""
        group = scservo_sdk.GroupSyncRead(self.port, self.packets, address, size)
        for servo_id in IDS:
            group.addParam(servo_id)
        code = group.txRxPacket()
        return code, [group.getData(i, address, size) for i in IDS]


def test_sdk_pings_reads_and_writes(arm: SimArm) -> None:
    """The vendor's SDK agrees with every answer."""
    with SdkClient(arm.port) as sdk:
        for servo_id in IDS:
            assert sdk.packets.ping(sdk.port, servo_id) == (777, 0, 0)
        assert sdk.packets.ping(sdk.port, 7)[1] == scservo_sdk.COMM_RX_TIMEOUT
        assert sdk.sync_read(56, 2) == (0, [2048, 2048, 2048, 2048, 2048, 2048])
        assert sdk.packets.write2ByteTxRx(sdk.port, 2, 42, 2100) == (0, 0)
        assert sdk.packets.write1ByteTxRx(sdk.port, 2, 40, 1) == (0, 0)
        assert arm.wait_until(lambda: arm.register('shoulder_lift', 'present_position') == 2100)
        assert sdk.packets.read2ByteTxRx(sdk.port, 2, 56) == (2100, 0, 0)


def test_sdk_sync_writes_goals(arm: SimArm) -> None:
    """A sync write reaches every servo and the taps tell when."""
    before_ns = time.monotonic_ns()
    with SdkClient(arm.port) as sdk:
        group = scservo_sdk.GroupSyncWrite(sdk.port, sdk.packets, 42, 2)
        for servo_id in IDS:
            assert group.addParam(servo_id, [servo_id, 8])
        assert group.txPacket() == 0
        assert arm.wait_until(lambda: len(arm.taps.of(TapKind.GOAL)) == 6)
    goals = arm.taps.of(TapKind.GOAL)
    assert [g.value for g in goals] == [2048 + i for i in IDS]
    on_the_wire_ns = 26 * 10_000
    assert all(before_ns < g.t_ns < time.monotonic_ns() + on_the_wire_ns for g in goals)
    assert arm.registers('goal_position')['gripper'] == 2054


def test_sdk_reads_scs_servo_high_byte_first(tmp_path: Path) -> None:
    """Protocol 1 of the SDK finds model 1284."""
    with servo_bus(chain('scs0009:3'), tmp_path / 'hand') as arm:
        with SdkClient(arm.port, protocol=1) as sdk:
            assert sdk.packets.ping(sdk.port, 3) == (1284, 0, 0)
            assert sdk.packets.write2ByteTxRx(sdk.port, 3, 42, 700) == (0, 0)
        assert arm.register('servo_1', 'goal_position') == 700


def test_sdk_sees_faults_as_its_result_codes(arm: SimArm) -> None:
    """A lost reply is a time-out, a corrupt one is corrupt."""
    with SdkClient(arm.port) as sdk:
        arm.faults.add(Action.DROP, count=1)
        assert sdk.packets.read2ByteTxRx(sdk.port, 1, 56)[1] == scservo_sdk.COMM_RX_TIMEOUT
        arm.faults.add(Action.CORRUPT, value=-1, count=1)
        assert sdk.packets.read2ByteTxRx(sdk.port, 1, 56)[1] == scservo_sdk.COMM_RX_CORRUPT
        assert sdk.packets.read2ByteTxRx(sdk.port, 1, 56)[1] == 0


@pytest.mark.parametrize('baud', [250_000, 115_200, 76_800])
def test_only_the_right_speed_is_heard(tmp_path: Path, baud: int) -> None:
    """A servo at another speed is silent until the host changes, odd speeds too."""
    servos = so_arm('follower')
    index = (1_000_000, 500_000, 250_000, 128_000, 115_200, 76_800).index(baud)
    servos[0].set('baud_rate', index)
    with servo_bus(servos, tmp_path / 'bus') as arm:
        with serial.Serial(arm.port, 1_000_000, timeout=0.1) as port:
            port.write(PING)
            assert port.read(6) == b''
            port.baudrate = baud
            port.write(PING)
            port.timeout = 2.0
            assert port.read(6) == PONG


def test_unplug_and_replug(arm: SimArm) -> None:
    """The port vanishes under the host, and comes back as another device."""
    with serial.Serial(arm.port, 1_000_000, timeout=1.0) as port:
        arm.unplug()
        assert not os.path.lexists(arm.port)
        with pytest.raises((serial.SerialException, OSError)):
            for _ in range(3):
                port.write(PING)
                port.read(6)
    with pytest.raises(serial.SerialException):
        serial.Serial(arm.port)
    arm.replug()
    with serial.Serial(arm.port, 1_000_000, timeout=2.0) as port:
        port.write(PING)
        assert port.read(6) == PONG


def test_twenty_unplugs_leave_nothing_behind(arm: SimArm) -> None:
    """Descriptors and links do not pile up."""
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(20):
        arm.unplug()
        arm.replug()
        with serial.Serial(arm.port, 1_000_000, timeout=2.0) as port:
            port.write(PING)
            assert port.read(6) == PONG
    assert len(os.listdir('/proc/self/fd')) == before
    assert [p.name for p in Path(arm.port).parent.iterdir()] == ['follower']


def test_a_rule_can_pull_the_plug(arm: SimArm) -> None:
    """An unplug in a fault script happens in the serving thread itself."""
    arm.faults.add_rule(FaultRule(Action.UNPLUG, at_s=0.0))
    assert arm.wait_until(lambda: not os.path.lexists(arm.port))
    arm.faults.add_rule(FaultRule(Action.REPLUG, at_s=0.0))
    assert arm.wait_until(lambda: os.path.exists(arm.port))


def test_injected_noise_reaches_the_host(arm: SimArm) -> None:
    """Bytes that nobody asked for arrive at once."""
    with serial.Serial(arm.port, 1_000_000, timeout=2.0) as port:
        arm.pty.inject(b'garbage')
        assert port.read(7) == b'garbage'


def test_second_driver_finds_the_port_taken(arm: SimArm) -> None:
    """An exclusive open keeps a second exclusive open out."""
    with serial.Serial(arm.port, 1_000_000, exclusive=True):
        with pytest.raises(serial.SerialException, match='lock'):
            serial.Serial(arm.port, 1_000_000, exclusive=True)


def test_state_survives_reopening(arm: SimArm) -> None:
    """Closing the port leaves the torque on: servos have no watchdog."""
    with SdkClient(arm.port) as sdk:
        assert sdk.packets.write1ByteTxRx(sdk.port, 1, 40, 1) == (0, 0)
    with SdkClient(arm.port) as sdk:
        assert sdk.packets.read1ByteTxRx(sdk.port, 1, 40) == (1, 0, 0)


def test_one_loop_serves_two_buses(tmp_path: Path) -> None:
    """Without a thread of its own each bus is polled by whoever owns the loop."""
    buses = [PtyBus(ServoBus(so_arm(role)), tmp_path / role) for role in ('leader', 'follower')]
    ports = [serial.Serial(str(bus.link), 1_000_000, timeout=0) for bus in buses]
    try:
        for port in ports:
            port.write(PING)
        answers = [b'', b'']
        end = time.monotonic() + 2.0
        while answers != [PONG, PONG] and time.monotonic() < end:
            for bus in buses:
                bus.service(time.monotonic_ns())
            answers = [a + p.read(6) for a, p in zip(answers, ports)]
        assert answers == [PONG, PONG]
    finally:
        for item in (*ports, *buses):
            item.close()


def test_host_that_never_reads_does_not_stop_the_bus(arm: SimArm) -> None:
    """Replies beyond the kernel's buffer are lost and counted; the bus goes on."""
    with serial.Serial(arm.port, 1_000_000, timeout=2.0) as port:
        read = bytes.fromhex('FF FF 01 04 02 00 80 78')
        for _ in range(200):
            port.write(read)
            time.sleep(0.001)
        assert arm.wait_until(lambda: arm.bus.counters.requests == 200)
        assert arm.wait_until(lambda: arm.pty.overruns > 0)
        port.reset_input_buffer()
        port.write(PING)
        assert port.read_until(PONG).endswith(PONG)


def test_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    """A link path that is somebody's file is refused, one left by a crash is taken over."""
    link = tmp_path / 'bus'
    link.write_text('precious')
    with pytest.raises(LinkError, match='is a file'):
        PtyBus(ServoBus(so_arm('leader')), link)
    assert link.read_text() == 'precious'
    link.unlink()
    link.symlink_to('/dev/pts/gone')
    with PtyBus(ServoBus(so_arm('leader')), link):
        assert link.exists()
    assert not os.path.lexists(link)


def test_failure_of_the_thread_reaches_the_test(tmp_path: Path) -> None:
    """An exception in the serving thread is raised where the context ends."""
    def broken(_: object) -> None:
        raise ZeroDivisionError
    threading.excepthook, hook = (lambda _: None), threading.excepthook
    try:
        with PtyBus(ServoBus(so_arm('leader')), tmp_path / 'bus') as bus:
            with pytest.raises(RuntimeError, match='thread that serves'):
                with run_thread([bus]):
                    bus.bus.add_tap(broken)
                    with serial.Serial(str(bus.link), 1_000_000) as port:
                        port.write(bytes.fromhex('FF FF 06 04 03 28 01 C9'))
                        threads = [t for t in threading.enumerate() if t.name == 'servo-bus']
                        for thread in threads:
                            thread.join(5.0)
    finally:
        threading.excepthook = hook
