# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Create a dataset or resume one, and add episodes to it."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
from types import TracebackType

from apprentice_dataset.camera_forms import CameraPlan
from apprentice_dataset.camera_forms import encoding_of
from apprentice_dataset.episode import EpisodeWriter
from apprentice_dataset.episode import plans
from apprentice_dataset.episode import remove_staged
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.files import replace_file
from apprentice_dataset.files import storage_errors
from apprentice_dataset.info import new_info
from apprentice_dataset.journal import EpisodeHeader
from apprentice_dataset.layout import INFO
from apprentice_dataset.layout import STAGING
from apprentice_dataset.layout import to_json
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.origin import read_origin
from apprentice_dataset.publication import FinishedEpisode
from apprentice_dataset.publication import next_numbers
from apprentice_dataset.publication import stage
from apprentice_dataset.repair import repair_locked
from apprentice_dataset.schema import check_schema
from apprentice_dataset.staging import Staging
from apprentice_dataset.transaction import commit
from apprentice_dataset.transaction import no_step
from apprentice_dataset.transaction import roll_forward
from apprentice_dataset.transaction import Step

Hook = Callable[[], None]


class DatasetWriter:
    """
    Write one dataset, alone: a second writer of the folder is refused.

    `repaired` says what opening had to mend. Make one with `create`, `resume` or
    `open_or_create`. `step` is called before each of transaction.STEPS, `on_thread_start` first
    in every encoder's thread.
    """

    def __init__(
        self, root: Path, spec: DatasetSpec, lock: FolderLock, repaired: list[str], step: Step,
        on_thread_start: Hook | None,
    ) -> None:
        """Read the metadata of a dataset that is locked and repaired."""
        self.root = root
        self.repaired = repaired
        self._lock, self._step, self._on_thread_start = lock, step, on_thread_start
        self._metadata = read_metadata(root)
        _check_whole(root)
        _check_inside(root)
        check_schema(root, self._metadata, spec)
        # As the dataset has them: what it says of its cameras was decided when it began.
        features = {name: self._metadata.info.features[name] for name in spec.features}
        self._header = EpisodeHeader(spec.fps, features, {
            name: encoding_of(feature, spec.video, spec.fps)
            for name, feature in features.items() if feature.is_camera})
        self._numbers = next_numbers(root, self._metadata.info)
        self._committed: Metadata | None = None
        self._episode: EpisodeWriter | None = None

    @classmethod
    def create(
        cls, root: Path | str, spec: DatasetSpec, *, step: Step = no_step,
        on_thread_start: Hook | None = None,
    ) -> DatasetWriter:
        """
        Begin a dataset in a folder that is missing or empty.

        :raises DatasetError: the folder holds something, or cannot be written.
        """
        root = Path(root)
        spec.check()
        lock = _lock(root, make=True)
        try:
            others = sorted(path.name for path in root.iterdir() if path.name != STAGING)
            if others:
                raise DatasetError(f'{root}: found {others[:5]}, expected an empty folder; '
                                   'resume the dataset or name another folder')
            with storage_errors(root):
                replace_file(root / INFO, Staging(root).folder / 'info.json',
                             to_json(new_info(spec).to_json()))
            return cls(root, spec, lock, [], step, on_thread_start)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def resume(
        cls, root: Path | str, spec: DatasetSpec, *, step: Step = no_step,
        on_thread_start: Hook | None = None,
    ) -> DatasetWriter:
        """
        Open a dataset, ours or lerobot's, to add episodes to it; it is repaired first.

        :raises SchemaMismatch: it holds rows of another kind; names every field that differs.
        :raises DatasetBusy: another process writes it.
        :raises DatasetBroken: its files contradict the format.
        """
        root = Path(root)
        spec.check()
        lock = _lock(root, make=False)
        try:
            with storage_errors(root):
                repaired = repair_locked(root, step)
            return cls(root, spec, lock, repaired, step, on_thread_start)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open_or_create(
        cls, root: Path | str, spec: DatasetSpec, *, step: Step = no_step,
        on_thread_start: Hook | None = None,
    ) -> DatasetWriter:
        """Resume the dataset if there is one, else create it."""
        make = cls.resume if (Path(root) / INFO).exists() else cls.create
        return make(root, spec, step=step, on_thread_start=on_thread_start)

    @property
    def total_episodes(self) -> int:
        """Return how many episodes are accepted."""
        return self._metadata.info.total_episodes

    @property
    def total_frames(self) -> int:
        """Return how many rows are accepted."""
        return self._metadata.info.total_frames

    @property
    def plans(self) -> list[CameraPlan]:
        """Return how each camera is encoded."""
        return plans(self._header)

    def begin_episode(self) -> EpisodeWriter:
        """Begin an episode; the last one must be saved or discarded."""
        if self._lock is None:
            raise DatasetError(f'{self.root}: the writer is closed')
        if self._episode is not None and self._episode.is_open:
            raise DatasetError('an episode is open; save or discard it first')
        with storage_errors(self.root):
            Staging(self.root).sweep()
            try:
                self._episode = EpisodeWriter(
                    Staging(self.root), self.total_episodes, self._header, self._publish,
                    self._step, self._on_thread_start)
            except OSError:
                repair_locked(self.root)
                raise
        return self._episode

    def _publish(self, episode: FinishedEpisode) -> None:
        staging = Staging(self.root)
        if self._committed is None:
            try:
                moves, after = stage(self._metadata, self._numbers, episode, self._step)
                commit(staging, moves, self._step)
            except OSError:
                # Without an intent nothing has happened yet.
                if not staging.intent.exists():
                    remove_staged(staging)
                    raise
            self._committed = after
        roll_forward(staging, self._step)
        self._numbers = self._numbers.after(self.root, self._metadata.info.chunks_size)
        self._metadata, self._committed = self._committed, None

    def close(self) -> None:
        """End writing; an episode still open stays in staging, and the next opening saves it."""
        if self._lock is None:
            return
        if self._episode is not None:
            self._episode.abandon()
        staging = Staging(self.root)
        if not staging.episode.exists():
            staging.sweep()
        self._lock.release()
        self._lock = None

    def __enter__(self) -> DatasetWriter:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def _lock(root: Path, make: bool) -> FolderLock:
    with storage_errors(root):
        if make:
            root.mkdir(parents=True, exist_ok=True)
        elif not root.is_dir():
            raise DatasetError(f'{root}: found no such folder, expected a dataset')
        if not os.access(root, os.W_OK | os.X_OK):
            raise PermissionError(13, 'Permission denied', str(root))
        return FolderLock(Staging(root).folder)


def _check_whole(root: Path) -> None:
    """Raise DatasetError for a part of a dataset: new files would take the numbers of others."""
    origin = read_origin(root)
    if origin is not None and not origin.is_whole:
        raise DatasetError(f'{root}: found {origin}, expected all of it; run `dataset pull '
                           f'{origin.repo_id} --root {root}` before adding to it')


def _check_inside(root: Path) -> None:
    """Raise DatasetError for a folder that is a link: no episode could be published through it."""
    for folder in (root / 'meta', root / 'data', root / 'videos', *root.glob('videos/*')):
        if not folder.resolve().is_relative_to(root.resolve()):
            raise DatasetError(f'{folder}: found a link to another place, expected a folder of '
                               'the dataset; move the files here, or link the whole dataset')
