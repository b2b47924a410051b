# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One simulated Feetech servo: register file, behaviour, and the hook for physics."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from enum import Enum
import math
import struct
from typing import NamedTuple

from apprentice_sim.motor import Motor
from apprentice_sim.motor import RateFollower
from apprentice_sim.protection import Alarm
from apprentice_sim.protection import CURRENT_UNIT_MA
from apprentice_sim.protection import Protection
from apprentice_sim.registers import BAUD_RATES
from apprentice_sim.registers import decode
from apprentice_sim.registers import encode
from apprentice_sim.registers import MEMORY_SIZE
from apprentice_sim.registers import ServoModel

_PROTECTION_PERIOD_NS = 10_000_000
_FIRST_RAM = 40
_FIRST_STATE = 56
_LAST_STATE = 72
_MULTI_TURN = 0x10
_DEFINE_MIDDLE = 128
_OVERLOAD = int(Alarm.OVERLOAD)


class TapKind(Enum):
    """Say what a tap saw."""

    GOAL = 'goal'
    TORQUE = 'torque'
    WRITE = 'write'
    PRESENT = 'present'


class Tap(NamedTuple):
    """Report one register change; `t_ns` is monotonic, `value` decoded, PRESENT as read."""

    kind: TapKind
    t_ns: int
    servo_id: int
    name: str
    address: int
    value: int


class Servo:
    """Answer reads and writes as one servo on the bus does.

    `position`, `target_ticks` and `obstacle` are encoder ticks: before the homing offset, not
    wrapped. The host reads `present_position` = position - homing offset, wrapped to one turn
    unless the phase register asks for multi-turn. `load` and `torque_limit` are fractions of
    the stall torque. Times are monotonic nanoseconds and given by the caller.
    """

    def __init__(
        self, model: ServoModel, servo_id: int = 1, name: str = '', *,
        settings: Mapping[str, int] | None = None, present: float | None = None,
        voltage_v: float | None = None, motor: Motor | None = None,
    ) -> None:
        self.model = model
        self.name = name or f'{model.name}_{servo_id}'
        self.memory = bytearray(model.image)
        self.motor: Motor | None = motor or RateFollower()
        self.tap: Callable[[Tap], None] | None = None
        self.silent = False
        self.velocity = 0.0
        self.load = 0.0
        self.external_load = 0.0
        self.obstacle: tuple[float, float] | None = None
        self.voltage_v = model.nominal_voltage if voltage_v is None else voltage_v
        self.ambient_c = 25.0
        self.temperature_c = 30.0
        self.thermal_time_s = 300.0
        self.forced_alarm = 0
        self.alarm = 0
        self._alarm_bits = 0
        self._pending: tuple[int, bytes] | None = None
        self._last_ns: int | None = None
        self._guarded_ns = 0
        self._hand_ns = 0
        self._position = 0.0
        self._step_target: float | None = None
        self._order = model.byte_order
        self._pack_state = struct.Struct('>HHHBB' if model.big_endian else '<HHHBB').pack_into
        self._goal_address = model.table['goal_position'].address
        for key, value in {'id': servo_id, **(settings or {})}.items():
            self._store(key, value)
        self._saved = bytes(self.memory)
        self._protection = Protection(self)
        self._load_all()
        if present is None:
            low, high = self.limits or (0, model.resolution - 1)
            present = (low + high) / 2
        self._position = float(present) + self.homing_offset
        self._tapped_present = self.present_position
        self._power_up()

    # -- register access by name, as a test or a preset wants it

    def get(self, name: str) -> int:
        """Return a register's decoded value as it stands in memory."""
        register = self.model.table[name]
        raw = int.from_bytes(
            self.memory[register.address:register.address + register.size], self._order)
        return decode(raw, register.sign_bit)

    def set(self, name: str, value: int) -> None:
        """Set a register as if it had been so since power-up, persistent if it is EEPROM."""
        self._store(name, value)
        saved = bytearray(self._saved)
        register = self.model.table[name]
        if register.eeprom:
            span = slice(register.address, register.address + register.size)
            saved[span] = self.memory[span]
            self._saved = bytes(saved)
        self._load_all()

    def _store(self, name: str, value: int) -> None:
        register = self.model.table[name]
        raw = encode(value, register.sign_bit).to_bytes(register.size, self._order)
        self.memory[register.address:register.address + register.size] = raw

    # -- wire side

    def read(self, address: int, count: int, now_ns: int) -> bytes:
        """Return `count` bytes from `address`, zeros beyond the memory."""
        if address + count > _FIRST_STATE and address <= _LAST_STATE:
            self.advance(now_ns)
            self._encode_state()
        data = bytes(self.memory[address:address + count])
        return data if len(data) == count else data.ljust(count, b'\0')

    def write(self, address: int, data: bytes, now_ns: int) -> None:
        """Write bytes; read-only addresses are passed over, EEPROM persists if Lock is 0."""
        end = address + len(data)
        if address == self._goal_address and len(data) == 2:
            self.advance(now_ns)
            self.memory[address:end] = data
            self._new_goal(now_ns)
            return
        if end > MEMORY_SIZE:
            return
        self.advance(now_ns)
        was_on = self.memory[_FIRST_RAM]
        self._write_bytes(address, data)
        if address < _FIRST_RAM or end > _FIRST_STATE:
            self._load_all()
        else:
            self._load_ram()
        if address <= _FIRST_RAM < end:
            self._torque_written(was_on, now_ns)
        if address <= self._goal_address < end:
            self._new_goal(now_ns)
        if self.tap is not None:
            self._tap_write(address, end, now_ns)

    def reg_write(self, address: int, data: bytes) -> None:
        """Keep a write until action() comes."""
        self._pending = (address, data)
        self._store('reg_write_flag', 1)

    def action(self, now_ns: int) -> tuple[int, bytes] | None:
        """Do the kept write and return it, if there is one."""
        pending, self._pending = self._pending, None
        self._store('reg_write_flag', 0)
        if pending is not None:
            self.write(*pending, now_ns)
        return pending

    def reset_settings(self) -> None:
        """Restore the factory EEPROM except the id, as instruction 0x06 does."""
        keep = self.memory[5]
        for address in self.model.eeprom:
            self.memory[address] = self.model.image[address]
        self.memory[5] = keep
        self._saved = bytes(self.memory)
        self._load_all()

    def define_present(self, present: int) -> None:
        """Choose the homing offset that makes the shaft read `present`."""
        turn = self.model.resolution
        offset = round(self._position - present) % turn
        if offset > turn // 2 - 1:
            offset -= turn
        self._store('homing_offset', offset)
        if not self.memory[self._lock_address]:
            self._saved = bytes(self.memory)
        self._load_all()

    def power_cycle(self, now_ns: int) -> None:
        """Lose RAM, unsaved EEPROM, alarms and turn count; come back with torque off."""
        self.advance(now_ns)
        self.memory = bytearray(self.model.image)
        for address in self.model.eeprom:
            self.memory[address] = self._saved[address]
        if self.model.continuous:
            self._position %= self.model.resolution
        self.velocity = self.load = 0.0
        self._pending = None
        self._protection.clear()
        self._load_all()
        self._power_up()
        self._emit(TapKind.TORQUE, now_ns, _FIRST_RAM, 0)

    def _power_up(self) -> None:
        if 'torque_limit' in self.model.table:
            self._store('torque_limit', self.get('max_torque_limit'))
        self._store('goal_position', self.present_position)
        self._load_ram()
        self._refresh_alarm()

    # -- what a motor model or a physics engine sees

    @property
    def position(self) -> float:
        """Return the shaft's angle in encoder ticks, not wrapped."""
        return self._position

    @position.setter
    def position(self, ticks: float) -> None:
        self._position = ticks

    @property
    def present_position(self) -> int:
        """Return the position as the host reads it."""
        ticks = round(self._position - self.homing_offset)
        if not self.model.continuous:
            return min(max(ticks, 0), self.model.resolution - 1)
        return ticks if self.multi_turn else ticks % self.model.resolution

    @property
    def goal_position(self) -> int:
        """Return the goal register as written."""
        return self.get('goal_position')

    @property
    def target_ticks(self) -> float | None:
        """Return where the shaft is driven, encoder ticks; None where a velocity is driven."""
        if self.mode == 3:
            return self._position if self._step_target is None else self._step_target
        if self.mode != 0:
            return None
        goal = self._goal
        if self.limits is not None:
            goal = min(max(goal, self.limits[0]), self.limits[1])
        present = self._position - self.homing_offset
        if self.multi_turn or not self.model.continuous:
            return float(goal + self.homing_offset)
        turns = math.floor((present + 0.5) / self.model.resolution)
        return float(goal + self.homing_offset + turns * self.model.resolution)

    @property
    def target_velocity(self) -> float:
        """Return the driven velocity in ticks/s; 0 in position mode."""
        if self.mode == 1:
            return float(self.get('goal_velocity'))
        if self.mode == 2:
            return self.get('goal_time') / 1000.0 * self.model.max_velocity
        return 0.0

    def set_actual(
        self, position_ticks: float, velocity: float, load: float, now_ns: int,
    ) -> None:
        """Take position (encoder ticks), velocity (ticks/s), load (-1..1) from physics.

        The first call detaches the built-in motor.
        """
        self.motor = None
        self._position = position_ticks
        self.velocity = velocity
        self.load = load
        if self.tap is not None:
            self._tap_present(now_ns)

    def hand(self, present: float, now_ns: int) -> bool:
        """Move the shaft to `present` (as the host reads it); False if torque holds it."""
        self.advance(now_ns)
        if self.torque_on:
            return False
        delta = present - (self._position - self.homing_offset)
        if self.model.continuous and not self.multi_turn:
            turn = self.model.resolution
            delta = (delta + turn / 2) % turn - turn / 2
        elapsed = now_ns - self._hand_ns
        self.velocity = delta * 1e9 / elapsed if 0 < elapsed < 200_000_000 else 0.0
        self._hand_ns = now_ns
        self._position += delta
        if self.tap is not None:
            self._tap_present(now_ns)
        return True

    def block(self, low: float | None = None, high: float | None = None) -> None:
        """Put obstacles at `low` and `high` (as the host reads positions); none clears them."""
        if low is None and high is None:
            self.obstacle = None
            return
        base = self._position - self.present_position
        self.obstacle = (
            -math.inf if low is None else low + base,
            math.inf if high is None else high + base)

    def advance(self, now_ns: int) -> None:
        """Bring motion and protection up to `now_ns`."""
        last = self._last_ns
        if last is None:
            self._last_ns = self._guarded_ns = now_ns
            return
        if now_ns <= last:
            return
        self._last_ns = now_ns
        if self.motor is not None:
            self.motor.advance(self, (now_ns - last) * 1e-9)
            if self.tap is not None:
                self._tap_present(now_ns)
        elapsed = now_ns - self._guarded_ns
        if elapsed >= _PROTECTION_PERIOD_NS:
            self._guarded_ns = now_ns
            self._alarm_bits = self._protection.update(elapsed * 1e-9)
            if self._alarm_bits | self.forced_alarm != self.alarm:
                self._refresh_alarm()

    def force_alarm(self, bits: int) -> None:
        """Raise these alarm bits whatever the model says; 0 lets go."""
        self.forced_alarm = bits
        self._refresh_alarm()

    # -- inside

    def _write_bytes(self, address: int, data: bytes) -> None:
        unlocked = not self.memory[self._lock_address]
        saved = bytearray(self._saved) if unlocked else None
        model = self.model
        for i, byte in enumerate(data, address):
            if i in model.writable:
                self.memory[i] = byte
                if saved is not None and i in model.eeprom:
                    saved[i] = byte
        if saved is not None:
            self._saved = bytes(saved)

    def _load_all(self) -> None:
        """Decode every register that behaviour depends on."""
        has = self.model.table
        self._lock_address = has['lock'].address
        self.servo_id = self.get('id')
        index = self.get('baud_rate')
        self.baud = BAUD_RATES[index] if index < len(BAUD_RATES) else 0
        self.return_delay_ns = self.get('return_delay') * 2_000
        self.answers_writes = self.get('response_level') != 0
        low, high = self.get('min_position_limit'), self.get('max_position_limit')
        self.limits = None if low == high == 0 else (low, high)
        self.multi_turn = self.model.continuous and bool(self.get('phase') & _MULTI_TURN)
        self.homing_offset = self.get('homing_offset') if 'homing_offset' in has else 0
        self.mode = self.get('operating_mode') if 'operating_mode' in has else 0
        self.position_p = self.get('position_p')
        self._protection.load()
        self._load_ram()
        self._refresh_alarm()

    def _load_ram(self) -> None:
        has = self.model.table
        model = self.model
        speed = abs(self.get('goal_velocity')) if self.mode != 1 else 0
        self.max_velocity = min(speed, model.max_velocity) if speed else model.max_velocity
        units = self.get('acceleration')
        self.max_acceleration = units * model.acceleration_unit if units else math.inf
        self._register_limit = \
            self.get('torque_limit') / 1000.0 if 'torque_limit' in has else 1.0
        self._goal = self.get('goal_position')
        self._apply_output()

    def _apply_output(self) -> None:
        unload = self.alarm & self._protection.unloading
        self.torque_on = self.memory[_FIRST_RAM] == 1 and not unload & ~_OVERLOAD
        self.torque_limit = self._register_limit
        if unload & _OVERLOAD:
            self.torque_limit = min(self.torque_limit, self._protection.protective_torque)

    def _refresh_alarm(self) -> None:
        self.alarm = self._alarm_bits | self.forced_alarm
        self._apply_output()

    def _torque_written(self, was: int, now_ns: int) -> None:
        value = self.memory[_FIRST_RAM]
        if value == _DEFINE_MIDDLE:
            self.memory[_FIRST_RAM] = was
            if 'homing_offset' in self.model.table:
                self.define_present(self.model.resolution // 2)
            return
        if value != was:
            self._protection.clear()
            self._alarm_bits &= ~int(Alarm.OVERLOAD | Alarm.CURRENT)
            self._refresh_alarm()
        self._emit(TapKind.TORQUE, now_ns, _FIRST_RAM, value)

    def _new_goal(self, now_ns: int) -> None:
        self._goal = goal = self.get('goal_position')
        if self.mode == 3:
            base = self._position if self._step_target is None else self._step_target
            self._step_target = base + goal
        if self.alarm:
            target = self.target_ticks
            self._protection.goal_moved((target or 0.0) - self._position)
        self._emit(TapKind.GOAL, now_ns, self._goal_address, goal)

    def _encode_state(self) -> None:
        memory = self.memory
        position = self.present_position
        velocity = int(self.velocity)
        load = int(self.load * 1000.0)
        self._pack_state(
            memory, _FIRST_STATE,
            position if position >= 0 else min(-position, 0x7FFF) | 0x8000,
            velocity if velocity >= 0 else min(-velocity, 0x7FFF) | 0x8000,
            load if load >= 0 else min(-load, 0x3FF) | 0x400,
            min(max(int(self.voltage_v * 10.0 + 0.5), 0), 255),
            min(max(int(self.temperature_c + 0.5), 0), 255))
        memory[65] = self.alarm
        memory[66] = 1 if abs(velocity) > 10 else 0
        if 'present_current' in self.model.table:
            current = int(abs(self.load) * self.model.stall_current_ma / CURRENT_UNIT_MA)
            self._store('present_current', current)
            self._store('target_position', self._goal)

    def _tap_present(self, now_ns: int) -> None:
        present = self.present_position
        if present != self._tapped_present:
            self._tapped_present = present
            self._emit(TapKind.PRESENT, now_ns, _FIRST_STATE, present)

    def _tap_write(self, address: int, end: int, now_ns: int) -> None:
        for register in self.model.registers:
            if register.address < end and register.address + register.size > address \
                    and register.name not in ('torque_enable', 'goal_position'):
                self._emit(TapKind.WRITE, now_ns, register.address, self.get(register.name))

    def _emit(self, kind: TapKind, now_ns: int, address: int, value: int) -> None:
        if self.tap is not None:
            self.tap(Tap(kind, now_ns, self.servo_id, self.name, address, value))
