# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""We read every item of what lerobot writes and edits as lerobot does."""
from __future__ import annotations

from pathlib import Path

from apprentice_dataset.features import RESERVED
from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.reader import Dataset
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.statistics import QUANTILES
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.v2.rows import column_values
from apprentice_dataset.validate import validate
from exchange import LARGE
from exchange import side
from exchange import unlike
from lerobot_side import KINDS
from lerobot_side import picture
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

BINS = 5000


@pytest.fixture(scope='module')
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Let lerobot make every kind."""
    folder = tmp_path_factory.mktemp('theirs')
    side('make', folder, *KINDS, *LARGE)
    return {kind: folder / kind for kind in KINDS}


def test_every_item_is_the_same(made: dict[str, Path]) -> None:
    """Tables, tasks, statistics exactly; frames by either of lerobot's decoders."""
    assert unlike(*made.values()) == []


@pytest.mark.parametrize('kind', KINDS)
def test_they_are_valid(kind: str, made: dict[str, Path]) -> None:
    """The check that reads every row and frame finds nothing."""
    assert [str(problem) for problem in validate(made[kind], deep=True)] == []


def stored(root: Path, episode: int, feature: str) -> Statistics:
    """Return an episode's statistics as meta/episodes has them."""
    for path in sorted(root.glob('meta/episodes/*/*.parquet')):
        table = pq.read_table(path)
        rows = table.filter(pc.equal(table['episode_index'], episode))
        if rows.num_rows:
            prefix = f'stats/{feature}/'
            return {name.removeprefix(prefix): np.array(rows[name][0].as_py())
                    for name in rows.column_names if name.startswith(prefix)}
    raise AssertionError(f'no episode {episode}')


def close(ours: Statistics, theirs: Statistics) -> list[str]:
    """Return which statistics differ by more than float32 sums and histograms may."""
    spread = np.asarray(theirs['max'] - theirs['min'], np.float64)
    allowed = {'min': 1e-6 * spread, 'max': 1e-6 * spread, 'mean': 1e-6 * spread + 1e-12,
               'std': 1e-4 * np.maximum(spread, 1e-6), 'count': 0 * spread,
               **{name: spread / BINS + 1e-9 for name in QUANTILES}}
    return [f'{name}: {ours[name].ravel()}, lerobot has {theirs[name].ravel()}'
            for name, most in allowed.items()
            if not (np.abs(np.asarray(ours[name], np.float64) - theirs[name]) <= most).all()]


@pytest.mark.parametrize('kind', KINDS)
def test_recomputed_statistics_agree(kind: str, made: dict[str, Path]) -> None:
    """From the rows we get what lerobot stored of each episode, unless its tools left it stale."""
    dataset = Dataset.open(made[kind])
    stale = RESERVED if kind in ('deleted', 'split', 'merged') else ()
    for episode in dataset.episodes:
        table = dataset.rows(episode.index)
        for name, feature in dataset.info.columns.items():
            if feature.dtype not in ('string', 'image', 'language') and name not in stale:
                values = column_values(name, table[name], feature)
                assert close(numeric_statistics(values),
                             stored(made[kind], episode.index, name)) == [], name


@pytest.mark.parametrize('kind', ['image', 'video', 'resumed'])
def test_statistics_of_the_same_pictures_agree(kind: str, made: dict[str, Path]) -> None:
    """
    Of the uint8 pictures that lerobot was given we compute what lerobot stored.

    It sums in float32, which costs its deviation the third digit and more; ours is exact.
    """
    dataset = Dataset.open(made[kind])
    for episode in dataset.episodes[:2]:
        for name, feature in dataset.info.features.items():
            if feature.dtype in ('video', 'image'):
                sampler = PictureSampler()
                for number in episode.rows:
                    sampler.take(picture(name, feature.shape, number))
                ours = sampler.statistics()
                theirs = stored(made[kind], episode.index, name)
                pictures = [picture(name, feature.shape, row) for row in episode.rows]
                exact = {'mean': np.mean(pictures, axis=(0, 1, 2)) / 255,
                         'std': np.std(pictures, axis=(0, 1, 2)) / 255}
                for key, value in exact.items():
                    assert np.allclose(ours[key].ravel(), value, rtol=0, atol=1e-9)
                    assert np.allclose(theirs[key].ravel(), value, rtol=0, atol=1e-2)
                assert close({**ours, 'mean': theirs['mean'], 'std': theirs['std']}, theirs) == []
