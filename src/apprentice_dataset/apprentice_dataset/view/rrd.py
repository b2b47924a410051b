# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write episodes into one file that the Rerun viewer opens."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from apprentice_dataset.depth import is_depth
from apprentice_dataset.edit.plan import no_progress
from apprentice_dataset.edit.plan import Progress
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import make_folder
from apprentice_dataset.files import storage_errors
from apprentice_dataset.files import sync_path
from apprentice_dataset.reader import Dataset
from apprentice_dataset.view.film import distances
from apprentice_dataset.view.film import film
from apprentice_dataset.view.film import middles_ns
from apprentice_dataset.view.film import stored_pictures
from apprentice_dataset.view.film import unit_of
from apprentice_dataset.view.plots import Line
from apprentice_dataset.view.plots import plots
from apprentice_dataset.view.rows import numbers_and_texts
import av
import numpy as np
from numpy.typing import NDArray

_MAGIC = b'RRF'
_MM_A_METRE = 1000.0


def write_recording(
    dataset: Dataset, output: Path, episodes: Sequence[int], progress: Progress = no_progress,
) -> None:
    """
    Write episodes into one .rrd, each below an entity `episode_N`, on two timelines.

    The timelines are `frame_index` and `timestamp`, which begin anew with each episode.

    :param output: a new file, or an earlier one of this kind, which is replaced.
    :raises DatasetError: rerun-sdk is missing, the file is another one, or the disk refuses.
    :raises DatasetBroken: the dataset cannot be read; nothing is left behind.
    """
    rerun = _import_rerun()
    output = output.resolve()
    if output.suffix != '.rrd' or output.exists() and not _is_earlier(output):
        raise DatasetError(f'{output}: found another kind of file, expected a new NAME.rrd or an '
                           'earlier one')
    with storage_errors(output):
        make_folder(output.parent)
        with TemporaryDirectory(prefix=f'.{output.name}.', dir=output.parent) as folder:
            beside = Path(folder) / output.name
            _write(rerun, dataset, beside, episodes, progress)
            sync_path(beside)
            os.replace(beside, output)
        sync_path(output.parent)


def _is_earlier(path: Path) -> bool:
    with suppress(OSError), open(path, 'rb') as file:
        return file.read(len(_MAGIC)) == _MAGIC
    return False


def _import_rerun() -> ModuleType:
    try:
        import rerun
    except ImportError as error:
        raise DatasetError(f'--format rrd needs the Python package rerun-sdk ({error}): '
                           'pip install rerun-sdk, or take --format html') from None
    return rerun


def _write(
    rerun: ModuleType, dataset: Dataset, path: Path, episodes: Sequence[int], progress: Progress,
) -> None:
    stream = rerun.RecordingStream(dataset.root.resolve().name)
    try:
        stream.save(path, default_blueprint=_layout(dataset, episodes))
        progress(0, len(episodes))
        for done, episode in enumerate(episodes, 1):
            _Episode(rerun, stream, dataset, episode, path.parent).write()
            progress(done, len(episodes))
        stream.flush()
    finally:
        stream.disconnect()


def _root(episode: int) -> str:
    return f'episode_{episode}'


def _place(line: Line) -> list[str]:
    return [line.feature, line.name] if line.name else [line.feature]


def _layout(dataset: Dataset, episodes: Sequence[int]) -> object:
    """Return a tab for each episode: pictures beside curves, and the texts below."""
    from rerun import blueprint
    from rerun import new_entity_path
    cameras = [name for name, feature in dataset.info.features.items() if feature.is_camera]
    tabs = []
    for episode in episodes:
        pictures = [blueprint.Spatial2DView(
            origin=new_entity_path([_root(episode), name]), name=name) for name in cameras]
        texts = blueprint.TextDocumentView(
            origin=new_entity_path([_root(episode), 'task']), name='task')
        curves = blueprint.Grid(*(blueprint.TimeSeriesView(
            name=plot.title,
            contents=[new_entity_path([_root(episode), *_place(line)]) for line in plot.lines])
            for plot in plots(dataset.info.features)))
        left = blueprint.Vertical(*pictures, texts, row_shares=[*[3] * len(pictures), 1])
        tabs.append(blueprint.Horizontal(left, curves, name=f'episode {episode}'))
    return blueprint.Blueprint(blueprint.Tabs(*tabs), collapse_panels=True)


class _Episode:
    """Send one episode to a stream."""

    def __init__(
        self, rerun: ModuleType, stream: Any, dataset: Dataset, episode: int, folder: Path,
    ) -> None:
        self._rerun, self._stream, self._dataset = rerun, stream, dataset
        self._episode, self._folder = episode, folder
        self._length = dataset.episodes[episode].length

    def write(self) -> None:
        numbers, texts = numbers_and_texts(self._dataset, self._episode)
        for plot in plots(self._dataset.info.features):
            for line in plot.lines:
                self._send_curve(line, numbers[line.feature][:, line.place])
        for name, spans in texts.items():
            frames = [frame for frame, _ in spans]
            self._send([name], frames, self._rerun.TextDocument.columns(
                text=[text for _, text in spans]))
        for name, feature in self._dataset.info.features.items():
            if feature.is_camera:
                self._send_pictures(name)

    def _path(self, names: Sequence[str]) -> str:
        return self._rerun.new_entity_path([_root(self._episode), *names])

    def _send(self, names: Sequence[str], frames: Sequence[int], columns: Any) -> None:
        fps = self._dataset.info.fps
        self._stream.send_columns(self._path(names), [
            self._rerun.TimeColumn('frame_index', sequence=frames),
            self._rerun.TimeColumn('timestamp', duration=[frame / fps for frame in frames]),
        ], columns)

    def _send_curve(self, line: Line, values: NDArray[Any]) -> None:
        self._stream.log(self._path(_place(line)), self._rerun.SeriesLines(
            names=' '.join(_place(line))), static=True)
        self._send(_place(line), range(self._length),
                   self._rerun.Scalars.columns(scalars=values.astype(float)))

    def _send_pictures(self, camera: str) -> None:
        feature = self._dataset.info.features[camera]
        # Without the former, as in Rerun 0.23, distances would be stored plain: far too large.
        if is_depth(feature) and hasattr(self._rerun, 'EncodedDepthImage'):
            self._send_depth(camera)
        elif feature.is_video or is_depth(feature):
            path = self._folder / 'film.mp4'
            film(self._dataset, self._episode, camera, path)
            self._stream.log(self._path([camera]), self._rerun.AssetVideo(
                contents=path.read_bytes(), media_type='video/mp4'), static=True)
            path.unlink()
            shown = self._rerun.VideoFrameReference.columns_nanos(
                middles_ns(self._length, self._dataset.info.fps))
            self._send([camera], range(self._length), shown)
        else:
            files = stored_pictures(self._dataset, self._episode, camera)
            self._send([camera], range(self._length), self._rerun.EncodedImage.columns(
                blob=files, media_type=[_media_type(data) for data in files]))

    def _send_depth(self, camera: str) -> None:
        known = unit_of(self._dataset.info.features[camera])
        extra = {'meter': [_MM_A_METRE] * self._length} if known else {}
        files = [_png(picture) for picture in distances(
            self._dataset, self._episode, camera)]
        self._send([camera], range(self._length), self._rerun.EncodedDepthImage.columns(
            blob=files, media_type=['image/png'] * self._length, **extra))


def _media_type(data: bytes) -> str:
    return 'image/jpeg' if data[:2] == b'\xff\xd8' else 'image/png'


def _png(picture: NDArray[np.float32]) -> bytes:
    """Return whole distances as a PNG of 16 bits."""
    codes = np.clip(np.rint(picture), 0, 65535).astype(np.uint16)
    context = av.CodecContext.create('png', 'w')
    context.height, context.width = codes.shape
    context.pix_fmt, context.time_base = 'gray16be', Fraction(1, 1)
    frame = av.VideoFrame.from_ndarray(codes, format='gray16le').reformat(format='gray16be')
    return b''.join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])
