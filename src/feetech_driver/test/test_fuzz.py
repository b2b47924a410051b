# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A session survives a damaged wire, in time and without a wrong command."""

from __future__ import annotations

from fuzz_session import run
from fuzz_session import SLACK_TICKS
from fuzzed_wire import Damage
import pytest

BYTES = 20_000
LIMIT_S = 0.05


def late(times: list[float]) -> int:
    """Count the calls above the limit; a busy machine, not the driver, is late now and then."""
    return sum(took > LIMIT_S for took in times)


@pytest.mark.parametrize('seed', [1, 2])
def test_one_corrupt_byte_a_packet_never_commands_or_reads_wrongly(seed: int) -> None:
    """With at most one wrong byte in a packet no goal, register or reading is wrong."""
    session = run(Damage.ONE_BYTE, 0.15, BYTES, seed)
    wire = session.wire
    assert wire.damaged_to_servos > 50 and wire.damaged_to_host > 100
    assert wire.goals_applied > 1000
    assert (wire.wrong_goals, wire.other_writes) == (0, [])
    assert (session.wrong_readings, session.recovered) == (0, True)
    assert late(session.read_s + session.write_s) <= len(session.read_s) // 10


def test_heavy_damage_does_not_end_the_session() -> None:
    """Noise, gaps and repetitions leave the session alive and its readings plausible."""
    session = run(Damage.MANY, 0.3, BYTES, 3)
    assert session.wire.damaged_to_servos > 50
    assert session.recovered
    assert session.largest_wrong <= 20 * SLACK_TICKS
    assert late(session.read_s + session.write_s) <= len(session.read_s) // 10
