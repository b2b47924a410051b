# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Damage a dataset's folder: files that are missing, elsewhere, links, or something else."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from random import Random
import shutil

Move = Callable[[Path, Path, Random], None]
"""Changes what lies at a path; it is given a folder outside too."""


def missing(path: Path, outside: Path, random: Random) -> None:
    """Remove the file."""
    path.unlink()


def folder(path: Path, outside: Path, random: Random) -> None:
    """Make a folder of the file."""
    path.unlink()
    path.mkdir()


def link(path: Path, outside: Path, random: Random) -> None:
    """Put a link in the file's place: to a twin outside, to nothing, to itself, to a folder."""
    twin = outside / f'twin{path.suffix}'
    where = random.choice((twin, twin, outside / 'nothing', path, outside))
    if where == twin and random.random() < 0.7:
        shutil.copyfile(path, twin)
    path.unlink()
    path.symlink_to(where)


def folder_link(path: Path, outside: Path, random: Random) -> None:
    """Move the folder of the file outside, and leave a link."""
    parents = list(path.parents)
    root = next(place for place in parents if place.name == 'dataset')
    inner = parents[:parents.index(root)] or [path]
    chosen = random.choice(inner)
    target = outside / f'moved-{len(list(outside.iterdir()))}'
    if random.random() < 0.7:
        shutil.move(chosen, target)
    else:
        shutil.rmtree(chosen) if chosen.is_dir() else chosen.unlink()
        target.mkdir()
    chosen.symlink_to(target)


def another(path: Path, outside: Path, random: Random) -> None:
    """Put another file of the dataset in the file's place."""
    root = next(place for place in path.parents if place.name == 'dataset')
    files = sorted(one for one in root.rglob('*') if one.is_file() and one != path)
    alike = [one for one in files if one.suffix == path.suffix]
    other = random.choice(alike if alike and random.random() < 0.8 else files)
    path.write_bytes(other.read_bytes())


def stray(path: Path, outside: Path, random: Random) -> None:
    """Put a copy beside, under a name that a reader may take along."""
    name = random.choice(('file-000', 'file-001', 'file-999', 'file-1000', 'file--01', 'x',
                          '.hidden', 'file-000.partial', 'file-01e'))
    path.with_name(f'{name}{path.suffix}').write_bytes(path.read_bytes())


TREE: Mapping[str, Move] = {
    f'tree.{move.__name__}': move
    for move in (missing, folder, link, folder_link, another, stray)}
