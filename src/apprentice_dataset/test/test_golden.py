# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Datasets that lerobot 0.6.1 wrote and edited read as lerobot itself reads them.

`golden/KIND.tar.xz` is the dataset, `golden/KIND.json` what lerobot gave for every item;
`tests/reference/make_golden.py` remakes both.
"""
from __future__ import annotations

import copy
import json
from pathlib import Path
import tarfile
from typing import Any

from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from compared import differences
import pytest

GOLDEN = Path(__file__).with_name('golden')
KINDS = ['deleted', 'depth_image', 'depth_metres', 'depth_video', 'files', 'image', 'merged',
         'resumed', 'split', 'video']


def unpacked(kind: str, folder: Path) -> tuple[Dataset, dict[str, Any]]:
    """Unpack a golden dataset; return it, and what lerobot reads of it."""
    with tarfile.open(GOLDEN / f'{kind}.tar.xz') as archive:
        archive.extractall(folder)
    return Dataset.open(folder / kind), json.loads((GOLDEN / f'{kind}.json').read_text('utf-8'))


def test_every_kind_is_here() -> None:
    """No golden file got lost, and together they stay small."""
    assert sorted(path.stem for path in GOLDEN.glob('*.json')) == KINDS
    assert sum(path.stat().st_size for path in GOLDEN.iterdir()) < 600_000


@pytest.mark.parametrize('kind', KINDS)
def test_everything_is_what_lerobot_reads(kind: str, tmp_path: Path) -> None:
    """Values, tasks and statistics to the last digit, pictures to a decoder's rounding."""
    assert differences(*unpacked(kind, tmp_path)) == []


@pytest.mark.parametrize('kind', KINDS)
def test_they_are_valid(kind: str, tmp_path: Path) -> None:
    """The check that reads every row and frame finds nothing."""
    dataset, _ = unpacked(kind, tmp_path)
    assert [str(problem) for problem in validate(dataset.root, deep=True)] == []


def test_a_difference_is_found(tmp_path: Path) -> None:
    """A value, a string, a task, a statistic or the neighbour's frame does not pass."""
    dataset, golden = unpacked('video', tmp_path)
    camera = next(iter(dataset.info.cameras))
    for path, value in (
            (('items', 4, 'observation.jac'), [[0.0] * 3] * 2), (('items', 4, 'note'), 'row 5'),
            (('items', 4, 'task'), 'rest'), (('items', 4, camera), golden['items'][5][camera]),
            (('stats', 'action', 'q50'), [0.0]), (('tasks', 0), 'rest'), (('episodes',), 3)):
        changed = copy.deepcopy(golden)
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        assert len(differences(dataset, changed)) == 1, path
