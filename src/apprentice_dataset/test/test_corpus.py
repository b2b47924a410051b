# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Datasets that were damaged in every known way are refused or read, never more than that.

`corpus/cases.jsonl` has a case a line: the dataset, what is done to which file with which seed,
and for each reader whether it `complains`, `reads`, or, where it hangs on the version of a
library, does `either`. What the fuzzer (`tests/benchmarks/dataset_fuzz.py`) found stands there.
"""
from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import shutil
from typing import Any

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.layout import STAGING
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.repair import repair
import mutated
from mutated import examine
from mutated import Files
from mutated import made
from mutated import prepared
from mutated import Sandbox
from mutations import KINDS
from mutations import Mutation
import pytest

CASES = [json.loads(line) for line in
         Path(__file__).with_name('corpus').joinpath('cases.jsonl').read_text().splitlines()]
BASES = sorted({case['base'] for case in CASES})


@pytest.fixture(scope='module')
def files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Files]:
    """Return what gives the files of a kind of dataset, made once."""
    known: dict[str, Files] = {}

    def get(base: str) -> Files:
        if base not in known:
            known[base] = made(base, tmp_path_factory.mktemp('made'))
        return known[base]
    return get


@pytest.mark.parametrize('base', BASES)
def test_damage_is_told(base: str, files: Callable[[str], Files], tmp_path: Path) -> None:
    """Every reader keeps to its errors and to the dataset, and says what it said before."""
    wrong = []
    for case in CASES:
        if case['base'] != base:
            continue
        mutations = [Mutation(*one) for one in case['mutations']]
        for reader, expected in case['readers'].items():
            with prepared(tmp_path / 'case', files(base), mutations) as sandbox:
                complained, faults = examine(sandbox, reader)
            found = 'complains' if complained else 'reads'
            wrong += [f'{case["mutations"]}: {fault.key}\n{fault.detail}' for fault in faults]
            if expected not in (found, 'either'):
                wrong.append(f'{case["mutations"]}: {reader} {found}, expected {expected}')
    assert not wrong, '\n'.join(wrong)


def test_every_kind_of_damage_is_there() -> None:
    """Nothing that can be done to a file is left out, and most of it must be told."""
    assert {one[0] for case in CASES for one in case['mutations']} == set(KINDS)
    expected = [value for case in CASES for value in case['readers'].values()]
    assert expected.count('complains') > 50 and 'reads' in expected


def _raises(root: Path) -> None:
    raise KeyError('no error of ours')


def _refuses(root: Path) -> None:
    raise DatasetError('one of ours')


def _writes_outside(root: Path) -> None:
    (root.parents[1] / 'outside/new').touch()


def _changes_the_dataset(root: Path) -> None:
    (root / 'meta/info.json').write_text('{}')


@pytest.mark.parametrize(('run', 'told'), [
    (_raises, 'KeyError'), (_refuses, None), (_writes_outside, 'touched'),
    (_changes_the_dataset, 'touched')])
def test_a_broken_promise_is_seen(
    run: Any, told: str | None, files: Callable[[str], Files], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader that raises anything else, or touches anything, is a fault; a refusal is none."""
    monkeypatch.setitem(mutated.READERS, 'bad', mutated.Reader(run))  # type: ignore[arg-type]
    with prepared(tmp_path / 'case', files('video'), []) as sandbox:
        complained, faults = examine(sandbox, 'bad')
    assert complained == (told is None)
    assert [told in fault.what for fault in faults] == ([True] if told else [])


@pytest.mark.parametrize('name', ['', 'lock', 'episode', 'episode/staged', 'trash'])
def test_links_of_the_recorders_folder_lead_nowhere(
    name: str, files: Callable[[str], Files], tmp_path: Path,
) -> None:
    """What is written, emptied or removed there is never done by a link, nor waited for."""
    sandbox = Sandbox(tmp_path / 'case')
    sandbox.fill(files('accepted'))
    path, aim = sandbox.root / STAGING / name, sandbox.outside / 'aim'
    if name == 'lock':
        path.unlink(missing_ok=True)
        aim.write_text('not to be emptied')
    elif path.exists():
        shutil.move(path, aim)
    else:
        aim.mkdir()
        (aim / 'file').touch()
    path.symlink_to(aim)
    before = sandbox.state(sandbox.root)
    with pytest.raises(DatasetError):
        repair(sandbox.root)
    aim.rename(aim.with_name('gone'))
    with pytest.raises((DatasetError, OSError)):
        FolderLock(path.parent if name == 'lock' else sandbox.root / STAGING)
        repair(sandbox.root)
    aim.with_name('gone').rename(aim)
    assert sandbox.state(sandbox.root) == before


@pytest.mark.parametrize('folder', ['data', 'data/chunk-000', 'meta/episodes', 'meta/apprentice'])
def test_nothing_is_published_through_a_link(
    folder: str, files: Callable[[str], Files], tmp_path: Path,
) -> None:
    """A folder that is a link to another place is refused; what lies there stays."""
    sandbox = Sandbox(tmp_path / 'case')
    sandbox.fill(files('accepted'))
    path, aim = sandbox.root / folder, sandbox.outside / 'aim'
    shutil.move(path, aim)
    path.symlink_to(aim)
    before = sandbox.state(sandbox.root)
    with pytest.raises(DatasetError, match='a link to another place'):
        repair(sandbox.root)
    assert sandbox.state(sandbox.root) == before
