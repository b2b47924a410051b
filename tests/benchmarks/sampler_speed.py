# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Measure how many samples a second one core turns into rows.

Two cameras at 30 Hz (compressed, known by their objects alone) and three joint topics at 200 Hz,
with jitter and network delay. Usage: sampler_speed.py [runs]
"""
from __future__ import annotations

import random
import sys
import time

from _common import Report
from apprentice_contract.contract import Contract
from apprentice_contract.contract import parse_contract
from apprentice_contract.sampler import Sampler

SECONDS = 120
S = 1_000_000_000
TARGET = 200_000
RULES = """
version: 1
robot_type: benchmark
fps: 30
reference: front
streams:
  front: {topic: front, type: sensor_msgs/msg/CompressedImage, rate_hz: 30, max_age_ms: 50}
  wrist: {topic: wrist, type: sensor_msgs/msg/CompressedImage, rate_hz: 30, max_age_ms: 50}
  arm: {topic: arm, type: sensor_msgs/msg/JointState, rate_hz: 200, max_age_ms: 50}
  hand: {topic: hand, type: sensor_msgs/msg/JointState, rate_hz: 200, max_age_ms: 50}
  commands: {topic: commands, type: sensor_msgs/msg/JointState, rate_hz: 200, max_lead_ms: 100}
features:
  observation.images.front: {stream: front, width: 640, height: 480}
  observation.images.wrist: {stream: wrist, width: 640, height: 480}
  observation.state:
    parts:
      - {stream: arm, field: position, joints: [a, b, c, d, e, f]}
      - {stream: hand, field: position, joints: [g]}
action: {sent: [{stream: commands, field: position, joints: [a, b, c, d, e, f]}]}
"""


def samples(rules: Contract, seed: int) -> list[tuple[int, str, int]]:
    """Return (received, stream, stamp) of some minutes, in the order of receipt."""
    chance = random.Random(seed)
    found = []
    for name, stream in rules.streams.items():
        period, phase = S / stream.rate_hz, chance.random()
        for k in range(int(SECONDS * stream.rate_hz)):
            stamp = round(period * (k + phase + chance.uniform(-0.1, 0.1)))
            found.append((stamp + chance.randrange(1_000_000, 4_000_000), name, stamp))
    return sorted(found)


def main() -> int:
    """Measure, and hold the result to its target."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    report = Report('sampler: 2 cameras at 30 Hz, 3 streams at 200 Hz')
    rules = parse_contract(RULES)
    rates = []
    for seed in range(runs):
        pushed = samples(rules, seed)
        sampler = Sampler(rules)
        rows = 0
        begin = time.process_time()
        for received, stream, stamp in pushed:
            rows += len(sampler.push(stream, stamp, received, None))
        rows += len(sampler.finish())
        rates.append(len(pushed) / (time.process_time() - begin))
        report.bound(f'{rows} rows of {SECONDS} s, none held',
                     rows >= SECONDS * 30 - 10 and not sampler.report.held_rows)
    found = report.row('samples', rates, 'thousand a second of one core', 1e-3)
    report.bound(f'median at least {TARGET} samples/s', found.median * 1e3 >= TARGET)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
