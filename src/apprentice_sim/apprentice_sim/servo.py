# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One simulated Feetech servo: how it answers, and the hook for physics."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import math

from apprentice_sim.memory import RegisterFile
from apprentice_sim.motor import Motor
from apprentice_sim.motor import RateFollower
from apprentice_sim.protection import Alarm
from apprentice_sim.protection import CURRENT_UNIT_MA
from apprentice_sim.protection import Protection
from apprentice_sim.registers import BAUD_RATES
from apprentice_sim.registers import MEMORY_SIZE
from apprentice_sim.registers import ServoModel
from apprentice_sim.taps import Tap
from apprentice_sim.taps import TapKind

_PROTECTION_PERIOD_NS = 10_000_000
_TORQUE_ENABLE = 40
_FIRST_STATE = 56
_LAST_STATE = 72
_MULTI_TURN = 0x10
_DEFINE_MIDDLE = 128
_OVERLOAD = int(Alarm.OVERLOAD)
_HAND_GAP_NS = 200_000_000
_POSITION, _VELOCITY, _PWM, _STEP = range(4)


class Servo:
    """
    Answer reads and writes as one servo on the bus does.

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
        self._own_alarm = 0
        self._pending: tuple[int, bytes] | None = None
        self._last_ns: int | None = None
        self._guarded_ns = 0
        self._hand_ns = 0
        self._step_target: float | None = None
        self._goal_address = model.table['goal_position'].address
        self._registers = RegisterFile(model)
        self.memory = self._registers.bytes
        self.get = self._registers.get
        for key, value in {'id': servo_id, **(settings or {})}.items():
            self._registers.set(key, value)
        self._protection = Protection(self)
        self._load_all()
        if present is None:
            low, high = self.limits or (0, model.resolution - 1)
            present = (low + high) / 2
        self.position = float(present) + self.homing_offset
        self._tapped_present = self.present_position
        self._power_up()

    def set(self, register: str, value: int) -> None:
        """Set a register as if it had been so since power-up, persistent if it is EEPROM."""
        self._registers.set(register, value)
        self._load_all()

    # -- wire side

    def read(self, address: int, count: int, now_ns: int) -> bytes:
        """Return `count` bytes from `address`, zeros beyond the memory."""
        if address + count > _FIRST_STATE and address <= _LAST_STATE:
            self.advance(now_ns)
            self._registers.put_state(
                self.present_position, int(self.velocity), int(self.load * 1000.0),
                int(self.voltage_v * 10.0 + 0.5), int(self.temperature_c + 0.5), self.alarm,
                int(abs(self.load) * self.model.stall_current_ma / CURRENT_UNIT_MA), self._goal)
        data = bytes(self.memory[address:address + count])
        return data if len(data) == count else data.ljust(count, b'\0')

    def write(self, address: int, data: bytes, now_ns: int) -> None:
        """Write bytes; read-only addresses are passed over, EEPROM persists if Lock is 0."""
        end = address + len(data)
        if end > MEMORY_SIZE:
            return
        self.advance(now_ns)
        if address == self._goal_address and len(data) == 2:
            self.memory[address:end] = data
            self._new_goal(now_ns)
            return
        was_on = self.memory[_TORQUE_ENABLE]
        self._registers.write(address, data)
        if address < _TORQUE_ENABLE or end > _FIRST_STATE:
            self._load_all()
        else:
            self._load_ram()
        if address <= _TORQUE_ENABLE < end:
            self._torque_written(was_on, now_ns)
        if address <= self._goal_address < end:
            self._new_goal(now_ns)
        if self.tap is not None:
            self._tap_write(address, end, now_ns)

    def reg_write(self, address: int, data: bytes) -> None:
        """Keep a write until action() comes."""
        self._pending = (address, data)
        self._registers.put('reg_write_flag', 1)

    def action(self, now_ns: int) -> None:
        """Do the kept write, if there is one."""
        pending, self._pending = self._pending, None
        self._registers.put('reg_write_flag', 0)
        if pending is not None:
            self.write(*pending, now_ns)

    def factory_reset(self) -> None:
        """Restore the factory EEPROM except the id."""
        self._registers.factory_reset()
        self._load_all()

    def define_present(self, present: int) -> None:
        """Choose the homing offset that makes the shaft read `present`."""
        turn = self.model.resolution
        offset = round(self.position - present) % turn
        if offset > turn // 2 - 1:
            offset -= turn
        self._registers.put_by_lock('homing_offset', offset)
        self._load_all()

    def power_cycle(self, now_ns: int, lost: int = 0) -> None:
        """
        Lose RAM, unsaved EEPROM, alarms and turn count; come back with torque off.

        The last `lost` EEPROM writes since the servo started had not been stored yet.
        """
        self.advance(now_ns)
        self._registers.power_up(lost)
        if self.model.continuous:
            self.position %= self.model.resolution
        self.velocity = self.load = 0.0
        self._pending = None
        self._step_target = None
        self._protection.clear()
        self._own_alarm = 0
        self._load_all()
        self._power_up()
        self._emit(TapKind.TORQUE, now_ns, _TORQUE_ENABLE, 0)

    # -- what a motor model or a physics engine sees

    @property
    def present_position(self) -> int:
        """Return the position as the host reads it."""
        ticks = round(self.position - self.homing_offset)
        if not self.model.continuous:
            return min(max(ticks, 0), self.model.resolution - 1)
        return ticks if self.multi_turn else ticks % self.model.resolution

    @property
    def goal_position(self) -> int:
        """Return the goal register as written."""
        return self._goal

    @property
    def target_ticks(self) -> float | None:
        """Return where the shaft is driven, encoder ticks; None where a velocity is driven."""
        if self.mode == _STEP:
            return self.position if self._step_target is None else self._step_target
        if self.mode != _POSITION:
            return None
        goal = self._goal
        if self.limits is not None:
            goal = min(max(goal, self.limits[0]), self.limits[1])
        if self.multi_turn or not self.model.continuous:
            return float(goal + self.homing_offset)
        turn = self.model.resolution
        turns = math.floor((self.position - self.homing_offset + 0.5) / turn)
        return float(goal + self.homing_offset + turns * turn)

    @property
    def target_velocity(self) -> float:
        """Return the driven velocity in ticks/s; 0 where a position is driven."""
        if self.mode == _VELOCITY:
            return float(self.get('goal_velocity'))
        if self.mode == _PWM:
            return self.get('goal_time') / 1000.0 * self.model.max_velocity
        return 0.0

    def set_actual(
        self, position_ticks: float, velocity: float, load: float, now_ns: int,
    ) -> None:
        """
        Take position (encoder ticks), velocity (ticks/s), load (-1..1) from physics.

        The first call detaches the built-in motor.
        """
        self.motor = None
        self.position = position_ticks
        self.velocity = velocity
        self.load = load
        if self.tap is not None:
            self._tap_present(now_ns)

    def hand(self, present: float, now_ns: int) -> bool:
        """Move the shaft to `present` (as the host reads it); False if torque holds it."""
        delta = present - (self.position - self.homing_offset)
        if self.model.continuous and not self.multi_turn:
            turn = self.model.resolution
            delta = (delta + turn / 2) % turn - turn / 2
        return self.turn_to(self.position + delta, now_ns)

    def turn_to(self, position: float, now_ns: int) -> bool:
        """Move the shaft by hand to encoder ticks, not wrapped; False if torque holds it."""
        self.advance(now_ns)
        if self.torque_on:
            return False
        elapsed = now_ns - self._hand_ns
        self.velocity = (
            (position - self.position) * 1e9 / elapsed if 0 < elapsed < _HAND_GAP_NS else 0.0)
        self._hand_ns = now_ns
        self.position = position
        if self.tap is not None:
            self._tap_present(now_ns)
        return True

    def block(self, low: float | None = None, high: float | None = None) -> None:
        """Put obstacles at `low` and `high` (as the host reads positions); none clears them."""
        if low is None and high is None:
            self.obstacle = None
            return
        base = self.position - self.present_position
        self.obstacle = (
            -math.inf if low is None else low + base,
            math.inf if high is None else high + base)

    def force_alarm(self, bits: int) -> None:
        """Raise these alarm bits whatever the model says; 0 lets go."""
        self.forced_alarm = bits
        self._refresh_alarm()

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
            self._own_alarm = self._protection.update(elapsed * 1e-9)
            if self._own_alarm | self.forced_alarm != self.alarm:
                self._refresh_alarm()

    # -- inside

    def _power_up(self) -> None:
        if 'torque_limit' in self.model.table:
            self._registers.put('torque_limit', self.get('max_torque_limit'))
        self._registers.put('goal_position', self.present_position)
        self._load_ram()

    def _load_all(self) -> None:
        """Decode every register that behaviour depends on."""
        has = self.model.table
        self.servo_id = self.get('id')
        index = self.get('baud_rate')
        self.baud = BAUD_RATES[index] if index < len(BAUD_RATES) else 0
        self.return_delay_ns = self.get('return_delay') * 2_000
        self.answers_writes = self.get('response_level') != 0
        low, high = self.get('min_position_limit'), self.get('max_position_limit')
        self.limits = None if low == high == 0 else (low, high)
        self.multi_turn = self.model.continuous and bool(self.get('phase') & _MULTI_TURN)
        self.homing_offset = self.get('homing_offset') if 'homing_offset' in has else 0
        self.mode = self.get('operating_mode') if 'operating_mode' in has else _POSITION
        self.position_p = self.get('position_p')
        self._protection.load()
        self._load_ram()

    def _load_ram(self) -> None:
        model = self.model
        speed = 0 if self.mode == _VELOCITY else abs(self.get('goal_velocity'))
        self.max_velocity = min(speed, model.max_velocity) if speed else model.max_velocity
        units = self.get('acceleration')
        self.max_acceleration = units * model.acceleration_unit if units else math.inf
        self._register_limit = \
            self.get('torque_limit') / 1000.0 if 'torque_limit' in model.table else 1.0
        self._goal = self.get('goal_position')
        self._refresh_alarm()

    def _refresh_alarm(self) -> None:
        self.alarm = self._own_alarm | self.forced_alarm
        unload = self.alarm & self._protection.unloading
        self.torque_on = self.memory[_TORQUE_ENABLE] == 1 and not unload & ~_OVERLOAD
        self.torque_limit = self._register_limit
        if unload & _OVERLOAD:
            self.torque_limit = min(self.torque_limit, self._protection.protective_torque)

    def _torque_written(self, was: int, now_ns: int) -> None:
        value = self.memory[_TORQUE_ENABLE]
        if value == _DEFINE_MIDDLE:
            self.memory[_TORQUE_ENABLE] = was
            if 'homing_offset' in self.model.table:
                self.define_present(self.model.resolution // 2)
            return
        if value != was:
            self._protection.clear()
            self._own_alarm &= ~int(Alarm.OVERLOAD | Alarm.CURRENT)
            self._refresh_alarm()
        self._emit(TapKind.TORQUE, now_ns, _TORQUE_ENABLE, value)

    def _new_goal(self, now_ns: int) -> None:
        self._goal = goal = self.get('goal_position')
        if self.mode == _STEP:
            base = self.position if self._step_target is None else self._step_target
            self._step_target = base + goal
        if self.alarm:
            target = self.target_ticks
            if target is not None:
                self._protection.goal_moved(target - self.position)
        self._emit(TapKind.GOAL, now_ns, self._goal_address, goal)

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
