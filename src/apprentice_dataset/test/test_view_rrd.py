# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Episodes become a file that the Rerun viewer opens."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
import sys
from typing import Any

from apprentice_dataset.command_line import main
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.reader import Dataset
from apprentice_dataset.view import rrd
from apprentice_dataset.view.rrd import write_recording
import av
from edits import golden
from edits import recorded
import numpy as np
import pytest
from recording import CAMERAS
from recording import FPS
from recording import number_in
from recording import WRIST
from rerun_reading import points

LENGTHS = (12, 9)
rerun = pytest.importorskip('rerun')


@pytest.fixture(scope='module')
def source(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two episodes of two cameras."""
    return Dataset.open(recorded(tmp_path_factory.mktemp('rrd') / 'arms', *LENGTHS))


def test_every_row_comes_back(source: Dataset, tmp_path: Path) -> None:
    """Each value has a point on both timelines, each frame a time in the video; a task is said."""
    assert main(['view', str(source.root), '--format', 'rrd', '--output',
                 str(tmp_path / 'arms.rrd')]) == 0
    found = points(tmp_path / 'arms.rrd')
    curves = [f'{feature}/{joint}.pos' for feature in ('observation.state', 'action')
              for joint in 'abc']
    assert {key: len(values) for key, values in found.items()} == {
        (f'/episode_{episode}/{name}', kind): count
        for episode, length in enumerate(LENGTHS)
        for names, kind, count in ((curves, 'scalar', length), (CAMERAS, 'video', length),
                                   (CAMERAS, 'file', 1), (['task'], 'text', 1))
        for name in names}
    states = found['/episode_1/observation.state/b.pos', 'scalar']
    assert [point.value for point in states] == [
        value[1] for value in source.rows(1)['observation.state'].to_pylist()]
    assert [point.frame for point in states] == list(range(9))
    assert [point.time_ns for point in states] == pytest.approx(
        [frame * 1e9 / FPS for frame in range(9)], abs=1)
    assert found['/episode_1/task', 'text'] == [(0, 0, 'task 1')]
    times = found[f'/episode_1/{WRIST}', 'video']
    # Each in the middle of its frame.
    assert [point.value for point in times] == [
        round((frame + 0.5) * 1e9 / FPS) for frame in range(9)]
    video = found[f'/episode_1/{WRIST}', 'file'][0].value
    assert _numbers(np.asarray(video, np.uint8).tobytes()) == list(range(1100, 1109))


def _numbers(video: bytes) -> list[int]:
    with av.open(BytesIO(video)) as container:
        return [number_in(frame.to_ndarray(format='rgb24'))
                for frame in container.decode(video=0)]


@pytest.mark.parametrize('kind', ['image', 'depth_image', 'depth_metres', 'depth_video'])
def test_pictures_that_are_no_video_come_one_by_one(kind: str, tmp_path: Path) -> None:
    """Image files go in as they are, distances as PNG of 16 bits where Rerun takes such."""
    dataset = Dataset.open(golden(kind, tmp_path))
    write_recording(dataset, tmp_path / 'x.rrd', [0])
    camera, = (name for name, one in dataset.info.features.items() if one.is_camera)
    stored, found = dataset.frames(0, camera), points(tmp_path / 'x.rrd')
    files = [np.asarray(point.value, np.uint8).tobytes()
             for point in found[f'/episode_0/{camera}', 'file']]
    if kind != 'image' and not hasattr(rerun, 'EncodedDepthImage'):
        assert len(files) == 1
        assert len(found[f'/episode_0/{camera}', 'video']) == len(_numbers(files[0]))
        return
    assert len(files) == len(stored)
    for data, right in zip(files, stored):
        frame, = av.CodecContext.create('png', 'r').decode(av.Packet(data))
        shown = frame.to_ndarray(format='rgb24' if kind == 'image' else 'gray16le')
        np.testing.assert_array_equal(shown, right if kind == 'image' else right[:, :, 0])


def test_nothing_is_lost_or_left(
    source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only recordings are replaced, whole; an interruption and a missing package leave all."""
    path = tmp_path / 'arms.rrd'
    write_recording(source, path, [0])
    first = path.read_bytes()

    def interrupted(*arguments: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(rrd, 'film', interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_recording(source, path, [1])
    monkeypatch.undo()
    assert path.read_bytes() == first and list(tmp_path.iterdir()) == [path]
    write_recording(source, path, [1])
    assert {entity.split('/')[1] for entity, _ in points(path)} == {'episode_1'}
    for name, text in (('notes.rrd', 'mine'), ('notes.txt', 'mine')):
        (tmp_path / name).write_text(text)
        with pytest.raises(DatasetError, match='another kind of file'):
            write_recording(source, tmp_path / name, [1])
    monkeypatch.setitem(sys.modules, 'rerun', None)
    with pytest.raises(DatasetError, match='pip install rerun-sdk'):
        write_recording(source, path, [0])
