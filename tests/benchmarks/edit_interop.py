#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Edit datasets of ours and of lerobot with every verb, and let lerobot read each result.

A result must pass `validate --deep`, lerobot must read it as we do, by torchcodec and by PyAV, and
every item must equal the one that lerobot reads of the source, but for the numbers of rows.
"""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
import os
from pathlib import Path
import sys
import tarfile
import tempfile
from typing import Any
from typing import NamedTuple

from _common import Report
from apprentice_dataset.command_line import main as dataset_main
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.validate import validate
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / 'src/apprentice_dataset/test'
KINDS = ('video', 'image', 'files', 'deleted', 'merged', 'resumed', 'depth_video', 'ours')
NUMBERS = {'index', 'episode_index', 'frame_index', 'timestamp', 'task_index'}
# Encoding anew moves a channel's mean by less than this many levels of 255.
ENCODED = 4.0


class Case(NamedTuple):
    """Hold a result and the row of the source that each of its rows was."""

    source: Path
    result: Path
    rows: list[int]
    renamed: dict[str, str]
    tasks: bool = True


def sources(folder: Path) -> Iterator[Path]:
    """Unpack what lerobot wrote, and record one dataset."""
    from recording import make
    for kind in KINDS:
        if kind == 'ours':
            make(folder / kind, 20, 15, 9)
        else:
            with tarfile.open(TESTS / f'golden/{kind}.tar.xz') as archive:
                archive.extractall(folder, filter='data')
        yield folder / kind


def run(verb: str, *arguments: object) -> None:
    """Run a verb; SystemExit when it fails."""
    with redirect_stdout(StringIO()):
        code = dataset_main([verb, *map(str, arguments)])
    if code:
        raise SystemExit(f'{verb} failed')


def edited(source: Path, folder: Path) -> Iterator[Case]:
    """Make one result a verb."""
    metadata = read_metadata(source)
    spans = [list(episode.rows) for episode in metadata.episodes]
    every = [row for span in spans for row in span]
    where = {verb: folder / f'{source.name}-{verb}' for verb in (
        'delete', 'split', 'merge', 'trim', 'compact', 'add', 'rename', 'remove', 'tasks',
        'reencode', 'images', 'stats')}
    last = len(spans) - 1
    run('delete-episodes', source, '--output', where['delete'], '--episode-indices', 0)
    yield Case(source, where['delete'], [row for span in spans[1:] for row in span], {})
    run('split', source, '--output', where['split'], '--splits', f'a={last}',
        f'b=0-{last - 1}')
    yield Case(source, where['split'] / 'a', spans[-1], {})
    run('merge', source, where['delete'], '--output', where['merge'])
    yield Case(source, where['merge'], every + every[len(spans[0]):], {})
    run('trim', source, '--output', where['trim'], '--begin', 1, '--end', 1)
    yield Case(source, where['trim'], [row for span in spans for row in span[1:-1]], {})
    run('compact', source, '--output', where['compact'])
    yield Case(source, where['compact'], every, {})
    np.save(folder / 'new.npy', np.arange(len(every), dtype=np.float32))
    run('add-feature', source, '--output', where['add'], '--feature-name', 'next.value',
        '--values', folder / 'new.npy')
    yield Case(source, where['add'], every, {})
    run('rename-feature', where['add'], '--output', where['rename'], '--names',
        'action=action.joints')
    yield Case(source, where['rename'], every, {'action.joints': 'action'})
    gone = [name for name in metadata.info.features if 'image' in name][:1]
    run('remove-feature', where['add'], '--output', where['remove'], '--feature-names',
        'next.value', *gone)
    yield Case(source, where['remove'], every, {})
    info = metadata.info
    if any(feature.is_video and feature.shape[-1] == 3 for feature in info.features.values()):
        run('reencode', source, '--output', where['reencode'], '--crf', 12)
        yield Case(source, where['reencode'], every, {})
    if any(feature.dtype == 'image' and feature.shape[-1] == 3
           for feature in info.features.values()):
        run('images-to-video', source, '--output', where['images'], '--crf', 12)
        yield Case(source, where['images'], every, {})
    run('recompute-stats', source, '--output', where['stats'])
    yield Case(source, where['stats'], every, {})
    run('modify-tasks', source, '--output', where['tasks'], '--new-task', 'another')
    yield Case(source, where['tasks'], every, {}, False)


def unlike_source(case: Case, before: Sequence[Any], after: Sequence[Any]) -> list[str]:
    """Return where items differ from those that they were."""
    if len(after) != len(case.rows):
        return [f'{len(after)} items, expected {len(case.rows)}']
    found = []
    for row, (item, number) in enumerate(zip(after, case.rows)):
        old = before[number]
        left_out = {'next.value', *NUMBERS, *(() if case.tasks else ('task',))}
        for name in item.keys() - left_out:
            if not _equal(item[name], old[case.renamed.get(name, name)]):
                found.append(f'row {row}: {name}')
    return found


def _equal(new: Any, old: Any) -> bool:
    if isinstance(new, dict) and 'sha256' in new:
        return new['shape'] == old['shape'] and (
            new['sha256'] == old['sha256']
            or bool(np.allclose(new['mean'], old['mean'], rtol=0, atol=ENCODED)))
    return new == old


def main() -> int:
    """Edit, read, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--lerobot', required=True, metavar='PYTHON',
                        help='a Python that has lerobot 0.6.1')
    options = parser.parse_args()
    os.environ['APPRENTICE_REFERENCE_PYTHON'] = options.lerobot
    sys.path[:0] = [str(TESTS), str(ROOT / 'tests/reference')]
    from exchange import read
    from exchange import unlike
    report = Report('editing, read by lerobot')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = [case for source in sources(folder) for case in edited(source, folder)]
        for case in cases:
            wrong = [str(problem) for problem in validate(case.result, deep=True)]
            report.bound(f'{case.result.relative_to(folder)} is valid {wrong[:2] or ""}',
                         not wrong)
        roots = [case.result for case in cases]
        differing = unlike(*roots)
        report.bound(f'lerobot reads {len(roots)} results as we do {differing[:5] or ""}',
                     not differing)
        originals = list(dict.fromkeys(case.source for case in cases))
        items = {root: found['items']
                 for root, found in zip([*originals, *roots], read([*originals, *roots]))}
        count = 0
        for case in cases:
            wrong = unlike_source(case, items[case.source], items[case.result])
            count += len(case.rows)
            report.bound(f'{case.result.relative_to(folder)}: items are those of the source '
                         f'{wrong[:3] or ""}', not wrong)
        report.line(f'{count} items compared')
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
