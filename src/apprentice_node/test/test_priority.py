# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Priorities are those of the calling thread, and a refusal is told, not raised."""
from __future__ import annotations

from collections.abc import Callable
import gc
import os
import sys
import threading

from apprentice_node import priority
import pytest


def in_thread(function: Callable[[], object]) -> object:
    """Return what the function returns in a thread that ends with it."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_raise_says_what_it_reached() -> None:
    """The description agrees with the scheduler."""
    def raised() -> tuple[str, int, int]:
        text = priority.raise_priority()
        nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return text, os.sched_getscheduler(0), nice
    text, policy, nice = in_thread(raised)
    if policy == os.SCHED_RR:
        assert 'real-time' in text
    else:
        assert ('normal' in text) == (nice == 0)


def test_a_host_that_allows_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any permission the advice names the limit to set."""
    def refuse(*_: object) -> None:
        raise PermissionError(1, 'Operation not permitted')
    monkeypatch.setattr(os, 'sched_setscheduler', refuse)
    monkeypatch.setattr(os, 'setpriority', refuse)
    assert 'rtprio' in priority.raise_priority()


def test_lower_leaves_other_threads_alone() -> None:
    """Only the calling thread becomes nicer."""
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def lowered() -> int:
        priority.lower_priority()
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert in_thread(lowered) == max(priority.LOW_NICE, before)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_switch_interval_is_only_shortened() -> None:
    """A shorter interval set by someone else stays."""
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        priority.shorten_switch_interval()
        assert sys.getswitchinterval() == pytest.approx(priority.SWITCH_INTERVAL_S, rel=0.05)
        sys.setswitchinterval(0.0001)
        priority.shorten_switch_interval()
        assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)
    finally:
        sys.setswitchinterval(before)


def test_what_exists_is_exempt_from_collections() -> None:
    """A collection no longer looks at the modules' objects."""
    try:
        priority.exempt_from_collection()
        assert gc.get_freeze_count() > 1000
        assert len(gc.get_objects()) < 1000
    finally:
        gc.unfreeze()
