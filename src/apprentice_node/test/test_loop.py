# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The loop keeps absolute deadlines and runs other work between cycles."""
from __future__ import annotations

import threading
import time

from apprentice_node.loop import first_deadline_ns
from apprentice_node.loop import Loop
from apprentice_node.loop import LoopError
import pytest

pytestmark = pytest.mark.timeout(20)
PERIOD_NS = 5_000_000


def ignore(_error: BaseException) -> None:
    """Take an error that the test does not expect."""


def test_late_cycle_does_not_shift_the_later_ones() -> None:
    """Deadlines are multiples of the period from the first one, some skipped."""
    starts: list[int] = []

    def cycle(now_ns: int) -> None:
        starts.append(now_ns)
        if len(starts) == 5:
            time.sleep(0.023)
    loop = Loop(PERIOD_NS, cycle, ignore)
    loop.start()
    while len(starts) < 40:
        time.sleep(0.01)
    loop.stop()
    assert loop.skipped >= 3
    gaps = [after - before for before, after in zip(starts[6:], starts[7:])]
    assert abs(sorted(gaps)[len(gaps) // 2] - PERIOD_NS) < 1_000_000
    phases = sorted((start - starts[0]) % PERIOD_NS for start in starts)
    assert min(phases[len(phases) // 2], PERIOD_NS - phases[len(phases) // 2]) < 1_500_000


@pytest.mark.parametrize('phase', [0.0, 0.65, 0.999])
@pytest.mark.parametrize('now_ns', [0, 1, PERIOD_NS - 1, 7 * PERIOD_NS, 987_654_321_012])
def test_deadlines_keep_their_phase_on_the_clock(now_ns: int, phase: float) -> None:
    """Loops of one host keep their distance from each other whenever they were started."""
    deadline_ns = first_deadline_ns(now_ns, PERIOD_NS, phase)
    assert deadline_ns % PERIOD_NS == int(PERIOD_NS * phase)
    assert PERIOD_NS < deadline_ns - now_ns <= 2 * PERIOD_NS


def test_call_runs_on_the_loops_thread_and_returns() -> None:
    """No lock is needed for what only this thread touches."""
    loop = Loop(PERIOD_NS, lambda _now: None, ignore)
    loop.start()
    assert loop.call(threading.current_thread).name == 'bus'
    with pytest.raises(ZeroDivisionError):
        loop.call(lambda: 1 // 0)
    assert loop.call(lambda: 7) == 7
    loop.stop()


def test_call_after_the_end_says_so() -> None:
    """Nobody waits for a thread that is gone."""
    loop = Loop(PERIOD_NS, lambda _now: None, ignore)
    loop.start()
    loop.stop()
    with pytest.raises(LoopError, match='has ended'):
        loop.call(lambda: None)


def test_call_that_is_not_answered_is_given_up_and_never_run() -> None:
    """A function that the caller gave up must not act later."""
    gate, ran = threading.Event(), []
    loop = Loop(PERIOD_NS, lambda _now: gate.wait(), ignore)
    loop.start()
    with pytest.raises(LoopError, match='did not answer within 0.1 s'):
        loop.call(lambda: ran.append(1), timeout_s=0.1)
    gate.set()
    assert loop.call(lambda: 7) == 7
    assert not ran
    loop.stop()


def test_failing_cycle_is_handed_over() -> None:
    """An unexpected exception ends the loop and is told once."""
    failures: list[BaseException] = []
    loop = Loop(PERIOD_NS, lambda _now: 1 // 0, failures.append)
    loop.start()
    while not failures:
        time.sleep(0.005)
    assert isinstance(failures[0], ZeroDivisionError)
    assert not loop.running
    loop.stop()


def test_hanging_cycle_is_told_at_stop() -> None:
    """The release must not wait for it for ever."""
    gate = threading.Event()
    loop = Loop(PERIOD_NS, lambda _now: gate.wait(), ignore)
    loop.start()
    time.sleep(0.02)
    with pytest.raises(LoopError, match='did not end within 0.1 s'):
        loop.stop(0.1)
    gate.set()
    loop.stop()
