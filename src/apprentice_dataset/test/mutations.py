# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Damage one or several files of a dataset, the same way for the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
from random import Random
import struct
from typing import NamedTuple

from mutate_bytes import BYTES
from mutate_bytes import Change
from mutate_bytes import flip
from mutate_journal import JOURNAL
from mutate_json import JSON
from mutate_json import OUTSIDE
from mutate_mp4 import MP4
from mutate_parquet import PARQUET
from mutate_tree import TREE

_FAMILIES: Mapping[str, Mapping[str, Change]] = {
    '.parquet': PARQUET, '.mp4': MP4, '.json': JSON, '.jsonl': JSON, 'journal': JOURNAL}
_CHANGES: Mapping[str, Change] = {**BYTES, **PARQUET, **MP4, **JSON, **JOURNAL}
KINDS = (*_CHANGES, *TREE)
"""Everything that can be done to a file, `FAMILY.NAME`."""
_ERRORS = (LookupError, ValueError, TypeError, OverflowError, ArithmeticError, OSError,
           RuntimeError, MemoryError, struct.error)


class Mutation(NamedTuple):
    """Name what is done to a file, below the root, and the number that its chances hang on."""

    kind: str
    file: str
    seed: int

    def apply(self, root: Path, outside: Path) -> None:
        """Do it; where the file cannot take it, turn some bits round."""
        path, random = root / self.file, Random(self.seed)
        if self.kind in TREE:
            if path.is_file():
                TREE[self.kind](path, outside, random)
            return
        if path.is_symlink() or not path.is_file():
            return
        data = path.read_bytes()
        try:
            changed = _CHANGES[self.kind](data, random)
        except _ERRORS:
            changed = flip(data, random) if data else b'x'
        place = json.dumps(str(outside))[1:-1].encode()
        path.write_bytes(changed.replace(OUTSIDE.encode(), place))


def drawn(files: list[str], random: Random) -> list[Mutation]:
    """Draw one to three mutations of a dataset that has these files."""
    count = random.choices((1, 2, 3), (75, 20, 5))[0]
    return [_drawn(files, random) for _ in range(count)]


def _drawn(files: list[str], random: Random) -> Mutation:
    # Of each kind of file as often, however many there are of it.
    suffixes = sorted({_suffix(file) for file in files})
    suffix = random.choice(suffixes)
    file = random.choice([file for file in files if _suffix(file) == suffix])
    if suffix in ('.json', '.parquet') and random.random() < 0.4:
        of_meta = [one for one in files if one.startswith('meta/') and _suffix(one) == suffix]
        file = random.choice(of_meta or [file])
    family = _FAMILIES.get(suffix, BYTES)
    chance = random.random()
    kinds = TREE if chance < 0.06 else BYTES if chance < 0.25 else family
    return Mutation(random.choice(sorted(kinds)), file, random.getrandbits(32))


def _suffix(file: str) -> str:
    return Path(file).suffix or Path(file).name
