# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A servo's 128 bytes: RAM, and EEPROM with the shadow that Lock protects."""
from __future__ import annotations

import struct

from apprentice_sim.registers import decode
from apprentice_sim.registers import encode
from apprentice_sim.registers import ServoModel

_ID = 5
_REMEMBERED = 8


class RegisterFile:
    """
    Hold one servo's registers; `bytes` is what the host reads.

    EEPROM written while Lock is 1 reads back but is gone after a power cycle.
    """

    def __init__(self, model: ServoModel) -> None:
        self.bytes = bytearray(model.image)
        self._model = model
        self._saved = bytearray(model.image)
        self._before_writes: list[bytes] = []
        self._lock = model.table['lock'].address
        self._spans = {
            r.name: (slice(r.address, r.address + r.size), r.sign_bit) for r in model.registers}
        mark = '>' if model.big_endian else '<'
        self._pack_state = struct.Struct(f'{mark}HHHBB').pack_into
        self._pack_word = struct.Struct(f'{mark}H').pack_into
        self._has_current = 'present_current' in model.table

    def get(self, name: str) -> int:
        """Return a register's value, its sign decoded."""
        span, sign_bit = self._spans[name]
        return decode(int.from_bytes(self.bytes[span], self._model.byte_order), sign_bit)

    def put(self, name: str, value: int) -> None:
        """Set a register until the next power cycle."""
        span, sign_bit = self._spans[name]
        size = span.stop - span.start
        self.bytes[span] = encode(value, sign_bit).to_bytes(size, self._model.byte_order)

    def set(self, name: str, value: int) -> None:
        """Set a register for good if it is EEPROM."""
        self.put(name, value)
        if self._model.table[name].eeprom:
            span = self._spans[name][0]
            self._saved[span] = self.bytes[span]

    def put_by_lock(self, name: str, value: int) -> None:
        """Set a register as a write over the wire does: for good only if Lock is 0."""
        if self.bytes[self._lock]:
            self.put(name, value)
        else:
            self.set(name, value)

    def write(self, address: int, data: bytes) -> None:
        """Write bytes as the wire does, passing over read-only addresses."""
        model = self._model
        unlocked = not self.bytes[self._lock]
        if unlocked and not model.eeprom.isdisjoint(range(address, address + len(data))):
            self._before_writes = [*self._before_writes[1 - _REMEMBERED:], bytes(self._saved)]
        for i, byte in enumerate(data, address):
            if i in model.writable:
                self.bytes[i] = byte
                if unlocked and i in model.eeprom:
                    self._saved[i] = byte

    def power_up(self, lost: int = 0) -> None:
        """Forget RAM, unsaved EEPROM and the last `lost` writes to EEPROM, at most 8."""
        if lost and self._before_writes:
            self._saved[:] = self._before_writes[-min(lost, len(self._before_writes))]
        self._before_writes = []
        self.bytes[:] = self._model.image
        for address in self._model.eeprom:
            self.bytes[address] = self._saved[address]

    def factory_reset(self) -> None:
        """Restore the EEPROM of the factory, except the id."""
        for address in self._model.eeprom - {_ID}:
            self.bytes[address] = self._saved[address] = self._model.image[address]

    def put_state(
        self, position: int, velocity: int, load: int, volts_10: int, celsius: int,
        status: int, current: int, target: int,
    ) -> None:
        """Set the present-state block: ticks, ticks/s, 0.1 %, 0.1 V, deg C, alarm bits."""
        memory = self.bytes
        self._pack_state(
            memory, 56, _sign_15(position), _sign_15(velocity),
            load if load >= 0 else min(-load, 0x3FF) | 0x400,
            min(max(volts_10, 0), 255), min(max(celsius, 0), 255))
        memory[65] = status
        memory[66] = abs(velocity) > 10
        if self._has_current:
            self._pack_word(memory, 69, current)
            self._pack_word(memory, 71, _sign_15(target))


def _sign_15(value: int) -> int:
    return min(value, 0x7FFF) if value >= 0 else min(-value, 0x7FFF) | 0x8000
