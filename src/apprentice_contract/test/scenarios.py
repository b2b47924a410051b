# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A small robot, and streams of it as a network would deliver them."""
from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
import random
from typing import NamedTuple

from apprentice_contract.contract import Contract
from apprentice_contract.contract import parse_contract
from apprentice_contract.sampler import Row
from apprentice_contract.sampler import Sampler
import yaml

MS = 1_000_000
S = 1_000_000_000
PERIOD = S / 30
START = 1_700_000_000 * S
DELAY = {'cam': 8 * MS, 'arm': 2 * MS, 'cmd': 1 * MS, 'guard': 1 * MS}
GUARDS = {'left': 'left_guard', 'right': 'right_guard'}


class Event(NamedTuple):
    """A sample on its way: stream, stamp, time of receipt."""

    received_ns: int
    stream: str
    stamp_ns: int


def document(**changes: object) -> dict:
    """Return a contract of one camera, one arm and its commands, with top-level keys changed."""
    return {
        'version': 1, 'robot_type': 'test_arm', 'fps': 30, 'reference': 'cam',
        'streams': {
            'cam': {'topic': 'cam/image_raw/compressed', 'rate_hz': 30, 'max_age_ms': 50,
                    'type': 'sensor_msgs/msg/CompressedImage'},
            'arm': {'topic': 'arm/joint_states', 'type': 'sensor_msgs/msg/JointState',
                    'rate_hz': 100, 'max_age_ms': 30},
            'cmd': {'topic': 'arm/joint_commands', 'type': 'sensor_msgs/msg/JointState',
                    'rate_hz': 100, 'max_lead_ms': 40}},
        'features': {
            'observation.state': {'parts': [
                {'stream': 'arm', 'field': 'position', 'joints': ['a', 'b']}]},
            'observation.images.cam': {'stream': 'cam', 'width': 64, 'height': 48}},
        'action': {'sent': [{'stream': 'cmd', 'field': 'position', 'joints': ['a', 'b']}]},
        **changes}


def contract(**changes: object) -> Contract:
    return parse_contract(yaml.safe_dump(document(**changes), sort_keys=False))


def with_guard(**changes: object) -> Contract:
    found = document(guard='guard', **changes)
    found['streams']['guard'] = {'topic': 'arm/guard_state', 'latched': True,
                                 'type': 'apprentice_msgs/msg/GuardState'}
    return parse_contract(yaml.safe_dump(found, sort_keys=False))


def with_guards(**changes: object) -> Contract:
    found = document(guard=GUARDS, **changes)
    for arm, stream in GUARDS.items():
        found['streams'][stream] = {'topic': f'{arm}/guard_state', 'latched': True,
                                    'type': 'apprentice_msgs/msg/GuardState'}
    return parse_contract(yaml.safe_dump(found, sort_keys=False))


def camera_stamps(
    count: int, jitter: float = 0.0, drift: float = 0.0, seed: int = 0,
) -> list[int]:
    """Return stamps at 30 Hz; jitter and drift as fractions of the period."""
    chance = random.Random(seed)
    period = PERIOD * (1 + drift)
    return [START + round(period * (k + (chance.uniform(-jitter, jitter) if k else 0.0)))
            for k in range(count)]


def steady(stream: str, rate_hz: float, begin_ns: int, end_ns: int) -> list[Event]:
    step = round(S / rate_hz)
    return [Event(stamp + DELAY[stream], stream, stamp)
            for stamp in range(begin_ns, end_ns, step)]


def events(cam: Sequence[int], **others: list[Event]) -> list[Event]:
    """Return the camera's stamps and steady streams around them, in the order of receipt."""
    end = cam[-1] + 200 * MS
    found = [Event(stamp + DELAY['cam'], 'cam', stamp) for stamp in cam]
    found += others.get('arm', steady('arm', 100, START - 50 * MS + 300_000, end))
    found += others.get('cmd', steady('cmd', 100, START - 50 * MS + 700_000, end))
    found += others.get('guard', [])
    return sorted(found)


def run(
    rules: Contract, pushed: Iterable[Event], seed: int | None = None,
) -> tuple[list[Row], Sampler]:
    """Push everything, with advances at random between where there is a seed, and finish."""
    sampler = Sampler(rules)
    chance = random.Random(seed)
    rows: list[Row] = []
    before = None
    for event in pushed:
        if seed is not None and before is not None:
            for _ in range(chance.randrange(3)):
                rows += sampler.advance(chance.randint(before, max(before, event.received_ns)))
                before = max(before, sampler._now)
        rows += sampler.push(event.stream, event.stamp_ns, event.received_ns, event)
        before = max(before or event.received_ns, event.received_ns)
    if seed is not None and before is not None:
        rows += sampler.advance(before + chance.randrange(3 * S))
    rows += sampler.finish()
    return rows, sampler


def instants(rows: Sequence[Row]) -> list[int]:
    return [row.instant_ns for row in rows]
