# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The command guard: the only road from a source's message to the motors' goals."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from apprentice_control.admission import Admission
from apprentice_control.admission import Command
from apprentice_control.admission import Refusal
from apprentice_control.guard_types import EstopEffect
from apprentice_control.guard_types import Goal
from apprentice_control.guard_types import GuardConfig
from apprentice_control.guard_types import GuardState
from apprentice_control.guard_types import GuardStatus
from apprentice_control.ledger import Ledger
from apprentice_control.limits import JointLimit
from apprentice_control.motion import Departure
from apprentice_control.motion import Motion
from apprentice_control.ownership import Ownership
from apprentice_control.reasons import Reason
from apprentice_control.trajectory import TrajectoryPoint

__all__ = [
    'Command',
    'CommandGuard',
    'EstopEffect',
    'Goal',
    'GuardConfig',
    'GuardState',
    'GuardStatus',
    'JointLimit',
    'Reason',
    'Refusal',
    'TrajectoryPoint',
]


class CommandGuard:
    """
    Admits messages of the owner and turns them into goals within limits, caps and timeouts.

    All instants are monotonic nanoseconds. Not thread-safe: the driver locks.
    """

    def __init__(self, config: GuardConfig) -> None:
        """Begin inactive, without an owner."""
        self.config = config
        self._admission = Admission(config.joints, config.stream_horizon_ns)
        self._ownership = Ownership(config.sources, config.owner_timeout_ns)
        self._motion = Motion(config.joints, config.engage_velocity)
        self._ledger = Ledger()
        self._active = False
        self._leaving = False
        self._latched = False
        self._unreachable = ''
        self._measured: tuple[float, ...] = ()
        self._message_ns = 0
        self._state = GuardState.INACTIVE

    @property
    def state(self) -> GuardState:
        """Return what the guard is doing."""
        return self._state

    @property
    def generation(self) -> int:
        """Return a number that grows with every change worth publishing."""
        return self._ledger.generation

    @property
    def status(self) -> GuardStatus:
        """State, owner, reason and counters as of now."""
        ledger = self._ledger
        return GuardStatus(
            self._state, self._ownership.owner, ledger.reason, ledger.detail, ledger.joints,
            ledger.interventions, dict(ledger.counters), ledger.generation)

    def activate(self, now_ns: int, measured: Sequence[float]) -> None:
        """
        Begin to hold the measured pose (rad, bus order); an emergency stop stays latched.

        :raises ValueError: not one finite value a joint.
        """
        self._place(measured, now_ns)
        self._active = True
        self._leaving = False
        self._unreachable = ''
        self._ownership.drop()
        self._ledger.change(Reason.ACTIVATED, 'goal set to the measured pose')
        self._report_outside(now_ns)
        self._settle()

    def rebase(self, now_ns: int, measured: Sequence[float]) -> None:
        """
        Hold the measured pose (rad, bus order) after a reconnect; the owner ramps again.

        :raises ValueError: not one finite value a joint.
        """
        self._place(measured, now_ns)
        self._unreachable = ''
        self._ledger.change(Reason.REBASED, 'goal set to the measured pose after a reconnect')
        self._report_outside(now_ns)
        self._settle()

    def suspend(self, detail: str, now_ns: int) -> None:
        """Decelerate, hold and refuse commands while motors do not answer; `rebase` resumes."""
        if self._active and not self._unreachable:
            self._unreachable = detail
            self._drop_owner(Reason.UNREACHABLE, detail)

    def deactivate(self, now_ns: int) -> None:
        """Decelerate and hold; go on calling `step` until the state is INACTIVE."""
        if not self._active:
            return
        self._leaving = True
        self._drop_owner(Reason.DEACTIVATED, 'the driver leaves the active state')

    def submit(self, command: Command, now_ns: int) -> Refusal | None:
        """Take a message of a source over, or return why it is refused; refusals are counted."""
        source = command.source
        admitted = (
            self._may_move()
            or self._ownership.may_command(source)
            or self._ownership.check_stamp(source, command.stamp_ns, now_ns)
            or self._admission.check(command, now_ns))
        if isinstance(admitted, Refusal):
            known = source if source in self.config.sources else 'unknown source'
            self._ledger.refuse(admitted.reason, known, now_ns, admitted.detail)
            return admitted
        if admitted.dropped:
            self._ledger.count(Reason.POINTS_DROPPED, admitted.dropped)
        self._ownership.heard(source, command.stamp_ns, now_ns)
        self._message_ns = now_ns
        if self._motion.path is None:
            self._ledger.change(Reason.COMMANDED, f'{source} commands the arm')
        self._motion.take(admitted.points, admitted.joints, admitted.streamed, now_ns)
        self._settle()
        return None

    def acquire(self, source: str, now_ns: int) -> tuple[bool, str]:
        """
        Make a source the owner; the arm stops, and the owner's first motion is the ramp.

        :returns: whether it was done, and a sentence that says what was refused and why.
        """
        refusal = self._may_move() or self._ownership.acquire(source, now_ns)
        if refusal is not None:
            return False, f'{source!r} cannot acquire the arm: {refusal.detail}'
        self._motion.halt()
        self._ledger.change(Reason.ACQUIRED, f'{source} acquired the arm')
        self._settle()
        return True, f'{source} owns the arm'

    def release(self, source: str, now_ns: int) -> tuple[bool, str]:
        """
        Give ownership up; the arm stops and holds.

        :returns: whether the source was the owner, and a sentence.
        """
        if not source or self._ownership.owner != source:
            return False, f'{source!r} does not own the arm, owner: {self._owner_text()}'
        self._drop_owner(Reason.RELEASED, f'{source} released the arm')
        return True, f'{source} released the arm'

    def set_refused(self, source: str, reason: str | None) -> None:
        """
        Shut a source out with a sentence why (two publishers), or let it in again (none).

        :raises KeyError: no such source.
        """
        self._ownership.shut_out(source, reason)
        if reason is not None and self._ownership.owner == source:
            self._drop_owner(Reason.TWO_PUBLISHERS, f'{source}: {reason}')

    def estop(self, reason: str, now_ns: int) -> None:
        """Latch the emergency stop; while it is latched, further calls change nothing."""
        if self._latched:
            return
        self._latched = True
        self._motion.halt()
        self._ownership.drop()
        self._ownership.acquire_needed = True
        self._ledger.pin(Reason.ESTOP, reason)
        self._settle()

    def reset_estop(self, now_ns: int) -> tuple[bool, str]:
        """
        Unlatch the emergency stop; the arm holds until a source acquires it.

        A released arm holds the pose measured last, so step it with measurements until then.

        :returns: whether it was done, and a sentence.
        """
        if not self._latched:
            return True, 'no emergency stop was latched'
        if self._active and self._motion.moving:
            return False, 'the arm still decelerates; reset again when it stands'
        self._latched = False
        self._ledger.unpin()
        self._ledger.change(Reason.ESTOP_RESET, 'emergency stop reset; acquire the arm to move it')
        self._settle()
        return True, 'emergency stop reset; acquire the arm to move it'

    def step(self, now_ns: int, measured: Sequence[float] | None = None) -> Goal:
        """
        Return the goal of this bus cycle.

        :param measured: latest measured positions (rad, bus order) where there are any; the pose
            of an arm that was released.
        :raises ValueError: `measured` is not one finite value a joint.
        """
        if measured is not None:
            self._remember(measured)
        if not self._active:
            return Goal((), (), active=False)
        if self._latched and self.config.estop_effect is EstopEffect.RELEASE:
            self._motion.place(self._measured, now_ns)
            self._settle()
            return Goal(self._motion.position, self._motion.velocity, released=True)
        self._watch(now_ns)
        self._motion.step(now_ns)
        self._note(now_ns)
        self._settle()
        return Goal(self._motion.position, self._motion.velocity)

    def written(self, stamp_ns: int) -> None:
        """Tell when the last goal was written; a delay must not turn into a leap on the wire."""
        self._motion.written(stamp_ns)

    def _watch(self, now_ns: int) -> None:
        path = self._motion.path
        if path is not None and path.streamed:
            silent_ns = now_ns - self._message_ns
            if silent_ns > self.config.command_timeout_ns:
                self._motion.halt()
                self._ledger.change(
                    Reason.STREAM_SILENT,
                    f'{self._ownership.owner} sent nothing for {silent_ns * 1e-6:.0f} ms, allowed '
                    f'{self.config.command_timeout_ns * 1e-6:.0f} ms')
        elif path is not None:
            self._ownership.keep(now_ns)
        if self._ownership.lapsed(now_ns):
            self._drop_owner(
                Reason.OWNER_SILENT,
                f'{self._ownership.owner} sent nothing for '
                f'{self.config.owner_timeout_ns * 1e-9:g} s')

    def _note(self, now_ns: int) -> None:
        motion = self._motion
        if motion.late:
            self._ledger.intervene(
                Reason.LATE_CYCLE, '', now_ns, lambda: 'a bus cycle came over 50 ms late')
        for departure in (*motion.departures, *motion.overshot):
            self._intervene(departure, now_ns)
        if motion.path is None:
            if self._leaving and not motion.moving:
                self._active = self._leaving = False
        elif motion.ramping and motion.caught_up:
            motion.finish_ramp()
            self._ledger.change(Reason.CAUGHT_UP, 'every joint reached its owner')
        elif motion.arrived(now_ns):
            motion.rest()
            self._ledger.change(Reason.TRAJECTORY_DONE, 'the end of the trajectory is held')
        self._ledger.refresh(now_ns)

    def _intervene(self, departure: Departure, now_ns: int) -> None:
        joint = self.config.joints[departure.joint]
        self._ledger.intervene(
            departure.reason, joint.name, now_ns,
            lambda: f'{joint.name}: requested {departure.requested:.3f} rad, commanded '
                    f'{departure.commanded:.3f} rad; {departure.reason.meaning}')

    def _report_outside(self, now_ns: int) -> None:
        for joint, follower in zip(self.config.joints, self._motion.followers):
            if follower.outside:
                self._ledger.intervene(
                    Reason.OUTSIDE_LIMITS, joint.name, now_ns,
                    lambda joint=joint, at=follower.position:
                        f'{joint.name} stands at {at:.3f} rad, allowed {joint.lower:.3f} to '
                        f'{joint.upper:.3f} rad; only inward motion at the engage velocity')

    def _may_move(self) -> Refusal | None:
        if self._latched:
            return Refusal(
                Reason.ESTOPPED, 'the emergency stop is latched; call estop_reset first')
        if not self._active or self._leaving:
            return Refusal(Reason.NOT_ACTIVE, 'the driver is not active; activate it first')
        if self._unreachable:
            return Refusal(Reason.SUSPENDED, self._unreachable)
        return None

    def _drop_owner(self, reason: Reason, detail: str) -> None:
        self._motion.halt()
        self._ownership.drop()
        self._ledger.change(reason, detail)
        self._settle()

    def _place(self, measured: Sequence[float], now_ns: int) -> None:
        self._remember(measured)
        self._motion.place(measured, now_ns)

    def _remember(self, measured: Sequence[float]) -> None:
        if len(measured) != len(self.config.joints) or not all(map(isfinite, measured)):
            raise ValueError(
                f'measured pose {list(measured)}: expected {len(self.config.joints)} finite '
                'values in bus order')
        self._measured = tuple(measured)

    def _owner_text(self) -> str:
        return self._ownership.owner or 'none'

    def _settle(self) -> None:
        if self._latched:
            state = GuardState.ESTOPPED
        elif not self._active:
            state = GuardState.INACTIVE
        elif self._motion.path is not None:
            state = GuardState.RAMPING if self._motion.ramping else GuardState.TRACKING
        else:
            state = GuardState.STOPPING if self._motion.moving else GuardState.HOLDING
        if state is not self._state:
            self._state = state
            self._ledger.bump()
