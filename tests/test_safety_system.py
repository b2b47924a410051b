# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A few cases of each safety benchmark, judged with time to spare for busy hosts."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
import random
import sys

import pytest

sys.path.insert(0, str(Path(__file__).parent / 'benchmarks'))

from _arms import arm_process  # noqa: E402,I100
from _arms import ArmProcess  # noqa: E402
from _arms import end  # noqa: E402
from _arms import start_driver  # noqa: E402
from _common import own_domain  # noqa: E402
from _graph import Graph  # noqa: E402
import first_motion  # noqa: E402  (the path above must come first)
import silence_and_kill  # noqa: E402
import unplug  # noqa: E402

# A pseudo-terminal hands its bytes over by a kernel worker, which a busy host puts off.
BUSY_S = 0.1
SEED = 7


@contextmanager
def follower(folder: Path) -> Iterator[tuple[ArmProcess, Graph, Mapping[str, str]]]:
    """Give a simulated follower and a view of its graph."""
    with own_domain() as environment, arm_process('follower', folder) as arm:
        graph = Graph()
        try:
            yield arm, graph, environment
        finally:
            graph.close()


@pytest.mark.timeout(90)
def test_first_motion_is_slow_wherever_the_leader_stands(tmp_path: Path) -> None:
    """Leader far off, mirrored joint, wrong offset: engage velocity until caught up."""
    with first_motion.running_bench(tmp_path) as bench:
        bench.jitter_s = BUSY_S
        outcome = first_motion.run(bench, 3, SEED)
    assert outcome.faults == []
    assert len(outcome.caught_up_s) == 3
    assert min(outcome.begin_off_rad) > 0.3
    # The arm really moved, fast once it had caught up.
    assert outcome.velocity > 1.0 > outcome.ramp_velocity


@pytest.mark.timeout(90)
def test_arm_stops_when_its_commander_falls_silent(tmp_path: Path) -> None:
    """Stopped or killed in motion: the arm decelerates within its caps and holds."""
    with follower(tmp_path) as (arm, graph, environment):
        names = silence_and_kill.sources(2)
        driver = start_driver(
            environment, arm, source_names=names, source_priorities=[0] * len(names))
        try:
            outcome = silence_and_kill.silence(
                arm, graph, environment, 2, 2, random.Random(SEED), BUSY_S)
        finally:
            end(driver)
    assert outcome.faults == []
    assert len(outcome.stops_s) == 4
    assert outcome.velocity > 0.3


@pytest.mark.timeout(90)
def test_keeper_releases_the_arm_of_a_killed_driver(tmp_path: Path) -> None:
    """Torque off on every motor each time, and the next driver gets the port and drives."""
    with follower(tmp_path) as (arm, graph, environment):
        outcome = silence_and_kill.kill_driver(
            arm, graph, environment, 2, random.Random(SEED), tmp_path)
    assert outcome.faults == []
    assert len(outcome.releases_s) == 2
    assert max(outcome.releases_s) < silence_and_kill.RELEASE_S


@pytest.mark.timeout(90)
def test_unplugged_arm_comes_back_to_its_commander(tmp_path: Path) -> None:
    """Back within seconds at the pose in which it stood, then slowly to its commander."""
    with follower(tmp_path) as (arm, graph, environment):
        driver = start_driver(environment, arm)
        try:
            outcome = unplug.unplug(
                arm, graph, environment, 2, random.Random(SEED), BUSY_S)
        finally:
            end(driver)
    assert outcome.faults == []
    assert len(outcome.back_s) == 2
    assert max(outcome.back_s) < 2 * unplug.BACK_S
    assert len(outcome.following_s) == 2
