# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Say what an edited dataset is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import NamedTuple

from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.info import Info
from apprentice_dataset.layout import DATA_PATH
from apprentice_dataset.layout import VIDEO_PATH
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.v2.reading import is_v2
import pyarrow as pa

Progress = Callable[[int, int], None]
"""Told the number of episodes done and their total."""
Values = Callable[[int, pa.Table], Any]
"""Given an episode's number in the result and its old rows; returns (rows, *shape)."""


def no_progress(done: int, total: int) -> None:
    """Say nothing."""


class Piece(NamedTuple):
    """Name an episode of a source, and the frames of it that stay."""

    source: int
    episode: int
    begin: int
    end: int


def _same_task(piece: Piece, task: str) -> str:
    return task


@dataclass(frozen=True)
class Plan:
    """
    Say what the result holds: pieces in order, its schema, and where its columns come from.

    `names` gives, for each feature that is not new, its name in the sources; `values` computes
    the others. `join` packs whole mp4s into larger files instead of keeping them, `encode` names
    cameras that are encoded anew, `recompute` features whose statistics are computed anew.
    """

    sources: Sequence[Metadata]
    pieces: Sequence[Piece]
    info: Info
    tasks: Sequence[str]
    names: Mapping[str, str]
    values: Mapping[str, Values] = field(default_factory=dict)
    task_of: Callable[[Piece, str], str] = _same_task
    join: bool = False
    encode: Mapping[str, VideoSettings] = field(default_factory=dict)
    recompute: frozenset[str] = frozenset()

    def is_whole(self, piece: Piece) -> bool:
        """Return whether all frames of the episode stay."""
        length = int(self.sources[piece.source].episodes.column('length')[piece.episode])
        return piece.begin == 0 and piece.end == length


def opened_source(root: Path | str) -> Metadata:
    """
    Read the metadata of a dataset that is to be edited.

    :raises DatasetBroken: it is broken.
    :raises DatasetError: it is of v2.x, which must be converted first.
    """
    metadata = read_metadata(Path(root))
    if is_v2(metadata.info.codebase_version):
        raise DatasetError(f'{root}: found {metadata.info.codebase_version}, expected v3.0; '
                           'convert it first')
    return metadata


def whole_pieces(source: int, metadata: Metadata, episodes: Sequence[int]) -> list[Piece]:
    """Return whole episodes as pieces."""
    lengths = metadata.episodes.column('length')
    return [Piece(source, episode, 0, int(lengths[episode])) for episode in episodes]


def checked_episodes(metadata: Metadata, episodes: Sequence[int], what: str) -> list[int]:
    """
    Return the numbers as they are.

    :raises DatasetError: one does not exist or comes twice.
    """
    count = len(metadata.episodes)
    wrong = [episode for episode in episodes if not 0 <= episode < count]
    if wrong:
        raise DatasetError(f'{metadata.root}: {what}: found episode {wrong[0]}, expected 0 to '
                           f'{count - 1}')
    doubled = [episode for episode, times in Counter(episodes).items() if times > 1]
    if doubled:
        raise DatasetError(f'{metadata.root}: {what}: found episode {doubled[0]} twice, expected '
                           'each once')
    return list(episodes)


def used_tasks(metadata: Metadata, episodes: Sequence[int]) -> list[str]:
    """Return the tasks of these episodes in the dataset's order, all where none are noted."""
    if 'tasks' not in metadata.episodes.table.column_names:
        return list(metadata.tasks)
    column = metadata.episodes.table['tasks']
    used = {task for episode in episodes for task in column[episode].as_py() or metadata.tasks}
    unknown = used - set(metadata.tasks)
    if unknown:
        raise DatasetBroken(f'{metadata.root}/meta/episodes: tasks', str(sorted(unknown)),
                            'tasks of tasks.parquet')
    return [task for task in metadata.tasks if task in used]


def plain_plan(metadata: Metadata, pieces: Sequence[Piece], tasks: Sequence[str]) -> Plan:
    """Return the plan that keeps schema and values of one source."""
    return Plan([metadata], pieces, in_default_places(metadata.info), tasks,
                {name: name for name in metadata.info.features})


def in_default_places(info: Info) -> Info:
    """Return it with the format's own path templates: every tool relies on them."""
    return replace(info, data_path=DATA_PATH, video_path=VIDEO_PATH if info.cameras else None)
