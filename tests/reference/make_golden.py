# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Remake the golden datasets: every kind as lerobot writes it, and what lerobot reads of it.

Runs under a Python with lerobot 0.6.1: `python tests/reference/make_golden.py [KIND ...]`.
"""
from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess
import sys
import tarfile
import tempfile
from typing import Any

from lerobot_side import KINDS

GOLDEN = Path(__file__).resolve().parents[2] / 'src/apprentice_dataset/test/golden'
SIDE = Path(__file__).with_name('lerobot_side.py')


def side(*arguments: str) -> str:
    """Run lerobot in a process of its own, without the network; return what it printed."""
    return subprocess.run([sys.executable, str(SIDE), *arguments], check=True, text=True,
                          stdout=subprocess.PIPE,
                          env={**os.environ, 'HF_HUB_OFFLINE': '1'}).stdout


def keep(kind: str, folder: Path, read: dict[str, Any]) -> None:
    """Keep one kind: NAME.tar.xz, and NAME.json with an item a line."""
    GOLDEN.mkdir(exist_ok=True)
    items = ',\n'.join(json.dumps(item, ensure_ascii=False) for item in read.pop('items'))
    head = json.dumps(read, ensure_ascii=False)[:-1]
    (GOLDEN / f'{kind}.json').write_text(f'{head},\n"items": [\n{items}\n]}}\n', 'utf-8')
    with tarfile.open(GOLDEN / f'{kind}.tar.xz', 'w:xz', preset=9) as archive:
        # The empty folders that it leaves belong to what a reader meets.
        for path in sorted((folder / kind).rglob('*')):
            archive.add(path, path.relative_to(folder), recursive=False, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ''
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry


def main() -> None:
    """Make the kinds named, or all of them."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = sys.argv[1:] or list(KINDS)
        side('make', folder, *kinds)
        lines = side('read', *(str(Path(folder) / kind) for kind in kinds)).splitlines()
        for kind, line in zip(kinds, lines[-len(kinds):]):
            keep(kind, Path(folder), json.loads(line))


if __name__ == '__main__':
    main()
