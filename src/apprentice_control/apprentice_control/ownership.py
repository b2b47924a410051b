# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Who commands the arm: one owner at a time, by acquisition or after the owner's silence."""

from __future__ import annotations

from collections.abc import Mapping

from apprentice_control.admission import Refusal
from apprentice_control.reasons import Reason


class Ownership:
    """
    The owner among an arm's sources.

    A live owner loses the arm to an acquisition of equal or higher priority only; a message never
    takes it from a live owner, but claims an arm that nobody owns.

    :param sources: priority of every source by name; the higher wins.
    :param timeout_ns: silence after which the owner's claim lapses.
    """

    def __init__(self, sources: Mapping[str, int], timeout_ns: int) -> None:
        """Begin without an owner."""
        self._priorities = dict(sources)
        self._timeout_ns = timeout_ns
        self._shut_out: dict[str, str] = {}
        self._heard_ns = 0
        self._stamps: dict[str, tuple[int, int]] = {}
        self.owner = ''
        self.acquire_needed = False

    def may_command(self, source: str) -> Refusal | None:
        """Return why a source's message may not move the arm, or none."""
        refusal = self._may_use(source)
        if refusal is not None:
            return refusal
        if self.owner and self.owner != source:
            return Refusal(
                Reason.NOT_OWNER, f'{self.owner} owns the arm; acquire it or wait for its silence')
        if self.acquire_needed and not self.owner:
            return Refusal(
                Reason.ACQUIRE_NEEDED, 'an emergency stop was reset; call acquire first')
        return None

    def check_stamp(self, source: str, stamp_ns: int | None, now_ns: int) -> Refusal | None:
        """Return why a stamp is old; a source that fell silent may begin anew."""
        if stamp_ns is None or source not in self._stamps:
            return None
        last_ns, received_ns = self._stamps[source]
        if stamp_ns >= last_ns or now_ns - received_ns > self._timeout_ns:
            return None
        return Refusal(
            Reason.OLD_STAMP,
            f'stamped {(last_ns - stamp_ns) * 1e-9:.6f} s before the message ahead of it')

    def heard(self, source: str, stamp_ns: int | None, now_ns: int) -> bool:
        """Note an accepted message; return whether its source became the owner by it."""
        if stamp_ns is not None:
            self._stamps[source] = (stamp_ns, now_ns)
        self._heard_ns = now_ns
        claimed = self.owner != source
        self.owner = source
        return claimed

    def keep(self, now_ns: int) -> None:
        """Note that the owner's trajectory still runs."""
        self._heard_ns = now_ns

    def lapsed(self, now_ns: int) -> bool:
        """Tell whether the owner has been silent for longer than the timeout."""
        return bool(self.owner) and now_ns - self._heard_ns > self._timeout_ns

    def acquire(self, source: str, now_ns: int) -> Refusal | None:
        """Make a source the owner, or return why not."""
        refusal = self._may_use(source)
        if refusal is not None:
            return refusal
        if self.owner and self._priorities[source] < self._priorities[self.owner]:
            return Refusal(
                Reason.NOT_OWNER,
                f'{self.owner} owns the arm with priority {self._priorities[self.owner]}, '
                f'{source} has {self._priorities[source]}; release {self.owner} first')
        self.owner = source
        self.acquire_needed = False
        self._heard_ns = now_ns
        return None

    def drop(self) -> None:
        """Leave the arm without an owner."""
        self.owner = ''

    def shut_out(self, source: str, why: str | None) -> None:
        """
        Refuse every message of a source from now on, or accept them again (none).

        :raises KeyError: no such source.
        """
        if source not in self._priorities:
            raise KeyError(f'no source {source!r}, expected one of {list(self._priorities)}')
        if why is None:
            self._shut_out.pop(source, None)
        else:
            self._shut_out[source] = why

    def _may_use(self, source: str) -> Refusal | None:
        if source not in self._priorities:
            return Refusal(
                Reason.UNKNOWN_SOURCE,
                f'no source {source!r}, expected one of {", ".join(self._priorities)}')
        if source in self._shut_out:
            return Refusal(Reason.SOURCE_REFUSED, self._shut_out[source])
        return None
