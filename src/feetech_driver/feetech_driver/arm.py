# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What happens in one bus cycle: drive, observe, notice what is gone, take it back."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from apprentice_control.calibration import JointCalibration
from apprentice_control.guard import Command
from apprentice_control.guard import CommandGuard
from feetech_driver import settings
from feetech_driver.bus import FeetechBus
from feetech_driver.errors import BusError
from feetech_driver.errors import PortLost
from feetech_driver.errors import TransactionError
from feetech_driver.keeper import Keeper
from feetech_driver.motors import MotorState
from feetech_driver.parameters import DriverConfig
from feetech_driver.rest import REST
from feetech_driver.rest import way_to_rest
from feetech_driver.torque import energise
from feetech_driver.torque import Fade
from feetech_driver.torque import read_all

SILENT_NS = 100_000_000
RETRY_NS = 200_000_000
TORQUE_CHECK_NS = 1_000_000_000
REPEAT_NS = 5_000_000_000
HANDSHAKE_S = 0.3


class Link(Enum):
    """State how the arm is reached."""

    UP = 'up'
    SILENT = 'motors silent'
    LOST = 'port lost'


class Output(Protocol):
    """Where a cycle's results go and its inputs come from; called on the bus thread."""

    def poll(self, now_ns: int) -> None:
        """Take what came in since the last cycle."""

    def states(self, stamp_ns: int, states: Mapping[str, MotorState]) -> None:
        """Publish a reading."""

    def commands(self, stamp_ns: int, goals: Sequence[int], velocity: Sequence[float]) -> None:
        """Publish goals as written, in ticks."""

    def publish_guard(self) -> None:
        """Publish the guard's status if it has changed."""

    def say(self, text: str, error: bool = False) -> None:
        """Log an event."""


class Arm:
    """
    One arm on one bus, with a guard if it is driven. Every method runs on the bus thread.

    `states` holds the latest reading of each motor, `link` and `trouble` what is wrong.
    """

    def __init__(
        self, bus: FeetechBus, joints: Mapping[str, JointCalibration], config: DriverConfig,
        guard: CommandGuard | None, keeper: Keeper | None, output: Output,
    ) -> None:
        """Begin inactive on a bus that is open."""
        self.bus = bus
        self.guard = guard
        self.link = Link.UP
        self.trouble = ''
        self.driving = False
        self.states: dict[str, MotorState] = {}
        self._joints = tuple(joints.values())
        self._calibration = joints
        self._config = config
        self._keeper = keeper
        self._output = output
        self._limits: dict[str, int] = {}
        self._fade: Fade | None = None
        self._commanded: tuple[float, ...] = ()
        self._seen_ns = dict.fromkeys(joints, 0)
        self._started_ns = 0
        self._retry_ns = 0
        self._check_ns = 0
        self._told = ''
        self._told_ns = 0

    def cycle(self, now_ns: int) -> None:
        """Do everything that is due in a bus cycle."""
        self._output.poll(now_ns)
        try:
            if self.link is Link.LOST:
                self._reconnect(now_ns)
            else:
                if self.driving:
                    self._drive(now_ns)
                self._observe(now_ns)
                if self.driving:
                    self._check_torque(now_ns)
        except PortLost as error:
            self._lose(error, now_ns)
        except TransactionError as error:
            self._note_trouble(str(error), now_ns)
            self._watch_silence(now_ns)
        self._output.publish_guard()

    def activate(self, now_ns: int) -> None:
        """Take the pose over, switch torque on and begin to drive; BusError if that fails."""
        if self.link is not Link.UP:
            raise BusError(f'{self.link.value}: {self.trouble}')
        self._limits = settings.full_torque(self.bus, self._config)
        self._revive_keeper()
        if self._keeper is not None:
            self._keeper.arm()
        try:
            present = energise(self.bus, self._joints, self._limits)
        except BusError:
            self.bus.release()
            if self._keeper is not None:
                self._keeper.disarm()
            raise
        self.guard.activate(now_ns, self._to_rad(present))
        self._fade = None
        self.driving = True

    def stand_down(self, now_ns: int) -> None:
        """Begin to decelerate; `driving` becomes false when the arm stands. Torque stays."""
        self.guard.deactivate(now_ns)

    def go_to_rest(self, now_ns: int) -> float:
        """Begin to move to the rest pose; return how many seconds that takes, 0 if it cannot."""
        pose = self._config.rest_pose
        if not (pose and self.driving and self.link is Link.UP and self._fade is None):
            return 0.0
        if not self.guard.acquire(REST, now_ns)[0]:
            return 0.0
        points, duration_s = way_to_rest(self._commanded or pose, pose, now_ns)
        refusal = self.guard.submit(Command(REST, tuple(self._calibration), points), now_ns)
        if refusal is not None:
            self._output.say(f'no rest pose: {refusal.detail}', error=True)
            return 0.0
        return duration_s

    # One cycle ----------------------------------------------------------------------------

    def _drive(self, now_ns: int) -> None:
        goal = self.guard.step(now_ns, self._measured())
        if not goal.active:
            self.driving = False
            return
        if goal.released:
            self._let_go(now_ns)
            return
        if self._fade is not None:
            self._take_back(now_ns)
            return
        goals = {joint.name: joint.to_raw(position)
                 for joint, position in zip(self._joints, goal.position)}
        stamp_ns = self.bus.write_goals(goals)
        self.guard.written(stamp_ns)
        self._commanded = goal.position
        self._output.commands(stamp_ns, tuple(goals.values()), goal.velocity)

    def _observe(self, now_ns: int) -> None:
        self._started_ns = self._started_ns or now_ns
        states = self.bus.read_state()
        for name, state in states.items():
            self.states[name] = state
            self._seen_ns[name] = now_ns
        if states:
            self._output.states(next(iter(states.values())).stamp_ns, states)
            if self.link is Link.UP and self._fade is None:
                self.trouble = ''
        self._watch_silence(now_ns)

    def _watch_silence(self, now_ns: int) -> None:
        silent = [name for name, seen_ns in self._seen_ns.items()
                  if now_ns - max(seen_ns, self._started_ns) > SILENT_NS]
        if silent and self.link is Link.UP:
            self.link = Link.SILENT
            self.trouble = f"{', '.join(silent)} silent: check cable and supply"
            self._suspend(now_ns)
        elif self.link is Link.SILENT and not silent and now_ns >= self._retry_ns:
            self._retry_ns = now_ns + RETRY_NS
            self._resume(now_ns)

    def _check_torque(self, now_ns: int) -> None:
        if now_ns < self._check_ns or self.link is not Link.UP or self._fade is not None:
            return
        self._check_ns = now_ns + TORQUE_CHECK_NS
        self._revive_keeper()
        off = [name for name, on in self.bus.read_many('torque_enable').items() if not on]
        if off:
            self.link = Link.SILENT
            self.trouble = f"{', '.join(off)} lost torque: was the supply interrupted?"
            self._suspend(now_ns)

    def _let_go(self, now_ns: int) -> None:
        if self._fade is None:
            self._fade = Fade(self.bus, self._limits, now_ns)
            self._output.say('emergency stop: torque fades out', error=True)
        self._fade.step(now_ns)

    def _take_back(self, now_ns: int) -> None:
        if now_ns < self._retry_ns:
            return
        try:
            present = energise(self.bus, self._joints, self._limits)
        except PortLost:
            raise
        except BusError as error:
            self._retry_ns = now_ns + RETRY_NS
            self._note_trouble(str(error), now_ns)
            self.guard.suspend(str(error), now_ns)
            return
        self.guard.rebase(now_ns, self._to_rad(present))
        self._fade = None

    # Losing and taking back -----------------------------------------------------------------

    def _lose(self, error: PortLost, now_ns: int) -> None:
        self.link = Link.LOST
        self.trouble = str(error)
        self.bus.close()
        self._suspend(now_ns)

    def _suspend(self, now_ns: int) -> None:
        self._retry_ns = now_ns + RETRY_NS
        self._output.say(self.trouble, error=True)
        if self.guard is not None:
            self.guard.suspend(self.trouble, now_ns)

    def _reconnect(self, now_ns: int) -> None:
        if self.driving:
            # A deactivation asked for meanwhile must come to its end.
            self.driving = self.guard.step(now_ns, None).active
        if now_ns < self._retry_ns:
            return
        self._retry_ns = now_ns + RETRY_NS
        try:
            self.bus.reopen()
            self.bus.handshake(HANDSHAKE_S)
            if self._keeper is not None:
                self._keeper.reopen(self.bus.fd)
            self._resume(now_ns)
        except BusError as error:
            self.bus.close()
            self._note_trouble(str(error), now_ns)

    def _resume(self, now_ns: int) -> None:
        """Hold the arm where it is now; a motor that lost its supply gets its settings again."""
        try:
            self._restore(now_ns)
        except PortLost:
            raise
        except BusError as error:
            self._note_trouble(str(error), now_ns)
            if self.link is Link.LOST:
                raise
            return
        was, self.link, self.trouble = self.link, Link.UP, ''
        self._seen_ns = dict.fromkeys(self._seen_ns, now_ns)
        self._output.say(f'the arm is back (was: {was.value})')

    def _restore(self, now_ns: int) -> None:
        torque = self.bus.read_many('torque_enable')
        if len(torque) < len(self._joints):
            raise TransactionError('not every motor answers yet')
        if self.guard is None:
            return
        if not all(torque.values()):
            settings.prepare(self.bus, self._config, self._calibration)
        if self.driving and self._fade is None:
            self._refuse_alarmed(torque)
            present = energise(self.bus, self._joints, self._limits)
        else:
            present = read_all(self.bus)
        self.guard.rebase(now_ns, self._to_rad(present))

    def _refuse_alarmed(self, torque: Mapping[str, int]) -> None:
        for name, on in torque.items():
            state = self.states.get(name)
            if not on and state is not None and state.error:
                raise TransactionError(
                    f'{name} switched its torque off and reports an alarm; the arm holds until '
                    'it is gone')

    def _revive_keeper(self) -> None:
        keeper = self._keeper
        if keeper is not None and not keeper.alive:
            self._output.say('the keeper process had died: starting another one', error=True)
            keeper.reopen(self.bus.fd)

    def _note_trouble(self, text: str, now_ns: int) -> None:
        self.trouble = text
        if text != self._told or now_ns - self._told_ns > REPEAT_NS:
            self._told, self._told_ns = text, now_ns
            self._output.say(text, error=True)

    def _measured(self) -> list[float] | None:
        states = self.states
        if len(states) < len(self._joints):
            return None
        return [joint.to_rad(states[joint.name].position_raw) for joint in self._joints]

    def _to_rad(self, ticks: Mapping[str, int]) -> list[float]:
        return [joint.to_rad(ticks[joint.name]) for joint in self._joints]
