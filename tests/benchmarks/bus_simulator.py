# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Measure what two simulated buses cost and how fast they answer.

One process serves leader and follower, as the world does; this one plays both drivers: a sync
read of 6 motors and, on the follower, a sync write, at a fixed rate. Printed: CPU of the serving
process, round trip of the read above its time on the wire (n, median, p99).
"""
from __future__ import annotations

import argparse
import json
import multiprocessing
from multiprocessing.connection import Connection
import os
from pathlib import Path
import statistics
import tempfile
import time

from apprentice_sim.bus import ServoBus
from apprentice_sim.bus import Timing
from apprentice_sim.frames import with_checksum
from apprentice_sim.presets import so_arm
from apprentice_sim.pty import PtyBus
from apprentice_sim.pty import serve
import serial

ROLES = ('leader', 'follower')
IDS = bytes(range(1, 7))
BYTE_S = 1e-5


def serving(folder: Path, pipe: Connection) -> None:
    """Serve both buses until told to stop; send back the CPU seconds that it took."""
    buses = [PtyBus(ServoBus(so_arm(role)), folder / role) for role in ROLES]
    for bus in buses:
        for servo in bus.bus.servos:
            servo.write(40, b'\x01', time.monotonic_ns())
    pipe.send('ready')
    start = time.process_time()
    serve(buses, pipe.poll)
    pipe.send(time.process_time() - start)
    for bus in buses:
        bus.close()


def sync_read(size: int) -> bytes:
    """Return the request for `size` bytes from present position on."""
    return with_checksum(
        b'\xff\xff\xfe' + bytes((10, 0x82, 56, size)) + IDS + b'\0')


def sync_write(ticks: int) -> bytes:
    """Return the request that sends all motors to `ticks`."""
    goal = ticks.to_bytes(2, 'little')
    return with_checksum(
        b'\xff\xff\xfe' + bytes((22, 0x83, 42, 2))
        + b''.join(bytes((i,)) + goal for i in IDS) + b'\0')


def measure(folder: Path, rate_hz: float, seconds: float, size: int) -> list[float]:
    """Return the round trips of all reads in seconds."""
    ports = [serial.Serial(str(folder / role), 1_000_000, timeout=1.0) for role in ROLES]
    request = sync_read(size)
    expected = len(IDS) * (size + 6)
    trips = []
    due = time.perf_counter()
    for cycle in range(int(seconds * rate_hz)):
        due += 1.0 / rate_hz
        time.sleep(max(0.0, due - time.perf_counter()))
        start = time.perf_counter()
        for port in ports:
            port.write(request)
        for port in ports:
            if len(port.read(expected)) != expected:
                raise SystemExit('bus_simulator: a reply stayed out')
            trips.append(time.perf_counter() - start)
        ports[1].write(sync_write(2000 + cycle % 100))
    for port in ports:
        port.close()
    return trips


def main() -> None:
    """Run the benchmark and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rate-hz', type=float, default=250.0)
    parser.add_argument('--seconds', type=float, default=10.0)
    parser.add_argument('--bytes', type=int, default=15, choices=(2, 8, 15))
    arguments = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = multiprocessing.Process(target=serving, args=(folder, theirs))
        server.start()
        ours.recv()
        start = time.perf_counter()
        trips = measure(folder, arguments.rate_hz, arguments.seconds, arguments.bytes)
        wall = time.perf_counter() - start
        ours.send('stop')
        cpu = ours.recv()
        server.join()
    wire = (14 + 6 * (arguments.bytes + 6)) * BYTE_S + 6e-9 * Timing().turnaround_ns
    late = sorted(trip - wire for trip in trips)
    print(json.dumps({
        'buses': len(ROLES), 'rate_hz': arguments.rate_hz, 'bytes': arguments.bytes,
        'cpu_percent_of_a_core': round(100.0 * cpu / wall, 1), 'n': len(late),
        'wire_ms': round(wire * 1e3, 3),
        'above_wire_ms': {
            'median': round(statistics.median(late) * 1e3, 3),
            'p99': round(late[int(len(late) * 0.99)] * 1e3, 3),
            'max': round(late[-1] * 1e3, 3)},
        'load_average': os.getloadavg()[0]}, indent=2))


if __name__ == '__main__':
    main()
