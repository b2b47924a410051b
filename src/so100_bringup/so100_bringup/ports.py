# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Serial ports of this machine, found without opening any of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PATTERNS = ('ttyACM*', 'ttyUSB*', 'ttyAMA*', 'ttyTHS*')


@dataclass(frozen=True)
class SerialPort:
    """A serial device: its path, its stable link (by-id) and its adapter's USB serial number."""

    path: Path
    by_id: Path | None
    usb_serial: str | None

    def describe(self) -> str:
        """Return one line for a list shown to the operator."""
        parts = [str(self.path)]
        if self.usb_serial:
            parts.append(f'serial number {self.usb_serial}')
        if self.by_id:
            parts.append(str(self.by_id))
        return '  '.join(parts)


def find_ports(root: Path = Path('/')) -> list[SerialPort]:
    """List the serial devices below `root`, sorted by path."""
    dev = root / 'dev'
    by_id = {link.resolve(): link for link in sorted((dev / 'serial' / 'by-id').glob('*'))}
    paths = sorted(path for pattern in PATTERNS for path in dev.glob(pattern))
    return [
        SerialPort(path, by_id.get(path.resolve()), _usb_serial(root, path.name))
        for path in paths
    ]


def is_present(spec: str, root: Path = Path('/')) -> bool:
    """Tell whether `spec` (a path, or the adapter's USB serial number) is there now."""
    if '/' in spec:
        return Path(spec).exists()
    return any(spec == port.usb_serial for port in find_ports(root))


def _usb_serial(root: Path, name: str) -> str | None:
    # A tty hangs one (CDC-ACM) or two (usb-serial) levels below the USB device with the number.
    device = root / 'sys' / 'class' / 'tty' / name / 'device'
    if not device.exists():
        return None
    for folder in list(device.resolve().parents)[:3]:
        try:
            return (folder / 'serial').read_text().strip()
        except OSError:
            continue
    return None
