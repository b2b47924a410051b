# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Leave out, cut and pack episodes of one dataset, and share them out to several."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
import math
from pathlib import Path

from apprentice_dataset.edit.engine import write_dataset
from apprentice_dataset.edit.plan import checked_episodes
from apprentice_dataset.edit.plan import no_progress
from apprentice_dataset.edit.plan import opened_source
from apprentice_dataset.edit.plan import Piece
from apprentice_dataset.edit.plan import plain_plan
from apprentice_dataset.edit.plan import Progress
from apprentice_dataset.edit.plan import used_tasks
from apprentice_dataset.edit.plan import whole_pieces
from apprentice_dataset.edit.target import target
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import make_folder
from apprentice_dataset.info import Info
from apprentice_dataset.layout import is_folder_name
from apprentice_dataset.metadata import Metadata


def delete_episodes(
    root: Path | str, episode_indices: Sequence[int], output: Path | str | None,
    progress: Progress = no_progress,
) -> Info:
    """
    Leave out episodes; those that stay are renumbered in their order.

    :param output: where the result goes; None: in the place of `root`.
    :returns: what info.json of the result says.
    :raises DatasetError: an episode does not exist or comes twice, or none would stay.
    """
    metadata = opened_source(root)
    gone = set(checked_episodes(metadata, episode_indices, 'episode_indices'))
    kept = [episode for episode in range(len(metadata.episodes)) if episode not in gone]
    if not kept:
        raise DatasetError(f'{root}: found all episodes to be deleted, expected one to stay; '
                           'remove the folder instead')
    plan = plain_plan(metadata, whole_pieces(0, metadata, kept), used_tasks(metadata, kept))
    with target(Path(root), _path(output)) as folder:
        return write_dataset(plan, folder, progress)


def trim(
    root: Path | str, begin: int, end: int, output: Path | str | None,
    episode_indices: Sequence[int] | None = None, progress: Progress = no_progress,
) -> Info:
    """
    Take frames from the beginning and the end of episodes.

    An episode whose new first frame is no key frame is encoded anew, with the settings that the
    dataset was recorded with; all others keep their packets.

    :param begin: how many frames go at the beginning.
    :param end: how many go at the end.
    :param episode_indices: those that are cut; None: all.
    :param output: where the result goes; None: in the place of `root`.
    :raises DatasetError: an episode would lose all its frames.
    """
    metadata = opened_source(root)
    if begin < 0 or end < 0 or not begin + end:
        raise DatasetError(f'found {begin} and {end} frames to trim, expected numbers from 0, '
                           'one of them above')
    count = len(metadata.episodes)
    chosen = range(count) if episode_indices is None else checked_episodes(
        metadata, episode_indices, 'episode_indices')
    cut = set(chosen)
    pieces = []
    for piece in whole_pieces(0, metadata, range(count)):
        if piece.episode in cut:
            piece = Piece(0, piece.episode, begin, piece.end - end)
        if piece.begin >= piece.end:
            raise DatasetError(f'{root}: episode {piece.episode}: found {piece.end + end} frames, '
                               f'expected more than the {begin + end} to trim')
        pieces.append(piece)
    with target(Path(root), _path(output)) as folder:
        return write_dataset(plain_plan(metadata, pieces, metadata.tasks), folder, progress)


def compact(
    root: Path | str, output: Path | str | None, data_mb: int | None = None,
    video_mb: int | None = None, progress: Progress = no_progress,
) -> Info:
    """
    Join small files to those of the sizes that info.json names; frames and rows stay the same.

    mp4s and data files that are large enough already, or have no neighbour, are linked.

    :param data_mb: another limit for data files in MiB, kept in info.json; `video_mb` likewise.
    :param output: where the result goes; None: in the place of `root`, locked meanwhile.
    """
    metadata = opened_source(root)
    plan = plain_plan(metadata, whole_pieces(0, metadata, range(len(metadata.episodes))),
                      metadata.tasks)
    limits = {name: value for name, value in (('data_files_size_in_mb', data_mb),
                                              ('video_files_size_in_mb', video_mb)) if value}
    info = replace(plan.info, extra={**(plan.info.extra or {}), **limits})
    with target(Path(root), _path(output)) as folder:
        return write_dataset(replace(plan, info=info, join=True), folder, progress)


def split(
    root: Path | str, splits: Mapping[str, float | Sequence[int]], output: Path | str,
    progress: Progress = no_progress,
) -> dict[str, Info]:
    """
    Share the episodes out to several datasets, `output`/NAME each.

    :param splits: a fraction for each name, which sum to 1, or episode numbers for each, which
        name every episode once. Fractions take episodes in order; what is left over after
        rounding down goes to the largest remainders.
    :returns: what info.json of each says.
    :raises DatasetError: an episode would be dropped or doubled, or a part would be empty.
    """
    metadata = opened_source(root)
    parts = _parts(metadata, splits)
    if Path(output).resolve() == Path(root).resolve():
        raise DatasetError(f'{output}: found the source, expected another folder')
    total, done, found = len(metadata.episodes), 0, {}
    with target(Path(root), Path(output)) as folder:
        for name, episodes in parts.items():
            make_folder(folder / name)
            plan = plain_plan(metadata, whole_pieces(0, metadata, episodes),
                              used_tasks(metadata, episodes))
            found[name] = write_dataset(
                plan, folder / name, lambda one, _, before=done: progress(before + one, total))
            done += len(episodes)
    return found


def _parts(
    metadata: Metadata, splits: Mapping[str, float | Sequence[int]],
) -> dict[str, list[int]]:
    wrong = [name for name in splits if not is_folder_name(name)]
    if not splits or wrong:
        raise DatasetError(f'splits: found names {wrong or "none"}, expected names of folders')
    lists = {name: list(value) for name, value in splits.items()
             if not isinstance(value, (int, float))}
    if lists and len(lists) < len(splits):
        raise DatasetError('splits: found fractions and lists of episodes, expected one kind')
    parts = _listed(metadata, lists) if lists else _shared(metadata, {
        name: float(value) for name, value in splits.items() if isinstance(value, (int, float))})
    empty = [name for name, episodes in parts.items() if not episodes]
    if empty:
        raise DatasetError(f'{metadata.root}: splits: found no episode for {empty[0]!r} of '
                           f'{len(metadata.episodes)}, expected one at least for each')
    return parts


def _listed(metadata: Metadata, lists: Mapping[str, list[int]]) -> dict[str, list[int]]:
    named = [episode for episodes in lists.values() for episode in episodes]
    checked_episodes(metadata, named, 'splits')
    missing = sorted(set(range(len(metadata.episodes))) - set(named))
    if missing:
        raise DatasetError(f'{metadata.root}: splits: found no split for episode(s) '
                           f'{", ".join(map(str, missing[:9]))}, expected each in one; to leave '
                           'them out, delete them first')
    return {name: sorted(episodes) for name, episodes in lists.items()}


def _shared(metadata: Metadata, fractions: Mapping[str, float]) -> dict[str, list[int]]:
    total = len(metadata.episodes)
    low = [name for name, value in fractions.items()
           if not math.isfinite(value) or not 0 < value <= 1]
    if low:
        raise DatasetError(f'splits: found {fractions[low[0]]} for {low[0]!r}, expected a '
                           'fraction above 0, up to 1')
    # As written: 0.7 + 0.2 + 0.1 is 1, whatever binary fractions make of it.
    exact = {name: Fraction(str(value)) for name, value in fractions.items()}
    whole = sum(exact.values())
    if abs(whole - 1) > Fraction(1, 1000):
        right = ' '.join(f'{name}={float(value / whole):.6g}' for name, value in exact.items())
        raise DatasetError(f'splits: found fractions that sum to {float(whole):g}, expected 1: '
                           f'{right}')
    counts = {name: int(value / whole * total) for name, value in exact.items()}
    rest = sorted(exact, key=lambda name: counts[name] - exact[name] / whole * total)
    for name in rest[:total - sum(counts.values())]:
        counts[name] += 1
    parts, begin = {}, 0
    for name, count in counts.items():
        parts[name] = list(range(begin, begin + count))
        begin += count
    return parts


def _path(output: Path | str | None) -> Path | None:
    return None if output is None else Path(output)
