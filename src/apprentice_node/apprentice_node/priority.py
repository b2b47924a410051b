# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Ask host and interpreter for the processor time that a thread needs, when it needs it."""
from __future__ import annotations

import gc
import os
import sys
import threading

REALTIME_PRIORITY = 20
HIGH_NICE = -10
LOW_NICE = 10
SWITCH_INTERVAL_S = 0.0005


def raise_priority() -> str:
    """
    Give the calling thread a real-time priority, else a higher one, else leave it.

    Returns what was reached, in words to log once.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REALTIME_PRIORITY))
        return f'real-time priority {REALTIME_PRIORITY} (round robin)'
    except OSError:
        pass  # most hosts refuse it to users; the next best follows
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), HIGH_NICE)
        return f'nice {HIGH_NICE}'
    except OSError as error:
        return f'normal priority (the host allows no higher one: {error.strerror}); ' \
            'add a limit for rtprio in /etc/security/limits.d to get steadier timing'


def lower_priority() -> str:
    """
    Lower the calling thread's priority, for encoders and renderers beside a bus loop.

    Threads created later by the calling thread inherit it. Returns what was reached, in words.
    """
    thread = threading.get_native_id()
    wanted = max(LOW_NICE, os.getpriority(os.PRIO_PROCESS, thread))
    os.setpriority(os.PRIO_PROCESS, thread, wanted)
    return f'nice {wanted}'


def shorten_switch_interval() -> None:
    """Let a waiting thread of this process have the interpreter after half a millisecond."""
    sys.setswitchinterval(min(SWITCH_INTERVAL_S, sys.getswitchinterval()))


def exempt_from_collection() -> None:
    """
    Leave everything that exists now out of garbage collections.

    A full one looks at all that the imported modules made and holds every thread up for 20 ms.
    """
    gc.freeze()
