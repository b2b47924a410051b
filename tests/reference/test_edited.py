# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What our verbs make of our datasets and of lerobot's own, lerobot reads item for item."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from exchange import dataset
from exchange import side
from exchange import unlike
from lerobot_side import WRIST
import numpy as np
import pytest
from test_ours import add
from test_ours import full_spec
from test_ours import LENGTHS
from test_ours import plain_spec

ON_ANY: Mapping[str, Sequence[object]] = {
    'delete-episodes': ('--episode-indices', 1), 'trim': ('--begin', 1, '--end', 1), 'compact': (),
    'modify-tasks': ('--task-replacements', '{"pick the cube": "grasp the cube"}'),
    'remove-feature': ('--feature-names', 'observation.state')}
SMALL = ('--frames', '12', '--height', '96', '--width', '128')
# One of each kind of file; the others add nothing here.
THEIRS = ('deleted', 'depth_image', 'depth_video', 'files', 'resumed', 'video')


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make datasets of ours, and let lerobot make its own."""
    folder = tmp_path_factory.mktemp('edited')
    for name, spec in (('ours', full_spec('h264')), ('plain', plain_spec('h264'))):
        with DatasetWriter.create(folder / name, spec) as writer:
            for number, length in enumerate(LENGTHS):
                add(writer, spec, length, 50 * number)
    side('make', folder, *THEIRS, *SMALL)
    return folder


def made(folder: Path, verb: str, source: str, *options: object) -> Path:
    """Run a verb and return its result, which must be valid."""
    result = folder / f'{verb}-{source}-{len(list(folder.iterdir()))}'
    dataset(verb, folder / source, *options, '--output', result)
    assert [str(problem) for problem in validate(result, deep=True)] == []
    return result


@pytest.mark.parametrize('verb', ON_ANY)
def test_edited_datasets_are_read_by_lerobot(verb: str, folder: Path) -> None:
    """Run a verb on every kind of dataset, ours and lerobot's, matrices, images and depth too."""
    sources = ['ours', *THEIRS]
    if verb == 'trim':
        # Depth is not encoded anew: it can only be cut at a key frame.
        sources.remove('depth_video')
    assert unlike(*(made(folder, verb, source, *ON_ANY[verb]) for source in sources)) == []


def test_features_come_and_go(folder: Path) -> None:
    """Remove a camera, rename a column, add a column."""
    rows = len(Dataset.open(folder / 'ours'))
    np.save(folder / 'values.npy', np.arange(2 * rows, dtype=np.float32).reshape(rows, 2))
    results = [
        made(folder, 'remove-feature', 'ours', '--feature-names', WRIST),
        made(folder, 'rename-feature', 'ours', '--names', 'note=remark'),
        made(folder, 'add-feature', 'ours', '--feature-name', 'pair', '--values',
             folder / 'values.npy')]
    assert unlike(*results) == []


def test_merged_and_split(folder: Path) -> None:
    """Merge ours with lerobot's, and matrices, which its own merge refuses; share ours out."""
    both = folder / 'both'
    dataset('merge', folder / 'plain', folder / 'resumed', '--output', both)
    twice = folder / 'twice'
    dataset('merge', folder / 'video', folder / 'video', '--output', twice)
    dataset('split', folder / 'ours', '--splits', 'train=0,2', 'rest=1', '--output',
            folder / 'parts')
    roots = [both, twice, folder / 'parts/train', folder / 'parts/rest']
    assert [str(problem) for root in roots for problem in validate(root, deep=True)] == []
    assert len(Dataset.open(both).episodes) == 6
    assert unlike(*roots) == []
