#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Damage files of small datasets, let every reader loose on them, and print what broke its word.

Each case is a number: `--replay` does one again. A reader may raise DatasetError, or end with 1
and one message. Nothing else is allowed: no other error, no crash, not more than 5 s or 512 MiB,
and no file outside the dataset may appear or change.
"""
from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
import multiprocessing
from multiprocessing.connection import wait
import os
from pathlib import Path
import signal
import sys
import tempfile
import time
from typing import Any

from _common import memory_folder
from _common import Report
from _fuzz_worker import case_of
from _fuzz_worker import do
from _fuzz_worker import Figures
from _fuzz_worker import limit_addresses
from _fuzz_worker import LIMIT_MIB
from _fuzz_worker import LIMIT_S
from _fuzz_worker import work

sys.path.append(str(Path(__file__).resolve().parents[2] / 'src/apprentice_dataset/test'))
from mutated import BASES  # noqa: E402  (the path above must come first)
from mutated import Fault  # noqa: E402
from mutated import Files  # noqa: E402
from mutated import made  # noqa: E402

# A case has several readers, and the machine may be busy.
_HANGS_S = 6 * LIMIT_S
_SHOWN = 3


class Worker:
    """A process that does every n-th case; another takes over when it dies or hangs."""

    def __init__(self, seeds: range, files: Mapping[str, Files], folder: Path) -> None:
        """Start it."""
        self._seeds, self._files, self._folder = seeds, files, folder
        self._spawn = multiprocessing.get_context('spawn')
        self.done = False
        self._start()

    def _start(self) -> None:
        self.pipe, other = self._spawn.Pipe(duplex=False)
        self._now = self._spawn.Array('q', 2, lock=False)
        self._process: Any = self._spawn.Process(target=work, args=(
            other, self._now, self._seeds, self._files, str(self._folder)))
        self._process.start()
        other.close()

    def kill_if_it_hangs(self) -> None:
        """End a process that does one case for too long."""
        begin = self._now[1]
        if begin and time.monotonic_ns() - begin > _HANGS_S * 1e9:
            self._process.kill()

    def take(self) -> tuple[int, str, list[Figures], list[Fault]] | None:
        """Return what a case came to; a dead process is replaced from the next case on."""
        try:
            found = self.pipe.recv()
        except EOFError:
            return self._replaced()
        self.done = found is None
        return found

    def _replaced(self) -> tuple[int, str, list[Figures], list[Fault]]:
        self._process.join()
        code, seed = self._process.exitcode, self._now[0]
        what = f'killed after {_HANGS_S:g} s' if code == -signal.SIGKILL else f'died with {code}'
        said = self._folder.with_suffix('.log').read_text(errors='replace')[-3000:]
        self._seeds = range(seed + self._seeds.step, self._seeds.stop, self._seeds.step)
        self.done = not self._seeds
        if not self.done:
            self._start()
        return seed, str(case_of(seed, self._files)), [], [Fault('process', what, said)]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.join()


class Tally:
    """Count cases, complaints, figures and faults."""

    def __init__(self) -> None:
        """Begin."""
        self.cases, self.readings = 0, 0
        self.complaints: Counter[str] = Counter()
        self.runs: Counter[str] = Counter()
        self.slowest: tuple[float, int, str] = (0.0, 0, '')
        self.largest: tuple[float, int, str] = (0.0, 0, '')
        self.faults: dict[str, list[tuple[int, str, Fault]]] = {}

    def take(self, seed: int, case: str, figures: list[Figures], faults: list[Fault]) -> None:
        """Take what a case came to."""
        self.cases += 1
        for one in figures:
            self.runs[one.reader] += 1
            self.complaints[one.reader] += one.complained
            self.slowest = max(self.slowest, (min(one.cpu_s, one.wall_s), seed, one.reader))
            self.largest = max(self.largest, (one.mib, seed, one.reader))
        for fault in faults:
            known = self.faults.setdefault(fault.key, [])
            known.append((seed, case, fault))

    def show(self, report: Report) -> None:
        """Print it."""
        for reader in sorted(self.runs):
            report.line(f'{reader}: {self.runs[reader]} times, {self.complaints[reader]} '
                        'complaints')
        report.line(f'slowest {self.slowest[0]:.2f} s (seed {self.slowest[1]}, '
                    f'{self.slowest[2]}); largest growth {self.largest[0]:.0f} MiB (seed '
                    f'{self.largest[1]}, {self.largest[2]})')
        for key, found in sorted(self.faults.items(), key=lambda one: -len(one[1])):
            report.line(f'FAULT, {len(found)} times: {key}')
            for seed, case, fault in found[:_SHOWN]:
                report.line(f'    --replay {seed}: {case}')
            report.line('    ' + found[0][2].detail.strip().replace('\n', '\n      '))


def fuzz(options: argparse.Namespace, files: Mapping[str, Files], folder: Path) -> Tally:
    """Do all cases."""
    # No other run has a case of this one, as long as it has less than a billion.
    first = options.seed * 1_000_000_000
    workers = [Worker(range(first + number, first + options.count, options.jobs), files,
                      folder / f'worker-{number}')
               for number in range(min(options.jobs, options.count))]
    tally, said = Tally(), time.monotonic()
    end = said + options.seconds if options.seconds else None
    try:
        while running := [worker for worker in workers if not worker.done]:
            ready = wait([worker.pipe for worker in running], 0.5)
            for worker in running:
                if worker.pipe in ready:
                    found = worker.take()
                    if found is not None:
                        tally.take(*found)
                worker.kill_if_it_hangs()
            if time.monotonic() > said + 60:
                said = time.monotonic()
                print(f'  {tally.cases} cases, {len(tally.faults)} kinds of faults', flush=True)
            if end and time.monotonic() > end:
                break
    finally:
        for worker in workers:
            worker.close()
    return tally


def replay(seed: int, files: Mapping[str, Files], folder: Path) -> int:
    """Do one case in this process and say everything."""
    limit_addresses()
    case = case_of(seed, files)
    print(case)
    figures, faults = do(case, files[case.base], folder / 'cases')
    for one in figures:
        print(f'  {one.reader}: {"complained" if one.complained else "read"}, '
              f'{one.wall_s:.3f} s, {one.mib:.1f} MiB')
    for fault in faults:
        print(f'  FAULT: {fault.key}\n{fault.detail}')
    return 1 if faults else 0


def main() -> int:
    """Fuzz and print; the exit code tells whether every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=100_000, help='cases')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, help='processes')
    parser.add_argument('--seconds', type=float, help='end after so long, however many are done')
    parser.add_argument('--replay', type=int, metavar='SEED', help='do one case again')
    parser.add_argument('--bases', nargs='+', choices=BASES, default=BASES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        folder = Path(name)
        files = {}
        for base in options.bases:
            (folder / 'made').mkdir(exist_ok=True)
            files[base] = made(base, folder / 'made')
        if options.replay is not None:
            return replay(options.replay, files, folder)
        report = Report(f'{options.count} cases, seed {options.seed}, {options.jobs} processes')
        begin = time.monotonic()
        tally = fuzz(options, files, folder)
        passed = time.monotonic() - begin
        report.line(f'{tally.cases} cases in {passed:.0f} s, {tally.cases / passed:.0f} a second')
        tally.show(report)
    report.bound(f'typed errors, one message, < {LIMIT_S:g} s, < {LIMIT_MIB} MiB, nothing else '
                 'touched, no crash', not tally.faults)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
