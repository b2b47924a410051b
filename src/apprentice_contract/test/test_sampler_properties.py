# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a network does to the streams, the rows keep their rules, live as offline."""
from __future__ import annotations

from collections.abc import Sequence
import random

from apprentice_contract.sampler import Row
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from scenarios import camera_stamps
from scenarios import contract
from scenarios import Event
from scenarios import events
from scenarios import instants
from scenarios import MS
from scenarios import PERIOD
from scenarios import run
from scenarios import S
from scenarios import START
from scenarios import with_guard

RELAXED = {'holds': {'in_a_row': 1000, 'share': 1.0}}
seeds = st.integers(0, 2**32)


@st.composite
def hardships(draw: st.DrawFn) -> tuple[list[Event], bool]:
    """Draw a run with jitter, drift, gaps, bursts, late and swapped samples, repeats, jumps."""
    chance = random.Random(draw(seeds))
    cam = camera_stamps(draw(st.integers(2, 90)), draw(st.floats(0, 0.4)),
                        draw(st.floats(-0.05, 0.05)), draw(seeds))
    lost, late, swap, repeat = (draw(st.floats(0, 0.2)) for _ in range(4))
    guarded = draw(st.booleans())
    guard = [Event(START - 40 * MS, 'guard', START - 3600 * S),
             Event(START + S, 'guard', START + S - MS)] if guarded else []
    pushed = []
    for event in events(cam, guard=guard):
        if event.stream != 'guard' and chance.random() < lost:
            continue
        if chance.random() < late:
            event = event._replace(received_ns=event.received_ns + chance.randrange(500 * MS))
        if chance.random() < swap:
            event = event._replace(received_ns=event.received_ns + chance.randrange(40 * MS))
        pushed.append(event)
        if chance.random() < repeat:
            pushed.append(event._replace(received_ns=event.received_ns + MS))
    if draw(st.booleans()):
        begin, length = draw(st.integers(0, 2000)) * MS, draw(st.integers(0, 3000)) * MS
        pushed = [_held_up(event, START + begin, START + begin + length) for event in pushed]
    if draw(st.booleans()):
        pushed = _jump(pushed, draw(st.sampled_from(('cam', 'arm', 'cmd'))),
                       draw(st.integers(0, 3000)) * MS, draw(st.integers(-20, 20)) * 300 * MS)
    return sorted(pushed), guarded


def _held_up(event: Event, begin: int, end: int) -> Event:
    if begin <= event.received_ns < end:
        return event._replace(received_ns=end)
    return event


def _jump(pushed: Sequence[Event], stream: str, after: int, by: int) -> list[Event]:
    return [event._replace(stamp_ns=event.stamp_ns + by)
            if event.stream == stream and event.received_ns > START + after else event
            for event in pushed]


def _check(rows: Sequence[Row], pushed: Sequence[Event]) -> None:
    """Hold rows to what must be true of any."""
    known = {(event.stream, event.stamp_ns) for event in pushed}
    assert [row.index for row in rows] == list(range(len(rows)))
    before = None
    for row in rows:
        assert before is None or row.instant_ns > before.instant_ns
        for stream, sample in row.samples.items():
            assert sample is not None and (stream, sample.stamp_ns) in known
            assert sample.sample.stamp_ns == sample.stamp_ns, 'sample and stamp stay together'
            if stream == 'cmd':
                assert stream in row.held or 0 <= sample.stamp_ns - row.instant_ns <= 40 * MS
            else:
                assert sample.stamp_ns <= row.instant_ns
            if stream in row.held:
                assert before is not None
                assert stream != 'cmd' or sample == before.samples[stream]
            elif stream == 'arm':
                assert row.instant_ns - sample.stamp_ns <= 30 * MS
            elif stream == 'cam':
                assert row.instant_ns == sample.stamp_ns
        before = row


@settings(max_examples=150)
@given(hardships(), seeds)
def test_live_and_offline_give_the_same_rows(
    hardship: tuple[list[Event], bool], seed: int,
) -> None:
    """Rows, counts and verdict do not depend on when somebody asks whether time has passed."""
    pushed, guarded = hardship
    rules = with_guard(**RELAXED) if guarded else contract(**RELAXED)
    offline, sampler = run(rules, pushed)
    live, asked = run(rules, pushed, seed)
    assert live == offline
    assert asked.report == sampler.report
    _check(offline, pushed)


@settings(max_examples=60)
@given(hardships(), seeds)
def test_a_clock_gives_the_same_rows_live_and_offline(
    hardship: tuple[list[Event], bool], seed: int,
) -> None:
    """The grid as the reference obeys the same."""
    pushed, _ = hardship
    rules = contract(reference='clock', **RELAXED)
    pushed = [event for event in pushed if event.stream != 'guard']
    offline, _ = run(rules, pushed)
    live, _ = run(rules, pushed, seed)
    assert live == offline
    for k, row in enumerate(offline):
        assert abs(row.instant_ns - offline[0].instant_ns - k * S // 30) <= 1


@settings(max_examples=60)
@given(st.integers(30, 120), st.floats(0, 0.4), st.floats(-0.05, 0.05), seeds)
def test_a_camera_within_its_tolerance_loses_no_frame(
    count: int, jitter: float, drift: float, seed: int,
) -> None:
    """Drift by up to the tolerance and jitter of 40 % repeat and skip nothing."""
    cam = camera_stamps(count, jitter, drift, seed)
    rows, sampler = run(contract(), events(cam))
    assert instants(rows) == cam and sampler.report.held_rows == 0


@settings(max_examples=60)
@given(st.integers(60, 150), st.sets(st.integers(20, 55), max_size=4), st.floats(0, 0.1), seeds)
def test_no_row_is_dropped_inside_an_episode(
    count: int, gone: set[int], jitter: float, seed: int,
) -> None:
    """Each lost frame is one held row, near where the frame would have been."""
    cam = camera_stamps(count, jitter, 0.0, seed)
    rows, _ = run(contract(**RELAXED), events([s for k, s in enumerate(cam) if k not in gone]))
    assert len(rows) == count
    assert {row.index for row in rows if row.held} == gone


def test_a_gap_before_the_phase_is_known_is_no_jitter() -> None:
    """What lay close together so far does not widen fourfold with one sample."""
    for seed in range(60):
        cam = camera_stamps(60, 0.1, 0.0, seed)
        rows, _ = run(contract(**RELAXED), events(cam[:20] + cam[21:]))
        assert len(rows) == 60 and {row.index for row in rows if row.held} == {20}, seed
    for row, stamp in zip(rows, cam):
        assert abs(row.instant_ns - stamp) <= (0.25 * PERIOD if row.held else 0)


@settings(max_examples=60)
@given(st.integers(0, 130), seeds)
def test_a_delay_within_the_lateness_changes_nothing(delay_ms: int, seed: int) -> None:
    """State and commands that come up to 130 ms later, in bursts, give the same rows."""
    chance = random.Random(seed)
    punctual = events(camera_stamps(60))
    newest = {'cam': 0, 'arm': 0, 'cmd': 0}
    slow = []
    for event in punctual:
        delay = 0 if event.stream == 'cam' else chance.randint(0, delay_ms) * MS
        newest[event.stream] = max(newest[event.stream], event.received_ns + delay)
        slow.append(event._replace(received_ns=newest[event.stream]))
    rows, _ = run(contract(), punctual)
    again, _ = run(contract(), sorted(slow))
    assert instants(again) == instants(rows)
    assert [{name: sample.stamp_ns for name, sample in row.samples.items()} for row in again] \
        == [{name: sample.stamp_ns for name, sample in row.samples.items()} for row in rows]
