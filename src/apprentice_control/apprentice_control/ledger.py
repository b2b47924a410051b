# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the guard did and why: counters, and the one reason that is shown now."""

from __future__ import annotations

from collections.abc import Callable

from apprentice_control.reasons import COUNTED
from apprentice_control.reasons import Kind
from apprentice_control.reasons import Reason

QUIET_NS = 200_000_000
"""An intervention that pauses for less is still the same one."""

REFRESH_NS = 1_000_000_000
"""Counters that grow within an episode are shown again after so long."""


class Ledger:
    """
    Counters by reason, and the last reason with its detail and joints.

    An intervention or refusal counts as shown news once per episode: from its first cycle until it
    has been absent for `QUIET_NS`. Every refused message is counted, every intervention once.
    """

    def __init__(self) -> None:
        """Begin with every counter at zero and nothing to show."""
        self.counters = {reason.word: 0 for reason in COUNTED}
        self.interventions = 0
        self.generation = 0
        self.reason = ''
        self.detail = ''
        self.joints: tuple[str, ...] = ()
        self._seen_ns: dict[tuple[Reason, str], int] = {}
        self._episode_joints: dict[Reason, tuple[str, ...]] = {}
        self._shown: Reason | None = None
        self._pinned = False
        self._unshown = False
        self._bumped_ns = 0

    def change(self, reason: Reason, detail: str, joints: tuple[str, ...] = ()) -> None:
        """Show a change or a single intervention, and count the latter."""
        if reason.kind is Kind.INTERVENTION:
            self.counters[reason.word] += 1
            self.interventions += 1
        self._show(reason, detail, joints)

    def pin(self, reason: Reason, detail: str) -> None:
        """Show a reason that stays until `unpin`, whatever else happens."""
        self.change(reason, detail)
        self._pinned = True

    def unpin(self) -> None:
        """Let the next reason be shown again."""
        self._pinned = False

    def intervene(
        self, reason: Reason, joint: str, now_ns: int, detail: Callable[[], str],
    ) -> None:
        """
        Note an intervention that may last, of one joint or (empty) of the arm.

        It counts once per episode.
        """
        if self._begins((reason, ''), now_ns):
            self._episode_joints[reason] = (joint,) if joint else ()
            self.change(reason, detail(), self._episode_joints[reason])
        elif joint and joint not in self._episode_joints[reason]:
            self._episode_joints[reason] += (joint,)
            if self._shown is reason:
                self._show(reason, self.detail, self._episode_joints[reason])

    def refuse(self, reason: Reason, source: str, now_ns: int, detail: str) -> None:
        """Count a refused message; show it where it begins an episode of its source."""
        self.count(reason)
        if self._begins((reason, source), now_ns):
            self._show(reason, f'{source}: {detail}', ())

    def count(self, reason: Reason, number: int = 1) -> None:
        """Add to a counter without showing a reason."""
        self.counters[reason.word] += number
        self._unshown = True

    def refresh(self, now_ns: int) -> None:
        """Mark grown counters as news, at most once in `REFRESH_NS`."""
        if self._unshown and now_ns - self._bumped_ns >= REFRESH_NS:
            self._bumped_ns = now_ns
            self.bump()

    def bump(self) -> None:
        """Mark the state as changed."""
        self.generation += 1
        self._unshown = False

    def _begins(self, episode: tuple[Reason, str], now_ns: int) -> bool:
        last_ns = self._seen_ns.get(episode)
        self._seen_ns[episode] = now_ns
        return last_ns is None or now_ns - last_ns > QUIET_NS

    def _show(self, reason: Reason, detail: str, joints: tuple[str, ...]) -> None:
        if not self._pinned:
            self.reason = reason.word
            self.detail = detail
            self.joints = joints
            self._shown = reason
        self.bump()
