# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The demo in one picture: frames of both cameras above the curves of every joint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demonstration.records import CameraStream
from demonstration.records import Frame
from demonstration.records import JointStream
from demonstration.records import Recording
from demonstration.report import Episode
from demonstration.report import Report
import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import simplejpeg

COLUMNS = 6
DPI = 100
LEADER, GOAL, FOLLOWER, GRID = '#d62728', '#7f7f7f', '#1f77b4', '#dddddd'


def draw(recording: Recording, report: Report, path: Path) -> None:
    """Write the picture."""
    matplotlib.use('Agg')
    cameras = recording.cameras
    rows = len(cameras) + 2
    figure = Figure(figsize=(15, 2.3 * len(cameras) + 5.6), dpi=DPI, layout='constrained')
    grid = figure.add_gridspec(
        rows, COLUMNS, height_ratios=[1.0] * len(cameras) + [1.15, 1.15])
    begin_ns = report.episodes[0].begin_ns if report.episodes else 0
    for row, (name, camera) in enumerate(cameras.items()):
        _contact_row(figure, grid, row, name, camera, report.episodes, begin_ns)
    names = recording.leader.names
    width = COLUMNS // 3
    for number, name in enumerate(names[:6]):
        row, column = len(cameras) + number // 3, width * (number % 3)
        _curves(figure.add_subplot(grid[row, column:column + width]), name, recording, report,
                begin_ns, legend=number == 0)
    figure.suptitle(
        f'{report.cubes} of {len(report.episodes)} cubes in the bin: leader, goals and follower '
        'of an SO-100 in simulation', fontsize=12)
    figure.savefig(path)


def _contact_row(
    figure: Figure, grid: object, row: int, name: str, camera: CameraStream,
    episodes: Sequence[Episode], begin_ns: int,
) -> None:
    for column, frame in enumerate(_spread(camera.frames, episodes)):
        axes = figure.add_subplot(grid[row, column])
        axes.imshow(simplejpeg.decode_jpeg(frame.data))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(f'{name}  {(frame.stamp_ns - begin_ns) * 1e-9:.1f} s', fontsize=8)


def _spread(frames: Sequence[Frame], episodes: Sequence[Episode]) -> list[Frame]:
    # Two of each episode for three: the grasp lies near a third of it, the drop near its end.
    if not frames or not episodes:
        return []
    each = max(1, COLUMNS // len(episodes))
    parts = (0.45, 0.9) if each == 2 else tuple((k + 0.5) / each for k in range(each))
    wanted = [e.begin_ns + part * (e.end_ns - e.begin_ns) for e in episodes for part in parts]
    stamps = np.array([frame.stamp_ns for frame in frames])
    return [frames[int(np.argmin(np.abs(stamps - stamp)))] for stamp in wanted[:COLUMNS]]


def _curves(
    axes: Axes, name: str, recording: Recording, report: Report, begin_ns: int, legend: bool,
) -> None:
    for stream, colour, label, width in (
        (recording.leader, LEADER, 'leader', 1.6), (recording.goals, GOAL, 'goal', 1.0),
        (recording.follower, FOLLOWER, 'follower', 1.0),
    ):
        axes.plot(*_curve(stream, name, begin_ns), color=colour, label=label, linewidth=width)
    for episode in report.episodes:
        axes.axvline((episode.begin_ns - begin_ns) * 1e-9, color=GRID, zorder=0)
    axes.set_title(f'{name}, rad', fontsize=9, loc='left')
    axes.tick_params(labelsize=7)
    axes.margins(x=0.01)
    axes.spines[['top', 'right']].set_visible(False)
    if legend:
        axes.legend(fontsize=7, frameon=False, loc='best')


def _curve(
    stream: JointStream, name: str, begin_ns: int,
) -> tuple[np.ndarray, np.ndarray]:
    if name not in stream.names:
        return np.array([]), np.array([])
    column = stream.names.index(name)
    count = min(len(stream.arrivals), len(stream.positions))
    times = np.array([arrival.stamp_ns for arrival in stream.arrivals[:count:4]])
    values = np.array([row[column] for row in stream.positions[:count:4]])
    return (times - begin_ns) * 1e-9, values
