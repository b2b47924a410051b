# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Rows from the samples of many streams: one class for recorder, converter and policy runner.

Pure and deterministic: rows depend on the pushed (stream, stamp, received) alone.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from apprentice_contract.contract import CLOCK
from apprentice_contract.contract import Contract
from apprentice_contract.reference import ClockReference
from apprentice_contract.reference import SampledReference
from apprentice_contract.reference import Slot
from apprentice_contract.sampler_report import SamplerReport
from apprentice_contract.sampler_report import StreamReport
from apprentice_contract.stream_buffer import Role
from apprentice_contract.stream_buffer import Sample
from apprentice_contract.stream_buffer import StreamBuffer

__all__ = ['JOIN_NS', 'Row', 'Sample', 'Sampler', 'SamplerReport', 'StreamReport']

JOIN_NS = 2_000_000_000
"""A longer silence of the reference ends the rows: what comes after cannot be joined."""

_KEEP_NS = JOIN_NS + 1_000_000_000
_FAR = 1 << 62


class Row(NamedTuple):
    """
    One row: its instant (ns), the sample of each stream, and the streams that repeat an older one.

    No sample is None in a row that was handed out.
    """

    index: int
    instant_ns: int
    samples: Mapping[str, Sample | None]
    held: frozenset[str]


class Sampler:
    """
    Turn the samples of one episode into rows.

    Samples are pushed in the order of their receipt; receive times that go back count as the
    latest one before. What a sample is, is never looked at.
    """

    def __init__(self, contract: Contract) -> None:
        """Begin an episode by a contract's rules."""
        self._contract = contract
        self._streams = {name: StreamBuffer(name, stream.role, stream.limit_ns)
                         for name, stream in contract.streams.items()}
        self._reference = self._new_reference()
        self._others = [buffer for name, buffer in self._streams.items()
                        if name != contract.reference]
        self._doubled = 0
        self._lateness_ns = contract.lateness_ms * 1_000_000
        self._tail_ns = contract.tail_ms * 1_000_000
        self._now = -_FAR
        self._deadline = _FAR
        self._target = _FAR
        self._reach: int | None = None
        self._previous: dict[str, Sample | None] | None = None
        self._tail: list[tuple[int, dict[str, Sample | None], frozenset[str]]] = []
        self._is_outage = False
        self._end = ''
        self._is_finished = False
        self._rows = self._skipped = self._cut = 0
        self._held_rows = self._hold = self._longest_hold = 0
        self._last_instant = 0

    def push(
        self, stream: str, stamp_ns: int, received_ns: int, sample: object,
    ) -> list[Row]:
        """
        Take a sample in and return the rows that are final now.

        :param stamp_ns: when the sample was acquired.
        :param received_ns: when it was received, by one clock for all streams.
        :raises ValueError: the contract has no such stream, or the episode has ended.
        """
        rows = self.advance(received_ns)
        buffer = self._streams.get(stream)
        if buffer is None:
            raise ValueError(f'stream {stream!r}: not in the contract, expected one of '
                             f'{", ".join(self._streams)}')
        if self._end:
            return rows
        before = buffer.newest
        was_final, count = buffer.is_final(stamp_ns), buffer.distinct
        if not buffer.take(stamp_ns, self._now, sample):
            self._break_off(f'{stream}: its clock was set: stamp {stamp_ns} ns after '
                            f'{before} ns')
            return rows
        if buffer.distinct == count:
            return rows
        if stream in self._reference.listens and not was_final:
            if not self._is_reached(stamp_ns):
                self._break_off(f'{self._contract.reference}: nothing for more than '
                                f'{JOIN_NS / 1e9:g} s')
                return rows
            self._reference.take(stream, stamp_ns, self._now)
            self._decide(rows)
        elif before <= self._target < stamp_ns:
            self._decide(rows)
        if stamp_ns - buffer.stamps[0] > _KEEP_NS:
            buffer.drop_before(min(self._target, buffer.newest - _KEEP_NS))
        return rows

    def advance(self, received_ns: int) -> list[Row]:
        """
        Return the rows that are final because time has passed.

        :param received_ns: everything received before this instant has been pushed.
        """
        if self._is_finished:
            raise ValueError('the episode has ended; make a new sampler for the next one')
        rows: list[Row] = []
        if received_ns > self._now:
            self._now = received_ns
            if self._deadline < received_ns:
                self._decide(rows)
        return rows

    def finish(self) -> list[Row]:
        """End the episode and return the rows that were still open; those without action go."""
        rows: list[Row] = []
        if not self._is_finished:
            self._decide(rows, force=True)
            self._cut += len(self._tail)
            self._is_finished = True
        return rows

    @property
    def report(self) -> SamplerReport:
        """Return what has been counted so far."""
        streams = {name: self._stream_report(name) for name in self._streams}
        return SamplerReport(
            self._rows, self._skipped, self._cut, self._held_rows, self._longest_hold, streams,
            tuple(self._marks(streams)), tuple(self._refusals()))

    # The rows ------------------------------------------------------------------------------

    def _decide(self, rows: list[Row], force: bool = False) -> None:
        while (slot := self._reference.head()) is not None:
            self._deadline = slot.known_ns + self._lateness_ns
            self._target = slot.instant_ns
            if not force and self._deadline >= self._now and not self._is_shown(slot):
                return
            self._reference.pop()
            self._settle(slot, rows)
        self._deadline = self._target = _FAR

    def _is_shown(self, slot: Slot) -> bool:
        """Tell whether every stream has shown a sample later than the slot's."""
        if not slot.is_passed:
            return False
        instant = slot.instant_ns
        for buffer in self._others:
            if buffer.newest <= instant:
                return False
        return True

    def _settle(self, slot: Slot, rows: list[Row]) -> None:
        instant = slot.instant_ns
        samples: dict[str, Sample | None] = {}
        held = []
        lacks_action = False
        for name, buffer in self._streams.items():
            samples[name], is_valid = buffer.choose(instant)
            if not is_valid:
                held.append(name)
                lacks_action |= buffer.role is Role.NEXT
        if slot.is_gap and self._contract.reference not in held:
            held.append(self._contract.reference)
        if self._previous is None:
            if held:
                self._skipped += 1
                return
            self._previous = samples
        for name in held:
            if samples[name] is None:
                samples[name] = self._previous[name]
        self._previous = samples
        self._pass_on(instant, samples, frozenset(held), lacks_action, rows)

    def _pass_on(
        self, instant: int, samples: dict[str, Sample | None], held: frozenset[str],
        lacks_action: bool, rows: list[Row],
    ) -> None:
        """Hand a row out; one without an action waits: the episode may end before the next."""
        if self._is_outage:
            self._cut += 1
            if not lacks_action and not self._end:
                self._end = f'no action for more than {self._contract.tail_ms} ms'
            return
        self._tail.append((instant, samples, held))
        if lacks_action:
            if instant - self._tail[0][0] > self._tail_ns:
                self._is_outage = True
                self._cut += len(self._tail)
                self._tail = []
            return
        for draft in self._tail:
            rows.append(Row(self._rows, *draft))
            self._count(*draft)
        self._tail = []

    def _count(
        self, instant: int, samples: Mapping[str, Sample | None], held: frozenset[str],
    ) -> None:
        self._rows += 1
        self._last_instant = instant
        for name, sample in samples.items():
            age = abs(instant - sample.stamp_ns) if sample is not None else 0
            buffer = self._streams[name]
            if age > buffer.longest_ns:
                buffer.longest_ns = age
        if not held:
            self._hold = 0
            return
        for name in held:
            self._streams[name].gaps += 1
        self._held_rows += 1
        self._hold += 1
        self._longest_hold = max(self._longest_hold, self._hold)

    # What ends them ------------------------------------------------------------------------

    def _new_reference(self) -> SampledReference | ClockReference:
        contract = self._contract
        if contract.reference == CLOCK:
            return ClockReference(
                [name for name, stream in contract.streams.items() if stream.role is Role.LAST],
                contract.fps)
        return SampledReference(
            contract.reference, 1e9 / contract.streams[contract.reference].rate_hz,
            contract.rate_tolerance)

    def _is_reached(self, stamp_ns: int) -> bool:
        reach, self._reach = self._reach, max(stamp_ns, self._reach or stamp_ns)
        return reach is None or stamp_ns - reach <= JOIN_NS

    def _break_off(self, reason: str) -> None:
        """End the rows, or begin anew where none has begun."""
        if self._previous is not None:
            self._end = reason
            return
        for buffer in self._streams.values():
            buffer.begin_anew()
        self._doubled += self._reference.doubled
        self._reference = self._new_reference()
        self._reach = None
        self._deadline = self._target = _FAR

    # What is told --------------------------------------------------------------------------

    def _stream_report(self, name: str) -> StreamReport:
        buffer = self._streams[name]
        doubled = self._doubled + self._reference.doubled
        return StreamReport(
            buffer.taken, buffer.rate_hz, buffer.gaps,
            doubled if name == self._contract.reference else 0, buffer.late, buffer.out_of_order,
            buffer.repeated, buffer.jumps, buffer.longest_ns * 1e-9)

    def _marks(self, streams: Mapping[str, StreamReport]) -> list[str]:
        marks = []
        for name, found in streams.items():
            if found.late:
                marks.append(f'{name}: {found.late} samples came after their row was final')
            if found.repeated:
                marks.append(f'{name}: {found.repeated} samples repeated a stamp')
            if found.clock_jumps:
                marks.append(f'{name}: its clock was set {found.clock_jumps} times')
            expected = self._contract.streams[name].rate_hz
            if expected and found.rate_hz and abs(
                    found.rate_hz / expected - 1) > self._contract.rate_tolerance:
                marks.append(f'{name}: {found.rate_hz:.2f} Hz, expected {expected:g} Hz within '
                             f'{self._contract.rate_tolerance:.0%}')
        return marks

    def _refusals(self) -> list[str]:
        holds = self._contract.holds
        found = []
        if self._end:
            found.append(f'{self._end}; the rows end there, after {self._rows}')
        if self._longest_hold > holds.in_a_row:
            found.append(f'{self._longest_hold} rows in a row repeat an older sample, allowed '
                         f'{holds.in_a_row}: {self._culprits()}')
        if self._held_rows > holds.share * self._rows:
            found.append(f'{self._held_rows} of {self._rows} rows repeat an older sample, '
                         f'allowed {holds.share:.1%}: {self._culprits()}')
        if not self._rows and self._is_finished:
            found.append(self._why_none())
        return found

    def _culprits(self) -> str:
        return ', '.join(f'{name} {buffer.gaps}' for name, buffer in self._streams.items()
                         if buffer.gaps)

    def _why_none(self) -> str:
        silent = [name for name, buffer in self._streams.items() if not buffer.taken]
        if silent:
            return f'no row: nothing came on {", ".join(silent)}'
        return 'no row: at no instant had every stream a valid sample; check the age limits'
