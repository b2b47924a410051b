# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Judge the health of an arm's loop and guard for diagnostics."""
from __future__ import annotations

from collections.abc import Iterable

from apprentice_control.guard import CommandGuard
from apprentice_control.guard import GuardState
from apprentice_control.guard import GuardStatus
from apprentice_node.diagnostics import Health
from apprentice_node.diagnostics import Level
from apprentice_node.loop import Loop

LATE_NS = 2_000_000


def arm_health(loop: Loop, guard: CommandGuard | None) -> Iterable[Health]:
    """Judge the loop, and the guard of an arm that has one."""
    yield loop_health(loop)
    if guard is not None:
        yield guard_health(guard.status)


def loop_health(loop: Loop) -> Health:
    """Judge how well the loop keeps time."""
    late, took = loop.lateness.summary(), loop.durations.summary()
    values = {'priority': loop.priority, 'skipped cycles': loop.skipped}
    for name, summary in (('lateness', late), ('cycle', took)):
        for part in ('p50', 'p99', 'max'):
            values[f'{name} {part} [ms]'] = f'{getattr(summary, f"{part}_ns") * 1e-6:.3f}'
    if late.p99_ns > LATE_NS:
        return Health(
            'loop', Level.WARN, f'1 % of the cycles start over {late.p99_ns * 1e-6:.1f} ms late: '
            'is the machine overloaded?', values)
    return Health('loop', values=values)


def guard_health(status: GuardStatus) -> Health:
    """Show what the guard does; an emergency stop is a warning."""
    values = {
        'state': status.state.name.lower(), 'owner': status.owner or 'none',
        'reason': status.reason, 'interventions': status.interventions,
        **{f'count {name}': count for name, count in status.counters.items() if count}}
    if status.state is GuardState.ESTOPPED:
        return Health('guard', Level.WARN, f'emergency stop: {status.detail}', values)
    return Health('guard', message=status.state.name.lower(), values=values)
