# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
A cable with delay and loss between two network namespaces, for kernels without netem.

Each end is a TAP device; frames keep their order. Ends when its standard input does.
"""
from __future__ import annotations

from collections import deque
import ctypes
import fcntl
import os
from pathlib import Path
import random
import selectors
import struct
import sys
import time

DEVICE = b'cable0'
SEED = 7
_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_TAP_WITHOUT_INFO = 0x1002
_FRAME = 65536


def open_end(pid: int) -> int:
    """Make the device in a process's network namespace; return its descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f'/proc/{pid}/ns/net').open() as namespace:
        if libc.setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f'setns: {os.strerror(ctypes.get_errno())}')
    device = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack('16sH22x', DEVICE, _TAP_WITHOUT_INFO))
    return device


def carry(ends: tuple[int, int], delay_s: float, loss: float) -> None:
    """Carry frames until standard input ends."""
    chance = random.Random(SEED)
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    waiting: deque[tuple[float, int, bytes]] = deque()
    selector = selectors.DefaultSelector()
    for source in (*ends, 0):
        selector.register(source, selectors.EVENT_READ)
    while True:
        wait_s = max(waiting[0][0] - time.monotonic(), 0.0) if waiting else None
        ready = [key.fd for key, _ in selector.select(wait_s)]
        if 0 in ready:
            return
        now = time.monotonic()
        for source in ready:
            for frame in _frames(source):
                if chance.random() >= loss:
                    waiting.append((now + delay_s, other[source], frame))
        while waiting and waiting[0][0] <= now:
            _, target, frame = waiting.popleft()
            try:
                os.write(target, frame)
            except OSError:
                continue  # The device is not up yet: a cable that is not plugged in.


def _frames(source: int) -> list[bytes]:
    frames = []
    try:
        while True:
            frames.append(os.read(source, _FRAME))
    except OSError:
        return frames


if __name__ == '__main__':
    try:
        both = open_end(int(sys.argv[1])), open_end(int(sys.argv[2]))
    except OSError as error:
        sys.exit(str(error))
    print('up', flush=True)
    carry(both, float(sys.argv[3]) * 1e-3, float(sys.argv[4]))
