# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A row of demonstrations with a follower that is where the hand is."""
from __future__ import annotations

import json
from pathlib import Path

from apprentice_sim.demonstrator import Sight
from apprentice_sim.kinematics import REST_POSE
from apprentice_sim.session import Session
from apprentice_sim.session import write_report

PERIOD_S = 0.02
SIGHT = Sight((0.22, 0.02, 0.014), 0.3, (0.14, 0.17, 0.0), False, REST_POSE)


def play(session: Session, sight: Sight, seconds: float = 200.0) -> list[int]:
    """Run a session with a cube that sticks to the raised gripper; return the seeds asked for."""
    asked = []
    for _ in range(round(seconds / PERIOD_S)):
        if session.done:
            break
        if session.reset_wanted is not None:
            asked.append(session.reset_wanted)
            session.reset_done()
        hand = session.step(PERIOD_S, sight)
        sight = sight._replace(follower=hand)
    return asked


def test_all_cubes_in_the_bin_is_success() -> None:
    """Every episode asks for its seed, reports its result, and the session succeeds."""
    lines: list[str] = []
    session = Session('so101', REST_POSE, 2, 40, lines.append)
    asked = play(session, SIGHT._replace(cube=(0.22, 0.02, 0.08), cube_in_bin=True))
    assert asked == [40, 41]
    assert session.done and session.succeeded
    assert [result.seed for result in session.results] == [40, 41]
    assert sum('cube in bin' in line for line in lines) == 2
    assert session.report()['cubes_in_bin'] == 2


def test_a_cube_elsewhere_is_failure_with_a_reason() -> None:
    """A cube that never leaves the table is tried three times and reported."""
    lines: list[str] = []
    session = Session('so101', REST_POSE, 1, 0, lines.append)
    play(session, SIGHT)
    assert session.done and not session.succeeded
    assert session.results[0].attempts == 3
    assert session.results[0].reason == 'cube not in bin'


def test_unreachable_cube_fails_one_episode_only() -> None:
    """A cube out of reach costs its own episode; the next one is tried."""
    session = Session('so101', REST_POSE, 2, 0, lambda line: None)
    asked = play(session, SIGHT._replace(cube=(0.7, 0.0, 0.014)))
    assert asked == [0, 1]
    assert [result.cube_in_bin for result in session.results] == [False, False]
    assert 'cannot grasp' in session.results[0].reason


def test_a_follower_that_stays_away_ends_the_session() -> None:
    """Without a follower there is no second episode and no parking."""
    session = Session('so101', REST_POSE, 3, 0, lambda line: None)
    session.reset_done()
    for _ in range(round(60.0 / PERIOD_S)):
        session.step(PERIOD_S, SIGHT)
    assert session.done and not session.succeeded
    assert len(session.results) == 1


def test_the_hand_rests_while_the_world_is_put_back() -> None:
    """Between episodes the hand stays where it was."""
    session = Session('so101', REST_POSE, 1, 0, lambda line: None)
    assert session.step(PERIOD_S, SIGHT) == REST_POSE


def test_report_is_written_whole(tmp_path: Path) -> None:
    """The report is JSON at its place, with nothing left beside it."""
    session = Session('so101', REST_POSE, 1, 0, lambda line: None)
    path = tmp_path / 'deep' / 'report.json'
    write_report(path, session.report())
    assert json.loads(path.read_text()) == {'episodes': 1, 'cubes_in_bin': 0, 'results': []}
    assert list(path.parent.iterdir()) == [path]
