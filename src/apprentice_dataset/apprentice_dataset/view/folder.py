# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make the folder of pages beside its place, and swap it in."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
import re
import shutil

from apprentice_dataset.edit.plan import no_progress
from apprentice_dataset.edit.plan import Progress
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.exchange import exchange
from apprentice_dataset.files import make_folder
from apprentice_dataset.files import storage_errors
from apprentice_dataset.files import write_file
from apprentice_dataset.layout import STAGING
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.output import built_beside
from apprentice_dataset.reader import Dataset
from apprentice_dataset.view.film import film
from apprentice_dataset.view.pages import asset
from apprentice_dataset.view.pages import ASSETS
from apprentice_dataset.view.pages import episode_page
from apprentice_dataset.view.pages import Film
from apprentice_dataset.view.pages import index_page
from apprentice_dataset.view.pages import MARK
from apprentice_dataset.view.pages import page_data
from apprentice_dataset.view.pages import Shown
from apprentice_dataset.view.plots import plots
from apprentice_dataset.view.plots import too_large
from apprentice_dataset.view.rows import numbers_and_texts

_OURS = re.compile(r'index\.html|episode-\d{6,}\.html|videos|' + '|'.join(
    map(re.escape, (*ASSETS, STAGING))))


def write_pages(
    dataset: Dataset, output: Path, episodes: Sequence[int], progress: Progress = no_progress,
) -> None:
    """
    Write pages of episodes that any browser shows, without a server, into a folder.

    :param output: a folder that is missing, empty or an earlier view, which is replaced whole.
    :raises DatasetError: the folder holds something else, or the disk refuses.
    :raises DatasetBroken: the dataset cannot be read; nothing is left behind.
    """
    output, root = output.resolve(), dataset.root.resolve()
    if output == root or root in output.parents or output in root.parents:
        raise DatasetError(f'{output}: found a place in or around the dataset, expected another '
                           'folder')
    with storage_errors(output), _target(output) as folder:
        _Pages(dataset, folder, episodes).write(progress)


@contextmanager
def _target(output: Path) -> Iterator[Path]:
    if not _is_earlier(output):
        with built_beside(output) as folder:
            yield folder
        return
    lock = FolderLock(output / STAGING)
    beside = output.with_name(f'.{output.name}.apprentice-view')
    try:
        if beside.exists():
            # Left by a process that died around the exchange.
            shutil.rmtree(beside)
        with built_beside(beside) as folder:
            yield folder
        exchange(beside, output, lock)
    finally:
        lock.release()
        shutil.rmtree(beside, ignore_errors=True)


def _is_earlier(output: Path) -> bool:
    """Tell whether a folder is a view; DatasetError where it holds something else."""
    if not output.is_dir() or not any(output.iterdir()):
        return False
    index = output / 'index.html'
    foreign = sorted(path.name for path in output.iterdir() if not _OURS.fullmatch(path.name))
    if foreign or not index.is_file() or MARK.encode() not in index.read_bytes()[:4096]:
        raise DatasetError(f'{output}: found {foreign[0] if foreign else "no view"}, expected a '
                           'folder that is missing, empty or an earlier view; name another')
    return True


class _Pages:
    def __init__(self, dataset: Dataset, folder: Path, episodes: Sequence[int]) -> None:
        self._dataset, self._folder = dataset, folder
        self._name = dataset.root.resolve().name
        self._plots = plots(dataset.info.features)
        self._left_out = too_large(dataset.info.features)
        self._cameras = [
            name for name, feature in dataset.info.features.items() if feature.is_camera]
        self._shown = [
            Shown(one.index, one.length, one.tasks, f'episode-{one.index:06d}.html')
            for one in (dataset.episodes[episode] for episode in episodes)]

    def write(self, progress: Progress) -> None:
        for name in ASSETS:
            self._write(name, asset(name))
        progress(0, len(self._shown))
        for place, one in enumerate(self._shown):
            numbers, texts = numbers_and_texts(self._dataset, one.number)
            data = page_data(self._dataset.info.fps, self._plots, numbers, texts, one.length)
            self._write(one.page, episode_page(
                self._name, self._dataset.info, self._shown, place, self._films(one.number), data,
                self._left_out))
            progress(place + 1, len(self._shown))
        self._write('index.html', index_page(self._name, self._dataset.info, self._shown))

    def _films(self, episode: int) -> list[Film]:
        films = []
        for number, camera in enumerate(self._cameras):
            # Names of features may hold what no file system and no address takes.
            name = re.sub(r'[^A-Za-z0-9._-]', '_', camera)[:80]
            path = f'videos/episode-{episode:06d}/{number}-{name}.mp4'
            make_folder((self._folder / path).parent)
            note = film(self._dataset, episode, camera, self._folder / path)
            height, width = self._dataset.info.features[camera].height_width
            films.append(Film(camera, path, width / height, note))
        return films

    def _write(self, name: str, text: str) -> None:
        write_file(self._folder / name, text.encode(), sync=False)
