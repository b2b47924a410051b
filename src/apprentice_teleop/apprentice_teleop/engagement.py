# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""When a leader may command its follower: engage, dead-man switch, silence of the leader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

NO_DEADMAN = 'dead-man switch is not pressed'


class Phase(Enum):
    """What teleoperation is doing."""

    DISENGAGED = 'disengaged'  # nobody wants it
    WAITING = 'waiting'        # wanted, but leader or dead-man switch is missing
    ACQUIRING = 'acquiring'    # the follower has been asked for
    ENGAGED = 'engaged'        # commands flow


class Request(Enum):
    """What the follower has to be asked for now."""

    NONE = 'none'
    ACQUIRE = 'acquire'
    RELEASE = 'release'


@dataclass(frozen=True)
class EngagementConfig:
    """Times in nanoseconds of the monotonic clock."""

    stale_after_ns: int = 100_000_000
    deadman_required: bool = False
    deadman_timeout_ns: int = 300_000_000
    retry_ns: int = 500_000_000
    answer_ns: int = 1_000_000_000


class Engagement:
    """
    Decides whether commands flow.

    Every way into ENGAGED leads through a granted acquire, because that is what makes the guard
    ramp: after engage, after the dead-man switch, and after the leader was silent. Not
    thread-safe; all times are monotonic.
    """

    def __init__(self, config: EngagementConfig, engaged: bool) -> None:
        """Start wanted or not; `engaged` does not move anything before an acquire."""
        self._config = config
        self._wanted = engaged
        self._obstacle = 'leader has not been seen yet'
        self._leader_ns: int | None = None
        self._deadman_ns: int | None = None
        self._asked_ns: int | None = None
        self._held = False
        self.phase = Phase.WAITING if engaged else Phase.DISENGAGED
        self.reason = 'started'

    @property
    def wanted(self) -> bool:
        """Whether the operator wants teleoperation."""
        return self._wanted

    @property
    def waits_for_deadman(self) -> bool:
        """Whether nothing but the operator's dead-man switch is missing."""
        return self.phase is Phase.WAITING and self.reason == NO_DEADMAN

    def set_wanted(self, wanted: bool, reason: str) -> None:
        """Engage or disengage; `poll` says what to ask for next."""
        if wanted and not self._wanted:
            self._asked_ns = None
            self._enter(Phase.WAITING, reason)
        elif not wanted and self.phase is not Phase.DISENGAGED:
            self._enter(Phase.DISENGAGED, reason)
        self._wanted = wanted

    def set_obstacle(self, obstacle: str) -> None:
        """Say why the leader cannot be followed at present; empty: it can."""
        self._obstacle = obstacle

    def set_deadman(self, pressed: bool, now_ns: int) -> None:
        """Note a message of the dead-man switch."""
        # A gap counts even when no poll fell into it.
        self._check_deadman(now_ns)
        self._deadman_ns = now_ns if pressed else None
        self._check_deadman(now_ns)

    def leader_seen(self, now_ns: int) -> bool:
        """Note a fresh leader state; return whether it may be sent on."""
        silent = self._leader_is_silent(now_ns)
        self._leader_ns = now_ns
        if silent and self.phase is Phase.ENGAGED:
            self._interrupt('leader was silent')
        self._check_deadman(now_ns)
        return self.phase is Phase.ENGAGED

    def lose(self, reason: str) -> None:
        """Note that the follower no longer belongs to us and must be engaged anew."""
        self._held = False
        self.set_wanted(False, reason)

    def interrupt(self, reason: str) -> None:
        """Note that the follower must be acquired again before the next command."""
        if self.phase in (Phase.ENGAGED, Phase.ACQUIRING):
            self._interrupt(reason)

    def poll(self, now_ns: int) -> Request:
        """Return what to ask the follower for; call often."""
        if not self._wanted:
            return self._release()
        missing = self._missing(now_ns)
        if missing:
            if self.phase is not Phase.WAITING or self.reason != missing:
                self._enter(Phase.WAITING, missing)
            return self._release()
        if self.phase is Phase.ACQUIRING and self._may_ask(now_ns - self._config.answer_ns):
            self._enter(Phase.WAITING, 'the follower did not answer')
        if self.phase is Phase.WAITING and self._may_ask(now_ns):
            self._asked_ns = now_ns
            self._enter(Phase.ACQUIRING, 'asking for the follower')
            return Request.ACQUIRE
        return Request.NONE

    def answered(self, granted: bool, message: str) -> None:
        """Note the follower's answer to an acquire."""
        self._held = self._held or granted
        if self.phase is not Phase.ACQUIRING:
            return
        if granted:
            self._enter(Phase.ENGAGED, 'the follower was granted')
        else:
            self._enter(Phase.WAITING, message)

    def _missing(self, now_ns: int) -> str:
        if self._obstacle:
            return self._obstacle
        if self._leader_is_silent(now_ns):
            return 'leader is silent'
        if not self._deadman_holds(now_ns):
            return NO_DEADMAN
        return ''

    def _release(self) -> Request:
        if not self._held:
            return Request.NONE
        self._held = False
        return Request.RELEASE

    def _leader_is_silent(self, now_ns: int) -> bool:
        return self._leader_ns is None or \
            now_ns - self._leader_ns > self._config.stale_after_ns

    def _deadman_holds(self, now_ns: int) -> bool:
        if not self._config.deadman_required:
            return True
        return self._deadman_ns is not None and \
            now_ns - self._deadman_ns <= self._config.deadman_timeout_ns

    def _check_deadman(self, now_ns: int) -> None:
        if self.phase is Phase.ENGAGED and not self._deadman_holds(now_ns):
            self._interrupt(NO_DEADMAN)

    def _may_ask(self, now_ns: int) -> bool:
        return self._asked_ns is None or now_ns - self._asked_ns >= self._config.retry_ns

    def _interrupt(self, reason: str) -> None:
        self._asked_ns = None
        self._enter(Phase.WAITING, reason)

    def _enter(self, phase: Phase, reason: str) -> None:
        self.phase, self.reason = phase, reason
