# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Publish several files as one: all of them or, after a crash, all at the next opening."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
import json
import os
from pathlib import Path
from pathlib import PurePosixPath
from typing import NamedTuple

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.files import make_folder
from apprentice_dataset.files import sync_path
from apprentice_dataset.files import sync_together
from apprentice_dataset.files import throw_away
from apprentice_dataset.files import write_file
from apprentice_dataset.layout import read_json
from apprentice_dataset.staging import Staging

Step = Callable[[str], None]
STEPS = ('encode', 'stage tasks', 'stage data', 'stage episodes', 'stage extra',
         'stage statistics', 'stage info', 'write intent', 'publish tasks', 'publish video',
         'publish data', 'publish episodes', 'publish extra', 'publish statistics',
         'publish info', 'clean staging')
"""The points that saving passes, in order; a writer tells each to its `step` before it acts."""


class Move(NamedTuple):
    """Name a staged file and its place, both below the root, and the step it belongs to."""

    what: str
    staged: str
    final: str


def no_step(name: str) -> None:
    """Do nothing at a step."""


def commit(staging: Staging, moves: Sequence[Move], step: Step) -> None:
    """Write the intent: from here on the episode is accepted, whatever happens."""
    step('write intent')
    files = [staging.root / move.staged for move in moves]
    sync_together([*files, *{path.parent for path in files}])
    beside = staging.intent.with_suffix('.new')
    write_file(beside, json.dumps({'version': 1, 'moves': moves}).encode())
    os.rename(beside, staging.intent)
    sync_path(staging.episode)


def roll_forward(staging: Staging, step: Step = no_step) -> None:
    """Do what the intent says, as often as it takes; staging is in the trash then."""
    moves = _read_intent(staging)
    root = staging.root.resolve()
    for place, move in enumerate(moves):
        step(f'publish {move.what}')
        source, target = staging.root / move.staged, staging.root / move.final
        if not target.parent.resolve().is_relative_to(root):
            raise DatasetBroken(str(target.parent), 'a link to another place',
                                'a folder of the dataset', 'move the files here')
        make_folder(target.parent)
        if source.exists():
            os.replace(source, target)
        elif not target.exists():
            raise DatasetBroken(str(source), 'no such file', f'the staged {move.final}',
                                f'remove {staging.episode} to give this episode up')
        following = moves[place + 1] if place + 1 < len(moves) else None
        if following is None or (staging.root / following.final).parent != target.parent:
            sync_path(target.parent)
    step('clean staging')
    throw_away(staging.episode, staging.trash)


def _read_intent(staging: Staging) -> list[Move]:
    value = read_json(staging.intent)
    inside = PurePosixPath(staging.episode.relative_to(staging.root).as_posix())
    try:
        moves = [Move(*map(str, move)) for move in value['moves']]
        sound = all(_is_below(move.staged, inside) and _is_below(move.final, PurePosixPath())
                    for move in moves)
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise DatasetBroken(str(staging.intent), 'other contents', 'moves below the dataset',
                            f'remove {staging.episode} to give this episode up')
    return moves


def _is_below(name: str, folder: PurePosixPath) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and '..' not in path.parts and path.is_relative_to(folder)


def below_root(staging: Staging, path: Path) -> str:
    """Return a path as an intent names it."""
    return path.relative_to(staging.root).as_posix()
