# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Carry along what else a dataset keeps: meta/apprentice and the subtasks of older writers."""

from __future__ import annotations

from collections.abc import Sequence
import json
from pathlib import Path
import re

from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.edit.videos import link_or_copy
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.files import make_folder
from apprentice_dataset.files import write_file
from apprentice_dataset.layout import EXTRA
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import SUBTASKS

_EPISODE = re.compile(r'episodes/episode-(\d{6,})(\..*)')


def carry_extras(plan: Plan, folder: Path) -> None:
    """
    Copy what the recorder keeps, each episode's record under its new number.

    Where two sources have different files of one name, the later one gets `source-N-` before it.
    """
    for number, source in enumerate(plan.sources):
        for path in _files(source.root / EXTRA):
            name = path.relative_to(source.root / EXTRA)
            if _EPISODE.fullmatch(name.as_posix()) is None:
                _take(path, folder / EXTRA / name, number)
    names = [_records(source) for source in plan.sources]
    for position, piece in enumerate(plan.pieces):
        for path, suffix in names[piece.source].get(piece.episode, ()):
            target = folder / EXTRA / f'episodes/episode-{position:06d}{suffix}'
            make_folder(target.parent)
            length = int(plan.sources[piece.source].episodes.column('length')[piece.episode])
            note = '' if plan.is_whole(piece) else \
                f'trimmed to rows {piece.begin} to {piece.end} of {length}'
            write_file(target, _renumbered(path, position, piece.end - piece.begin, note))
    _carry_subtasks(plan.sources, folder)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob('*') if path.is_file() and not path.is_symlink())


def _records(source: Metadata) -> dict[int, list[tuple[Path, str]]]:
    found: dict[int, list[tuple[Path, str]]] = {}
    folder = source.root / EXTRA
    for path in _files(folder / 'episodes'):
        match = _EPISODE.fullmatch(path.relative_to(folder).as_posix())
        if match:
            found.setdefault(int(match[1]), []).append((path, match[2]))
    return found


def _take(path: Path, target: Path, number: int) -> None:
    if target.exists() and target.read_bytes() != path.read_bytes():
        target = target.with_name(f'source-{number}-{target.name}')
    if not target.exists():
        make_folder(target.parent)
        link_or_copy(path, target)


def _renumbered(path: Path, position: int, length: int, note: str) -> bytes:
    """Return a record that says the episode's number only as it is now."""
    data = path.read_bytes()
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(record, dict):
        return data
    if 'episode_index' in record:
        record['episode_index'] = position
    if note:
        for name in ('length', 'rows'):
            if name in record:
                record[name] = length
        marks = record.get('marks')
        record['marks'] = [*(marks if isinstance(marks, list) else []), note]
    return (json.dumps(record, indent=4, ensure_ascii=False) + '\n').encode()


def _carry_subtasks(sources: Sequence[Metadata], folder: Path) -> None:
    lists = [list(source.subtasks) for source in sources]
    if not any(lists):
        return
    if any(one != lists[0] for one in lists):
        raise DatasetBroken(f'{sources[-1].root / SUBTASKS}', 'other subtasks',
                            f'those of {sources[0].root}')
    link_or_copy(sources[0].root / SUBTASKS, folder / SUBTASKS)
