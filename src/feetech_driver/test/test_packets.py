# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The SDK's handlers work over our port, with partial results and other byte orders."""

from __future__ import annotations

import time

from apprentice_sim.faults import Action
from apprentice_sim.testing import SimArm
from feetech_driver import codec
from feetech_driver.bus import FeetechBus
from feetech_driver.packets import FixedSyncWrite
from feetech_driver.packets import PacketHandler
from feetech_driver.packets import PartialSyncRead
import pytest
import scservo_sdk
from scservo_sdk import COMM_RX_TIMEOUT
from scservo_sdk import COMM_SUCCESS


@pytest.mark.parametrize('byte_order', [0, 1])
def test_sdk_calls_read_and_write_registers(
    bus: FeetechBus, arm: SimArm, byte_order: int,
) -> None:
    """Both readTxRx and writeTxRx work whatever byte order the SDK's global holds."""
    scservo_sdk.SCS_SETEND(byte_order)
    try:
        handler = PacketHandler()
        assert handler.readTxRx(bus.port, 3, 3, 2) == ([9, 3], COMM_SUCCESS, 0)
        assert handler.writeTxRx(bus.port, 3, 41, 1, [7]) == (COMM_SUCCESS, 0)
        assert arm.register('elbow_flex', 'acceleration') == 7
    finally:
        scservo_sdk.SCS_SETEND(0)


def test_a_silent_motor_is_a_timeout_of_the_sdk(bus: FeetechBus) -> None:
    """Silence gives the SDK's code within the deadline and leaves the port free."""
    start = time.monotonic()
    assert PacketHandler().readTxRx(bus.port, 99, 3, 2) == ([], COMM_RX_TIMEOUT, 0)
    assert time.monotonic() - start < 0.06
    assert not bus.port.is_using


def test_a_sync_read_keeps_the_replies_that_came(bus: FeetechBus, arm: SimArm) -> None:
    """A hole in a sync read leaves the other motors' data."""
    arm.faults.add(Action.DROP, ids=[3], count=1)
    group = PartialSyncRead(bus.port, PacketHandler(), bus.ids, 3, 2)
    assert group.txRxPacket() == COMM_RX_TIMEOUT
    assert group.scanner.missing == (3,)
    assert [group.isAvailable(ident, 3, 2) for ident in bus.ids] == [
        True, True, False, True, True, True]
    assert group.txRxPacket() == COMM_SUCCESS
    assert group.data_dict == {ident: [9, 3] for ident in bus.ids}


def test_a_kept_packet_equals_a_fresh_one(bus: FeetechBus, arm: SimArm) -> None:
    """Values set in the kept packet of a sync write give the codec's bytes and arrive."""
    group = FixedSyncWrite(bus.port, PacketHandler(), (2, 5), 42, 2)
    for values in ((b'\x10\x08', b'\x20\x04'), (b'\x01\x00', b'\x00\x0f')):
        group.send(values, time.monotonic_ns() + 10_000_000)
        assert group.packet == codec.sync_write(42, 2, ((2, values[0]), (5, values[1])))
        wanted = int.from_bytes(values[1], 'little')
        assert arm.wait_until(lambda: arm.register('wrist_roll', 'goal_position') == wanted)
