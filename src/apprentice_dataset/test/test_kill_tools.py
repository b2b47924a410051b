# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Kill tools while they work: sources stay, results are absent or whole, the next run clears away.

`tests/benchmarks/dataset_kills.py` does the same at many points of every tool.
"""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
import shutil
from typing import Any

from apprentice_dataset.command_line import VERBS
from killed_tools import Runner
from killed_tools import TOOLS
from killed_tools import Trial
import pytest


@pytest.fixture(scope='module')
def runner() -> Iterator[Runner]:
    """Start what runs verbs in children."""
    with Runner() as started:
        yield started


@pytest.mark.parametrize('name', ['compact', 'convert', 'repair'])
def test_a_killed_tool_leaves_old_or_new(name: str, runner: Runner, tmp_path: Path) -> None:
    """Early, in the middle and at the end; beside and in place where there are both."""
    trial = Trial(runner, name, tmp_path / name)
    faults = []
    for number, share in enumerate((0.3, 0.6, 0.8, 0.95)):
        faults += trial.kill(number, share)[1]
    assert not faults, '\n'.join(faults)


def test_every_verb_that_writes_a_dataset_is_killed() -> None:
    """Only what reads, what talks to the Hub and the card are left out."""
    others = {'info', 'validate', 'card', 'push', 'pull', 'tag', 'view'}
    assert set(VERBS) - others == set(TOOLS)


def _source(home: Path) -> None:
    (home / 'data/meta/stats.json').write_text('{}')


def _half(home: Path) -> None:
    shutil.rmtree(home / 'out/data')


def _left(home: Path) -> None:
    (home / 'out.partial-left').mkdir(exist_ok=True)


@pytest.mark.parametrize(('harm', 'told'), [
    (_source, 'the source has changed'), (_half, 'no such file'), (_left, 'left [')])
def test_what_is_broken_is_seen(
    harm: Callable[[Path], None], told: str, runner: Runner, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A changed source, half a result and what nobody clears away are told."""
    trial = Trial(runner, 'compact', tmp_path / 'compact')
    run = Trial._run

    def harmed(self: Trial, home: Path, place: Sequence[str], kill_s: float | None = None) -> Any:
        ended = run(self, home, place)
        harm(home)
        return ended

    monkeypatch.setattr(Trial, '_run', harmed)
    when, faults = trial.kill(0, 0.5)
    assert when == 'after' and any(told in fault for fault in faults), faults
