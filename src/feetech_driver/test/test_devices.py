# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Port parameters resolve to devices, and errors list what there is."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess

from conftest import Line
from feetech_driver import devices
from feetech_driver.devices import SerialDevice
from feetech_driver.errors import PortError
import pytest

LEFT = SerialDevice(
    '/dev/ttyACM0', '/dev/serial/by-id/usb-1a86_USB_Single_Serial_58FA-if00', '1a86:55d3',
    '58FA', 'USB Single Serial')
RIGHT = SerialDevice('/dev/ttyACM1', None, '1a86:55d3', '59AB', 'USB Single Serial')
BOARD = SerialDevice('/dev/ttyS0', None, None, None, 'n/a')
ALL = (LEFT, RIGHT, BOARD)


@pytest.mark.parametrize('spec, path', [
    ('/dev/anything', '/dev/anything'),
    ('59AB', '/dev/ttyACM1'),
    ('58fa', LEFT.by_id),
    ('usb-1a86_USB_Single_Serial_58FA-if00', LEFT.by_id),
    ('ttyACM1', '/dev/ttyACM1'),
])
def test_a_port_is_found_by_any_of_its_names(spec: str, path: str) -> None:
    """Path, by-id name, serial number and device name lead to one device."""
    assert devices.resolve(spec, ALL) == path


def test_an_ambiguous_name_lists_the_matches() -> None:
    """VID:PID of two equal adapters is refused."""
    with pytest.raises(PortError, match='2 serial ports match') as caught:
        devices.resolve('1A86:55D3', ALL)
    assert '58FA' in str(caught.value) and '59AB' in str(caught.value)


def test_an_unknown_name_lists_the_adapters() -> None:
    """The error for a name that no port has shows the USB adapters there are."""
    with pytest.raises(PortError, match="called '60CD'") as caught:
        devices.resolve('60CD', ALL)
    assert str(LEFT) in str(caught.value) and str(BOARD) not in str(caught.value)


def test_no_adapter_is_said() -> None:
    """Without USB adapters the cable is the first thing to check."""
    with pytest.raises(PortError, match='No USB serial adapter'):
        devices.resolve('60CD', (BOARD,))
    with pytest.raises(PortError, match='no serial port is configured'):
        devices.resolve('')


def test_scanning_returns_devices(tmp_path: Path) -> None:
    """The scan of this machine works, with or without ports and by-id links."""
    for device in devices.scan_ports(tmp_path / 'absent'):
        assert str(device).startswith('/dev/')


def test_the_holder_of_a_port_is_found(line: Line) -> None:
    """A child that keeps a descriptor is named; this process itself is not."""
    descriptor = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    with subprocess.Popen(['sleep', '60'], pass_fds=(descriptor,)) as child:
        try:
            assert [holder.pid for holder in devices.holders(line.path)] == [child.pid]
            assert not devices.holders(line.path)[0].is_keeper
        finally:
            child.kill()
            os.close(descriptor)
