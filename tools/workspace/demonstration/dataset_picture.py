# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A dataset in one picture: frames out of its videos above state and action out of its rows."""

from __future__ import annotations

from pathlib import Path

from apprentice_dataset.reader import Dataset
import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray

COLUMNS = 6
DPI = 100
STATE, ACTION = 'observation.state', 'action'
COLOURS = {STATE: '#1f77b4', ACTION: '#7f7f7f'}


def draw(dataset: Dataset, path: Path) -> None:
    """Write the picture."""
    matplotlib.use('Agg')
    cameras = list(dataset.info.cameras)
    names = dataset.info.features[ACTION].names
    figure = Figure(figsize=(15, 2.3 * len(cameras) + 5.6), dpi=DPI, layout='constrained')
    grid = figure.add_gridspec(
        len(cameras) + 2, COLUMNS, height_ratios=[1.0] * len(cameras) + [1.15, 1.15])
    for row, camera in enumerate(cameras):
        for column, (episode, frame) in enumerate(_spread(dataset)):
            axes = figure.add_subplot(grid[row, column])
            axes.imshow(dataset.frame(episode, camera, frame))
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(f'{camera.rpartition(".")[2]}  episode {episode}, row {frame}',
                           fontsize=8)
    columns = {key: _column(dataset, key) for key in COLOURS}
    width = COLUMNS // 3
    for number, name in enumerate(names[:6]):
        place = grid[len(cameras) + number // 3, width * (number % 3):width * (number % 3 + 1)]
        _curves(figure.add_subplot(place), dataset, name,
                {key: values[:, number] for key, values in columns.items()})
    figure.suptitle(f'{dataset.info.total_episodes} episodes, {len(dataset)} rows at '
                    f'{dataset.info.fps} Hz, read back from the dataset', fontsize=12)
    figure.savefig(path)


def _spread(dataset: Dataset) -> list[tuple[int, int]]:
    """Choose (episode, row) evenly, as many as there is room for."""
    each = max(1, COLUMNS // max(1, len(dataset.episodes)))
    chosen = [(episode.index, int(episode.length * (part + 0.5) / each))
              for episode in dataset.episodes for part in range(each)]
    return chosen[:COLUMNS]


def _column(dataset: Dataset, key: str) -> NDArray[np.float32]:
    rows = [dataset.rows(index)[key].to_pylist() for index in range(len(dataset.episodes))]
    return np.array([value for episode in rows for value in episode], np.float32)


def _curves(axes: Axes, dataset: Dataset, name: str, values: dict[str, NDArray]) -> None:
    for key, curve in values.items():
        axes.plot(curve, color=COLOURS[key], label=key, linewidth=1.0)
    for episode in dataset.episodes:
        axes.axvline(episode.rows.start, color='#dddddd', zorder=0)
    axes.set_title(name, fontsize=9, loc='left')
    axes.tick_params(labelsize=7)
    axes.margins(x=0.01)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(fontsize=6, frameon=False, loc='best')
