# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Signals become one request to stop, even while the main thread is inside a C call."""
from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(20)

BLOCKED_IN_C = """
import threading, time
from apprentice_node.signals import StopSignals
signals = StopSignals()
lock = threading.Lock()
lock.acquire()
calls = []
signals.on_stop(lambda: (calls.append(1), lock.release()))
print('ready', flush=True)
lock.acquire()
time.sleep(0.3)
signals.close()
print(len(calls), signals.stopped, flush=True)
"""

IMPORTING = """
import time
from apprentice_node.signals import exit_quietly_until_run
exit_quietly_until_run()
print('ready', flush=True)
time.sleep(30)
"""


def start(code: str) -> subprocess.Popen[str]:
    """Run the code until it says that it is ready."""
    process = subprocess.Popen([sys.executable, '-c', code], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == 'ready\n'
    return process


def test_many_signals_call_back_once() -> None:
    """The callback comes from the signal thread; later signals are swallowed."""
    process = start(BLOCKED_IN_C)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ('1 True\n', '', 0)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_before_the_run_ends_quietly(number: signal.Signals) -> None:
    """Ctrl-C while modules are imported leaves no traceback."""
    process = start(IMPORTING)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ('', '', 0)
