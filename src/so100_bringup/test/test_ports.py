# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Serial ports found in a file system laid out as Linux does."""

from __future__ import annotations

from pathlib import Path

import pytest
from so100_bringup.ports import find_ports
from so100_bringup.ports import is_present
from so100_bringup.ports import SerialPort


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Lay out one CDC-ACM adapter, one usb-serial adapter and one on-board port."""
    usb = tmp_path / 'sys' / 'devices' / 'usb1'
    for name, interface in (
        ('ttyACM0', usb / '1-1' / '1-1:1.0'),
        ('ttyUSB0', usb / '1-2' / '1-2:1.0' / 'ttyUSB0'),
    ):
        interface.mkdir(parents=True)
        entry = tmp_path / 'sys' / 'class' / 'tty' / name
        entry.mkdir(parents=True)
        (entry / 'device').symlink_to(interface)
    (usb / '1-1' / 'serial').write_text('5A7C01\n')
    (usb / '1-2' / 'serial').write_text('5A7C02\n')
    by_id = tmp_path / 'dev' / 'serial' / 'by-id'
    by_id.mkdir(parents=True)
    for name in ('ttyACM0', 'ttyUSB0', 'ttyAMA0', 'tty1'):
        (tmp_path / 'dev' / name).touch()
    (by_id / 'usb-A_5A7C01-if00').symlink_to('../../ttyACM0')
    return tmp_path


def test_adapters_are_found_with_their_lasting_names(machine: Path) -> None:
    """Path, by-id link and USB serial number belong together; consoles are left out."""
    dev = machine / 'dev'
    assert find_ports(machine) == [
        SerialPort(dev / 'ttyACM0', dev / 'serial' / 'by-id' / 'usb-A_5A7C01-if00', '5A7C01'),
        SerialPort(dev / 'ttyAMA0', None, None),
        SerialPort(dev / 'ttyUSB0', None, '5A7C02'),
    ]


def test_a_port_is_known_by_path_or_serial_number(machine: Path) -> None:
    """Both forms that the driver takes are recognised."""
    assert is_present(str(machine / 'dev' / 'ttyACM0'), machine)
    assert is_present('5A7C02', machine)
    assert not is_present('5A7C03', machine)
    assert not is_present(str(machine / 'dev' / 'ttyACM1'), machine)


def test_a_machine_without_ports_gives_an_empty_list(tmp_path: Path) -> None:
    """No /dev below the root is no error."""
    assert find_ports(tmp_path) == []
