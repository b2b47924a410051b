# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Faults of a servo bus: which request or reply, what happens to it, how often."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
import random
from typing import TYPE_CHECKING

from apprentice_sim.frames import BROADCAST
from apprentice_sim.frames import Instruction
from apprentice_sim.frames import with_checksum

if TYPE_CHECKING:
    from apprentice_sim.bus import ServoBus
    from apprentice_sim.servo import Servo


class Action(Enum):
    """Name what a fault does; what `value` means stands behind each."""

    DROP = 'drop'                        # reply lost
    DELAY = 'delay'                      # reply late by `value` ms (60)
    CORRUPT = 'corrupt'                  # one byte of the reply changed; index `value` or random
    DUPLICATE = 'duplicate'              # reply sent twice
    TRUNCATE = 'truncate'                # only `value` bytes of the reply (half)
    NOISE = 'noise'                      # `value` random bytes before the reply (5)
    WRONG_ID = 'wrong_id'                # reply carries id `value` (id + 1)
    LOSE_REQUEST = 'lose_request'        # no servo hears the request
    CORRUPT_REQUEST = 'corrupt_request'  # one byte of the request changed
    ALARM = 'alarm'                      # alarm bits `value` raised until set to 0
    SILENCE = 'silence'                  # servo deaf and dumb
    RESTORE = 'restore'                  # servo speaks again
    BLOCK = 'block'                      # shaft stopped at present position
    UNBLOCK = 'unblock'
    TEMPERATURE = 'temperature'          # `value` degrees Celsius, ambient and servo
    VOLTAGE = 'voltage'                  # `value` volt
    POWER_CYCLE = 'power_cycle'          # servo restarts
    POWER_LOSS = 'power_loss'            # restarts within a write: its last `value` (1) are lost
    BREAK_CHAIN = 'break_chain'          # cable cut before servo `value`
    MEND_CHAIN = 'mend_chain'
    UNPLUG = 'unplug'                    # serial port vanishes
    REPLUG = 'replug'


_REPLY_ACTIONS = frozenset({
    Action.DROP, Action.DELAY, Action.CORRUPT, Action.DUPLICATE, Action.TRUNCATE,
    Action.NOISE, Action.WRONG_ID})
_REQUEST_ACTIONS = frozenset(
    {Action.LOSE_REQUEST, Action.CORRUPT_REQUEST, Action.POWER_LOSS})
_NEEDS_VALUE = frozenset({
    Action.ALARM, Action.TEMPERATURE, Action.VOLTAGE, Action.BREAK_CHAIN})


@dataclass(frozen=True)
class FaultRule:
    """
    Say when a fault strikes: by match of a request or reply, or once at `at_s`.

    Empty `ids` and `instructions` match all; `address` matches requests that begin there. The
    first `skip` matches pass, the next `count` (None: all) are hit, each with `probability`.
    """

    action: Action
    ids: frozenset[int] = frozenset()
    instructions: frozenset[Instruction] = frozenset()
    address: int | None = None
    skip: int = 0
    count: int | None = None
    probability: float = 1.0
    value: float | None = None
    at_s: float | None = None

    def __post_init__(self) -> None:
        if self.value is None and self.action in _NEEDS_VALUE:
            raise ValueError(f'fault {self.action.value!r} needs a value')
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f'probability {self.probability} is not within 0..1')
        if self.at_s is not None and self.action in _REPLY_ACTIONS | _REQUEST_ACTIONS:
            raise ValueError(
                f'fault {self.action.value!r} needs a frame to act on: leave at_s out')


class _Armed:
    """A rule with what is left of it."""

    def __init__(self, rule: FaultRule) -> None:
        self.rule = rule
        self.skip = rule.skip
        self.left = rule.count

    def matches(self, frame: bytes, ids: Iterable[int]) -> bool:
        rule = self.rule
        if rule.instructions and frame[4] not in rule.instructions:
            return False
        if rule.address is not None and (len(frame) < 7 or frame[5] != rule.address):
            return False
        return not rule.ids or not rule.ids.isdisjoint(ids)

    def strikes(self, chance: random.Random) -> bool:
        rule = self.rule
        if self.left == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if rule.probability < 1.0 and chance.random() >= rule.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class FaultInjector:
    """Apply rules to the traffic of one bus, repeatably for one seed."""

    def __init__(self, rules: Iterable[FaultRule] = (), seed: int = 0) -> None:
        self.fired: Counter[Action] = Counter()
        self._random = random.Random(seed)
        self._replies: list[_Armed] = []
        self._requests: list[_Armed] = []
        self._events: list[FaultRule] = []
        self._start_ns: int | None = None
        self.has_rules = False
        self.has_events = False
        for rule in rules:
            self.add_rule(rule)

    def add(
        self, action: Action, *, ids: Iterable[int] = (),
        instructions: Iterable[Instruction] = (), address: int | None = None, skip: int = 0,
        count: int | None = None, probability: float = 1.0, value: float | None = None,
    ) -> None:
        """Arm one fault from now on."""
        self.add_rule(FaultRule(
            action, frozenset(ids), frozenset(instructions), address, skip, count,
            probability, value))

    def add_rule(self, rule: FaultRule) -> None:
        """Arm one rule; times count from the first service of the bus."""
        if rule.at_s is not None:
            self._events = sorted([*self._events, rule], key=lambda r: r.at_s or 0.0)
        elif rule.action in _REPLY_ACTIONS:
            self._replies = [*self._replies, _Armed(rule)]
        else:
            self._requests = [*self._requests, _Armed(rule)]
        self._refresh()

    def clear(self) -> None:
        """Disarm everything; lasting effects such as a broken chain stay."""
        self._replies, self._requests, self._events = [], [], []
        self._refresh()

    def _refresh(self) -> None:
        self.has_rules = bool(self._replies or self._requests)
        self.has_events = bool(self._events)

    # -- called by the bus

    def request(self, bus: ServoBus, frame: bytes, now_ns: int) -> bytes | None:
        """Return the request as the servos hear it, None if they do not; do state faults."""
        for armed in self._requests:
            if not armed.matches(frame, target_ids(frame)) or not armed.strikes(self._random):
                continue
            action = armed.rule.action
            self.fired[action] += 1
            if action is Action.LOSE_REQUEST:
                return None
            if action is Action.POWER_LOSS:
                value = armed.rule.value
                bus.lose_power(frame, 1 if value is None else int(value), now_ns)
                return None
            if action is Action.CORRUPT_REQUEST:
                frame = self._corrupt(frame, armed.rule.value)
                if sum(frame[2:]) & 0xFF != 0xFF or frame[:2] != b'\xff\xff':
                    return None
            else:
                apply_state_fault(bus, armed.rule, now_ns)
        return frame

    def reply(self, frame: bytes, servo_id: int, line: bytes) -> list[tuple[int, bytes]]:
        """Return (extra delay in ns, bytes) for what the host gets instead of `line`."""
        copies = 1
        delay_ns = 0
        for armed in self._replies:
            if not armed.matches(frame, (servo_id,)) or not armed.strikes(self._random):
                continue
            action, value = armed.rule.action, armed.rule.value
            self.fired[action] += 1
            if action is Action.DROP:
                copies = 0
            elif action is Action.DUPLICATE:
                copies *= 2
            elif action is Action.DELAY:
                delay_ns += int((60.0 if value is None else value) * 1e6)
            else:
                line = self._change(action, value, line)
        return [(delay_ns, line)] * copies

    def run_events(self, bus: ServoBus, now_ns: int) -> None:
        """Do the timed faults that are due."""
        if self._start_ns is None:
            self._start_ns = now_ns
        elapsed_s = (now_ns - self._start_ns) * 1e-9
        while self._events and (self._events[0].at_s or 0.0) <= elapsed_s:
            rule = self._events.pop(0)
            self.fired[rule.action] += 1
            apply_state_fault(bus, rule, now_ns)
        self._refresh()

    def _change(self, action: Action, value: float | None, line: bytes) -> bytes:
        if action is Action.CORRUPT:
            return self._corrupt(line, value)
        if action is Action.TRUNCATE:
            return line[:len(line) // 2 if value is None else int(value)]
        if action is Action.NOISE:
            return self._random.randbytes(5 if value is None else int(value)) + line
        other = line[2] + 1 if value is None else int(value)
        return with_checksum(line[:2] + bytes((other & 0xFF,)) + line[3:])

    def _corrupt(self, line: bytes, index: float | None) -> bytes:
        at = self._random.randrange(len(line)) if index is None else int(index) % len(line)
        changed = line[at] ^ self._random.randrange(1, 256)
        return line[:at] + bytes((changed,)) + line[at + 1:]


def target_ids(frame: bytes) -> Iterable[int]:
    """Return the ids that a request addresses; all of them for a plain broadcast."""
    if frame[4] == Instruction.SYNC_READ:
        return frame[7:-1]
    if frame[4] == Instruction.SYNC_WRITE and len(frame) > 7:
        return frame[7:-1:frame[6] + 1]
    return range(BROADCAST) if frame[2] == BROADCAST else (frame[2],)


def apply_state_fault(bus: ServoBus, rule: FaultRule, now_ns: int) -> None:
    """Do a fault that changes servos, chain or port."""
    action, value = rule.action, rule.value
    if action is Action.BREAK_CHAIN:
        bus.break_chain(int(value or 0))
    elif action is Action.MEND_CHAIN:
        bus.mend_chain()
    elif action in (Action.UNPLUG, Action.REPLUG):
        if bus.on_unplug is not None:
            bus.on_unplug(action is Action.UNPLUG)
    else:
        for servo in _servos(bus, rule):
            _apply_to_servo(servo, action, value or 0.0, now_ns)
        bus.reindex()


def _servos(bus: ServoBus, rule: FaultRule) -> Iterator[Servo]:
    return (s for s in bus.servos if not rule.ids or s.servo_id in rule.ids)


def _apply_to_servo(servo: Servo, action: Action, value: float, now_ns: int) -> None:
    if action in (Action.SILENCE, Action.RESTORE):
        servo.silent = action is Action.SILENCE
    elif action is Action.ALARM:
        servo.force_alarm(int(value))
    elif action is Action.BLOCK:
        servo.block(servo.present_position - 1, servo.present_position + 1)
    elif action is Action.UNBLOCK:
        servo.block()
    elif action is Action.TEMPERATURE:
        servo.ambient_c = servo.temperature_c = value
    elif action is Action.VOLTAGE:
        servo.voltage_v = value
    elif action is Action.POWER_CYCLE:
        servo.power_cycle(now_ns)
    else:
        raise AssertionError(f'{action} is not a fault of a servo')
