# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A bus of Feetech servos: registers, states and goals by motor name."""

from __future__ import annotations

import threading
import time
from typing import Mapping

from feetech_driver import codec
from feetech_driver.counters import BusCounters
from feetech_driver.counters import MotorCounters
from feetech_driver.errors import BusError
from feetech_driver.errors import HandshakeError
from feetech_driver.errors import PortError
from feetech_driver.errors import PortLost
from feetech_driver.errors import TransactionError
from feetech_driver.group_reader import GroupReader
from feetech_driver.handshake import Handshake
from feetech_driver.motors import BusInfo
from feetech_driver.motors import check_motors
from feetech_driver.motors import Motor
from feetech_driver.motors import MotorState
from feetech_driver.packets import FixedSyncWrite
from feetech_driver.packets import PacketHandler
from feetech_driver.port import DeadlinePort
from feetech_driver.port import DEFAULT_BAUDRATE
from feetech_driver.port import TRANSACTION_S
from feetech_driver.registers import Access
from feetech_driver.registers import Register
from feetech_driver.registers import REGISTERS
from feetech_driver.release import RAMP_S
from feetech_driver.release import Release
from feetech_driver.state_reader import StateReader
from scservo_sdk import COMM_SUCCESS

__all__ = [
    'BusError', 'BusInfo', 'FeetechBus', 'HandshakeError', 'Motor', 'MotorState', 'PortError',
    'PortLost', 'TransactionError',
]

# Above what a hand moves a leader at (12 rad/s), plus the noise and jitter of a reading.
MAX_TICKS_PER_S = 8000.0
SLACK_TICKS = 24
_EEPROM_TRIES = 3


class FeetechBus:
    """
    The motors on one serial port; every call is one or a few transactions of 45 ms at most.

    Safe to call from several threads: transactions are serialised by a lock. A call raises
    PortLost at once when the port goes away; reopen then, as often as needed.
    """

    def __init__(
        self, port: str, motors: Mapping[str, Motor], *, baudrate: int = DEFAULT_BAUDRATE,
        deadline_s: float = TRANSACTION_S, max_ticks_per_s: float = MAX_TICKS_PER_S,
        slack_ticks: int = SLACK_TICKS,
    ) -> None:
        """
        Expect motors by name on port; nothing is opened yet.

        Positions that step faster than max_ticks_per_s beyond slack_ticks are read twice before
        they are believed. ValueError says what is wrong with motors.
        """
        self.protocol = check_motors(motors)
        self.motors = dict(motors)
        self.deadline_s = deadline_s
        self.port = DeadlinePort(port, baudrate)
        self.counters = BusCounters()
        self._handler = PacketHandler()
        self._registers = REGISTERS[self.protocol]
        self._reader = GroupReader(self.port, self._handler, self.protocol, self.counters)
        self._state = StateReader(
            self.port, self._handler, self._reader, self.motors, self.protocol, self.counters,
            max_ticks_per_s, slack_ticks)
        self._writes: dict[tuple[str, tuple[str, ...]], FixedSyncWrite] = {}
        self._lock = threading.RLock()

    @property
    def ids(self) -> tuple[int, ...]:
        """Ids of the motors, in bus order."""
        return tuple(motor.id for motor in self.motors.values())

    @property
    def motor_counters(self) -> dict[str, MotorCounters]:
        """Return the counts by motor name, live."""
        return {name: self._state.motors[motor.id] for name, motor in self.motors.items()}

    @property
    def is_open(self) -> bool:
        """Whether the port is open and was not lost."""
        return self.port.is_open and not self.port.lost

    @property
    def fd(self) -> int:
        """File descriptor of the open port, for the keeper."""
        return self.port.fd

    def open(self) -> None:
        """Open the port for this process alone; PortError says why it cannot."""
        with self._lock:
            self.port.open()
            self._state.reset()

    def close(self) -> None:
        """Close the port; torque stays as it is."""
        with self._lock:
            self.port.close()

    def reopen(self) -> None:
        """Open the port again after it was lost; PortError as long as it is not back."""
        with self._lock:
            self.close()
            self.open()
            self.counters.reopened += 1

    def handshake(self, timeout_s: float = 5.0) -> BusInfo:
        """
        Check that exactly the expected motors are there, waiting timeout_s for them to boot.

        HandshakeError names silent, wrong and duplicated ids and where the chain may be broken.
        """
        with self._lock:
            return Handshake(self.port, self.motors, self.protocol).run(timeout_s)

    def ping(self, name: str) -> bool:
        """Tell whether a motor answers."""
        with self._lock:
            # The reply to a bare ping can look like an adapter's echo of it; this one cannot.
            request = codec.read(self._motor(name).id, self._registers['id'].address, 1)
            for ends_ns in self.port.attempts(self.deadline_s):
                scanner = self._handler.transact(self.port, request, ends_ns)
                self.counters.add(scanner)
                if not scanner.missing:
                    return True
            return False

    def read(self, name: str, register: str) -> int:
        """Read a register of a motor; TransactionError when it does not answer in time."""
        motor, entry = self._motor(name), self._register(register)
        return entry.decode(self._read_bytes(name, motor.id, entry), self.protocol)

    def read_many(self, register: str, names: tuple[str, ...] | None = None) -> dict[str, int]:
        """Read a register of several motors (default all); who does not answer is left out."""
        entry = self._register(register)
        wanted = {self._motor(name).id: name for name in names or self.motors}
        values: dict[str, int] = {}
        with self._lock:
            for ends_ns in self._handler.attempts(
                    self.port, entry.address, entry.size, self.deadline_s):
                pending = tuple(ident for ident in wanted if wanted[ident] not in values)
                if not pending:
                    break
                replies = self._reader.read(pending, entry.address, entry.size, ends_ns)
                for ident, (_alarms, data) in replies.items():
                    values[wanted[ident]] = entry.decode(data, self.protocol)
        return values

    def read_state(self) -> dict[str, MotorState]:
        """Read all motors in one exchange; a motor that did not answer in time is left out."""
        with self._lock:
            return self._state.read(self.deadline_s)

    def write(self, name: str, register: str, value: int, verify: bool = True) -> bool:
        """
        Write a register of a motor and read it back; return whether it had to be written.

        An EEPROM register is written only when it differs, unlocked for the moment.
        ValueError when the value does not fit or the register is not writable.
        """
        motor, entry = self._motor(name), self._register(register)
        if entry.access in (Access.READ_ONLY, Access.IDENTITY):
            raise ValueError(f'{name}: register {register} cannot be written here')
        data = entry.encode(value, self.protocol)
        with self._lock:
            if entry.access is Access.RAM:
                self._write_bytes(name, motor.id, entry, data, verify)
                return True
            if self._read_bytes(name, motor.id, entry) == data:
                return False
            self._write_eeprom(name, motor.id, entry, data)
            return True

    def write_many(self, register: str, values: Mapping[str, int]) -> int:
        """Write a RAM register of several motors at once, unconfirmed; return the stamp in ns."""
        entry = self._register(register)
        if entry.access is not Access.RAM:
            raise ValueError(f'register {register} cannot be written to several motors at once')
        if not values:
            return time.monotonic_ns()
        data = tuple(entry.encode(value, self.protocol) for value in values.values())
        key = (register, tuple(values))
        with self._lock:
            group = self._writes.get(key)
            if group is None:
                ids = tuple(self._motor(name).id for name in values)
                group = self._writes[key] = FixedSyncWrite(
                    self.port, self._handler, ids, entry.address, entry.size)
            stamp_ns = time.monotonic_ns()
            group.send(data, stamp_ns + int(self.deadline_s * 1e9))
            return stamp_ns

    def write_goals(self, goals: Mapping[str, int]) -> int:
        """Write goal positions in ticks, unconfirmed; return the monotonic stamp in ns."""
        return self.write_many('goal_position', goals)

    def release(self, ramp_s: float = RAMP_S) -> tuple[str, ...]:
        """
        Lower the torque limit to 0 over ramp_s, then switch every motor off within 3.5 s.

        Returns the motors that did not confirm torque off; never raises for one that fails.
        """
        with self._lock:
            if not self.is_open:
                return tuple(self.motors)
            ramp = 'torque_limit' in self._registers
            failed = Release(self.fd, self.ids, self.protocol.order, ramp).run(ramp_s)
            return tuple(name for name, motor in self.motors.items() if motor.id in failed)

    def _motor(self, name: str) -> Motor:
        try:
            return self.motors[name]
        except KeyError:
            known = ', '.join(self.motors)
            raise ValueError(f'no motor {name!r} here; there are {known}') from None

    def _register(self, register: str) -> Register:
        try:
            return self._registers[register]
        except KeyError:
            raise ValueError(
                f'{self.protocol.name} servos have no register {register!r}') from None

    def _read_bytes(self, name: str, ident: int, entry: Register) -> bytes:
        result = None
        with self._lock:
            for _ends_ns in self._handler.attempts(
                    self.port, entry.address, entry.size, self.deadline_s):
                data, result, _alarms = self._handler.readTxRx(
                    self.port, ident, entry.address, entry.size)
                self.counters.add(self._handler.scanner)
                if result == COMM_SUCCESS:
                    return bytes(data)
        raise self._no_reply(name, ident, f'reading {entry.name}', result)

    def _write_bytes(
        self, name: str, ident: int, entry: Register, data: bytes, verify: bool,
    ) -> None:
        found = b''
        for _ in range(2):
            acknowledged = self._write_once(ident, entry, data)
            if not verify and acknowledged:
                return
            if not verify:
                raise self._no_reply(name, ident, f'writing {entry.name}', None)
            # A lost acknowledgement does not matter when the register reads back right.
            found = self._read_bytes(name, ident, entry)
            if found == data:
                return
        raise TransactionError(
            f'{self._who(name, ident)}: {entry.name} reads '
            f'{entry.decode(found, self.protocol)} after {entry.decode(data, self.protocol)} '
            'was written; the servo refuses the value', (ident,))

    def _write_once(self, ident: int, entry: Register, data: bytes) -> bool:
        for _ends_ns in self.port.attempts(self.deadline_s):
            result, _alarms = self._handler.writeTxRx(
                self.port, ident, entry.address, entry.size, list(data))
            self.counters.add(self._handler.scanner)
            if result == COMM_SUCCESS:
                return True
        return False

    def _write_eeprom(self, name: str, ident: int, entry: Register, data: bytes) -> None:
        lock = self._registers['lock']
        before = self._read_bytes(name, ident, lock)
        try:
            for _ in range(_EEPROM_TRIES):
                self._write_bytes(name, ident, lock, b'\0', verify=True)
                self._write_bytes(name, ident, entry, data, verify=True)
                # A servo that restarted within the write is locked: what it reads back is lost
                # with its supply.
                if self._read_bytes(name, ident, lock) == b'\0':
                    return
            raise TransactionError(
                f'{self._who(name, ident)}: it restarts whenever {entry.name} is written; check '
                'its supply', (ident,))
        finally:
            if before != b'\0':
                self._write_bytes(name, ident, lock, before, verify=True)

    def _who(self, name: str, ident: int) -> str:
        return f'motor {name} (id {ident}) on {self.port.path}'

    def _no_reply(
        self, name: str, ident: int, doing: str, result: int | None,
    ) -> TransactionError:
        what = 'no valid reply' if result is None else self._handler.getTxRxResult(result)
        return TransactionError(
            f'{self._who(name, ident)}: {doing}: {what} within '
            f'{self.deadline_s * 1000:.0f} ms; check its cable and its supply', (ident,))
