# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Share the pieces of a plan out: those of one file that are read at once, and files to link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.layout import FileNumber
import numpy as np

# Of a file on the disk: what waits in memory for its turn stays small.
_BYTES = 16 << 20


@dataclass(frozen=True)
class Shard:
    """
    Name consecutive pieces that lie in one data file.

    `link` says that the file may be taken as it is, if its rows turn out to be those wanted.
    """

    path: Path
    positions: range
    link: bool


@dataclass(frozen=True)
class _Run:
    """Hold all consecutive pieces of a file, their bytes, and whether they are all of it."""

    path: Path
    positions: range
    size: int
    whole: bool


def begins(plan: Plan) -> list[int]:
    """Return the number of the first row of every piece in the result."""
    lengths = [piece.end - piece.begin for piece in plan.pieces]
    return [0, *np.cumsum(lengths).tolist()][:len(lengths)]


def shards(plan: Plan, limit: int) -> list[Shard]:
    """
    Return the pieces of a plan in order.

    Files are linked that no neighbour is joined to within a limit in bytes; others come in
    shards of some MiB, so that memory is bounded and all cores find work.
    """
    runs = list(_runs(plan))
    rows, alone = begins(plan), _alone(runs, limit)
    same = not plan.values and all(plan.names.get(name) == name for name in plan.info.columns)
    found = []
    for place, run in enumerate(runs):
        piece = plan.pieces[run.positions.start]
        first = plan.sources[piece.source].episodes.column('dataset_from_index')[piece.episode]
        if same and run.whole and place in alone and run.positions.start == piece.episode \
                and rows[run.positions.start] == first:
            found.append(Shard(run.path, run.positions, True))
        else:
            found += _cut(plan, run)
    return found


def _runs(plan: Plan) -> Iterator[_Run]:
    files = [_files(plan, source) for source in range(len(plan.sources))]
    keys = [(piece.source, files[piece.source][piece.episode]) for piece in plan.pieces]
    counts = [Counter(numbers) for numbers in files]
    begin = 0
    for end in range(1, len(keys) + 1):
        if end < len(keys) and keys[end] == keys[begin]:
            continue
        (source, number), positions = keys[begin], range(begin, end)
        metadata = plan.sources[source]
        path = metadata.root / number.path(metadata.info.data_path)
        pieces = plan.pieces[begin:end]
        whole = len(pieces) == counts[source][number] and all(map(plan.is_whole, pieces)) \
            and all(one.episode + 1 == other.episode for one, other in zip(pieces, pieces[1:]))
        yield _Run(path, positions, path.stat().st_size if path.exists() else 0, whole)
        begin = end


def _files(plan: Plan, source: int) -> list[FileNumber]:
    episodes = plan.sources[source].episodes
    return [FileNumber(chunk, file) for chunk, file in zip(
        episodes.column('data/chunk_index').tolist(),
        episodes.column('data/file_index').tolist())]


def _alone(runs: list[_Run], limit: int) -> set[int]:
    """Return the places of files that would be joined to no neighbour."""
    groups: list[list[int]] = []
    size = 0
    for place, run in enumerate(runs):
        if groups and size + run.size < limit:
            groups[-1].append(place)
            size += run.size
        else:
            groups.append([place])
            size = run.size
    return {group[0] for group in groups if len(group) == 1}


def _cut(plan: Plan, run: _Run) -> Iterator[Shard]:
    lengths = [plan.pieces[position].end - plan.pieces[position].begin
               for position in run.positions]
    most = max(1, sum(lengths) * _BYTES // max(1, run.size))
    begin = rows = 0
    for place, length in enumerate(lengths):
        if place > begin and rows + length > most:
            yield Shard(run.path, run.positions[begin:place], False)
            begin, rows = place, 0
        rows += length
    yield Shard(run.path, run.positions[begin:], False)
