# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What must be true before an episode begins. Each finding says what, found, expected and cure."""
from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from apprentice_recorder.monitor import StreamHealth

FRESH_S = 0.5
LEAST_MINUTES = 5.0
ENCODER_RESERVE = 1.3
DIAGNOSTIC_STALE_S = 5.0
OK, WARN, ERROR = 0, 1, 2


class Finding(NamedTuple):
    """One thing that is wrong: in the way of a recording, or worth a look; of a stream or not."""

    blocks: bool
    text: str
    stream: str = ''


class Diagnostic(NamedTuple):
    """The newest status of one name on /diagnostics; levels of DiagnosticStatus."""

    level: int
    message: str
    age_s: float


def check_stream(
    stream: StreamHealth, tolerance: float, clock_offset_s: float,
) -> Finding | None:
    """Tell what is wrong with a stream: silent, frozen, not at its rate, stamped ahead of now."""
    text = _fault(stream, tolerance, clock_offset_s)
    return Finding(True, f'{stream.name} ({stream.topic}): {text}', stream.name) if text else None


def _fault(stream: StreamHealth, tolerance: float, clock_offset_s: float) -> str:
    if stream.age_s is None:
        return ('nothing has come; expected a sample. Does its node run, and on this '
                'ROS_DOMAIN_ID?')
    if stream.expected_hz <= 0.0:
        return ''
    if stream.frozen:
        return ('frozen: messages come, but their stamps stand still; the device behind it has '
                'stopped. Restart its node')
    if stream.delay_s is None or stream.age_s > FRESH_S + stream.delay_s:
        return (f'silent for {stream.age_s:.1f} s, expected {stream.expected_hz:g} Hz. Has its '
                'node stopped?')
    if stream.delay_s < -clock_offset_s:
        return (f"stamped {-stream.delay_s * 1e3:.0f} ms ahead of this host's clock, allowed "
                f'{clock_offset_s * 1e3:.0f} ms. Synchronise the two clocks (chrony)')
    if abs(stream.rate_hz - stream.expected_hz) > tolerance * stream.expected_hz:
        return (f'at {stream.rate_hz:.1f} Hz, expected {stream.expected_hz:g} Hz within '
                f'{tolerance:.0%}. Mend the source, or write its true rate into the contract')
    return ''


def check_disk(free_bytes: int, bytes_a_minute: float) -> Finding | None:
    """Demand room for some minutes at the present rate."""
    minutes = free_minutes(free_bytes, bytes_a_minute)
    if minutes >= LEAST_MINUTES:
        return None
    return Finding(True, f'the disk has room for {minutes:.1f} minutes '
                         f'({free_bytes / 1e6:.0f} MB), expected at least {LEAST_MINUTES:g}. '
                         'Free some, or record elsewhere')


def free_minutes(free_bytes: int, bytes_a_minute: float) -> float:
    """Return for how long the disk has room."""
    return free_bytes / max(bytes_a_minute, 1.0)


def check_encoders(costs_s: Sequence[float], fps: float, cores: int) -> Finding | None:
    """
    Refuse a machine that would fall ever further behind.

    :param costs_s: processor time of a picture, one a camera; each camera has one thread.
    """
    cost_s = sum(costs_s)
    share = cost_s * fps * ENCODER_RESERVE
    if share <= cores and max(costs_s, default=0.0) * fps * ENCODER_RESERVE <= 1.0:
        return None
    return Finding(True, f'this machine needs {cost_s * 1e3:.0f} ms of a core to encode a '
                         f"row's pictures: {share:.1f} cores at {fps:g} Hz with a reserve, and "
                         f'it has {cores}, of which a camera can use one. Record fewer, smaller '
                         'or slower cameras')


def check_diagnostics(
    names: Iterable[str], seen: Mapping[str, Diagnostic], namespace: str = '/',
) -> list[Finding]:
    """
    Let ERROR and stale of the names that the contract lists block, and show WARN.

    A relative name is a node below the namespace, or the name itself: diagnostic_updater tells
    a node's name without its namespace.
    """
    findings = []
    for name in names:
        node = name if name.startswith('/') else f'{namespace.rstrip("/")}/{name}'
        found = [(key, status) for key, status in seen.items()
                 if key.split(': ', 1)[0] in (node, name)]
        if not found:
            findings.append(Finding(True, f'diagnostics of {node}: none has come on '
                                          '/diagnostics. Does the node run?'))
        for key, status in found:
            if status.age_s > DIAGNOSTIC_STALE_S:
                findings.append(Finding(True, f'diagnostics of {key}: stale for '
                                              f'{status.age_s:.0f} s. Has the node stopped?'))
            elif status.level >= ERROR:
                findings.append(Finding(True, f'diagnostics of {key}: ERROR: {status.message}'))
            elif status.level == WARN:
                findings.append(Finding(False, f'{key}: {status.message}'))
    return findings


def blocks(findings: Sequence[Finding]) -> list[str]:
    """Return the texts of what is in the way."""
    return [finding.text for finding in findings if finding.blocks]


def warnings(findings: Sequence[Finding]) -> list[str]:
    """Return the texts of what is only worth a look."""
    return [finding.text for finding in findings if not finding.blocks]
