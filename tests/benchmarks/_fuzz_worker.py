# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Do cases of the dataset fuzzer in a process that may hang, swell or die."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import faulthandler
import os
from pathlib import Path
from random import Random
import resource
import sys
import tempfile
import time
from typing import Any
from typing import NamedTuple
import warnings

sys.path.append(str(Path(__file__).resolve().parents[2] / 'src/apprentice_dataset/test'))
from mutated import chosen  # noqa: E402  (the path above must come first)
from mutated import examine  # noqa: E402
from mutated import Fault  # noqa: E402
from mutated import Files  # noqa: E402
from mutated import prepared  # noqa: E402
from mutations import drawn  # noqa: E402
from mutations import Mutation  # noqa: E402

LIMIT_S, LIMIT_MIB = 5.0, 512
# Beyond what may be touched: asking for it must fail in Python, not end the machine.
_ADDRESSES = 6 << 30


class Case(NamedTuple):
    """Hold a case: kind of dataset, what is done to it, who reads it."""

    base: str
    mutations: Sequence[Mutation]
    readers: Sequence[str]

    def __str__(self) -> str:
        """Return it in one line."""
        done = ', '.join(f'{one.kind} {one.file} {one.seed}' for one in self.mutations)
        return f'{self.base}: {done}; {", ".join(self.readers)}'


class Figures(NamedTuple):
    """Hold what one reader did: whether it complained, processor s, wall s, MiB."""

    reader: str
    complained: bool
    cpu_s: float
    wall_s: float
    mib: float


def case_of(seed: int, files: Mapping[str, Files]) -> Case:
    """Return the case of a number."""
    random = Random(seed)
    base = random.choice(sorted(files))
    return Case(base, drawn(sorted(files[base]), random), chosen(base, random))


def limit_addresses() -> None:
    """Let no allocation succeed that the machine could not bear."""
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    most = pages * os.sysconf('SC_PAGE_SIZE') + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def do(case: Case, files: Files, folder: Path) -> tuple[list[Figures], list[Fault]]:
    """Do a case; return figures and faults by reader."""
    figures, faults = [], []
    with prepared(folder, files, case.mutations) as sandbox:
        for reader in case.readers:
            before = _memory('VmRSS')
            cpu, wall = time.process_time(), time.monotonic()
            complained, found = examine(sandbox, reader)
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
            grown = max(0.0, _memory('VmHWM') - before)
            faults += found
            # Where others work too, the wall clock tells of them.
            if min(cpu, wall) > LIMIT_S:
                faults.append(Fault(reader, f'more than {LIMIT_S:g} s', f'{wall:.1f} s'))
            if grown > LIMIT_MIB:
                faults.append(Fault(reader, f'more than {LIMIT_MIB} MiB', f'{grown:.0f} MiB'))
            figures.append(Figures(reader, complained, cpu, wall, grown))
    return figures, faults


def _memory(name: str) -> float:
    """Return a figure of /proc in MiB; asking for VmRSS begins a new peak."""
    if name == 'VmRSS':
        Path('/proc/self/clear_refs').write_text('5')
    text = Path('/proc/self/status').read_text()
    return int(text.partition(f'{name}:')[2].split()[0]) / 1024


def work(
    pipe: Any, now: Any, seeds: Sequence[int], files: Mapping[str, Files], folder: str,
) -> None:
    """Do cases in turn; send seed, case, figures and faults of each, None at the end."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    log = os.open(place.with_suffix('.log'), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 2)
    faulthandler.enable()
    warnings.simplefilter('always')
    # Whoever makes a file in the current or a temporary folder is seen, for both are empty.
    for name in ('HOME', 'XDG_CACHE_HOME', 'TMPDIR'):
        os.environ[name] = str(place / 'cases')
    tempfile.tempdir = str(place)
    os.chdir(place)
    limit_addresses()
    for seed in seeds:
        now[0], now[1] = seed, time.monotonic_ns()
        case = case_of(seed, files)
        figures, faults = do(case, files[case.base], place / 'cases')
        now[1] = 0
        pipe.send((seed, str(case), figures, faults))
    pipe.send(None)
