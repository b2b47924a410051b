# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run tools in children that are killed, and hold what is left to what was promised."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import hashlib
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
from typing import NamedTuple

from apprentice_dataset.command_line import main
from apprentice_dataset.command_line import VERBS
from apprentice_dataset.info import read_info
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from edits import golden
from edits import recorded
import numpy as np
import older
from recording import FRONT
from recording import record
from recording import spec

BESIDE, INSTEAD = ('--output', 'OUT'), ('--in-place',)


class Tool(NamedTuple):
    """Say how a tool is run: what it reads, its words; SOURCE and OUT stand for folders."""

    make: Callable[[Path], object]
    words: Sequence[str]
    places: Sequence[Sequence[str]] = (BESIDE, INSTEAD)
    parts: Sequence[str] = ('',)


def _recorded(folder: Path) -> None:
    recorded(folder / 'data', 12, 20, 15, 9)
    np.save(folder / 'values.npy', np.arange(56, dtype=np.float32))


def _two(folder: Path) -> None:
    recorded(folder / 'data', 12, 8)
    recorded(folder / 'more', 9, 11, task='other')


def _images(folder: Path) -> None:
    golden('image', folder).rename(folder / 'data')


def _older(folder: Path) -> None:
    older.build(folder / 'data', 6, 5, 4, 5)


def _open(folder: Path) -> None:
    with DatasetWriter.create(folder / 'data', spec()) as writer:
        for length in (12, 37):
            episode = writer.begin_episode()
            record(episode, length)
            if length == 12:
                episode.save()


TOOLS: Mapping[str, Tool] = {
    'convert': Tool(_older, ('SOURCE',), (BESIDE,)),
    'delete-episodes': Tool(_recorded, ('SOURCE', '--episode-indices', '1')),
    'split': Tool(_recorded, ('SOURCE', '--splits', 'a=0.5', 'b=0.5'), (BESIDE,), ('a', 'b')),
    'merge': Tool(_two, ('SOURCE', 'MORE'), (BESIDE,)),
    'trim': Tool(_recorded, ('SOURCE', '--begin', '2')),
    'compact': Tool(_recorded, ('SOURCE',)),
    'add-feature': Tool(_recorded, ('SOURCE', '--feature-name', 'mark', '--values', 'VALUES')),
    'remove-feature': Tool(_recorded, ('SOURCE', '--feature-names', FRONT)),
    'rename-feature': Tool(_recorded, ('SOURCE', '--names', f'{FRONT}=observation.images.top')),
    'modify-tasks': Tool(_recorded, ('SOURCE', '--new-task', 'another')),
    'reencode': Tool(_recorded, ('SOURCE', '--crf', '30')),
    'images-to-video': Tool(_images, ('SOURCE',)),
    'recompute-stats': Tool(_recorded, ('SOURCE',)),
    'repair': Tool(_open, ('SOURCE',), ((),))}
"""Tools by verb."""


class Ended(NamedTuple):
    """Say how a run ended: its status (negative: the signal), seconds, what it said."""

    status: int
    took_s: float
    said: str


class Runner:
    """Run verbs in children of a process that has imported everything and does nothing else."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Start the process."""
        paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {}), 'PYTHONPATH': paths})

    def __enter__(self) -> Runner:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, words: Sequence[str], kill_s: float | None = None) -> Ended:
        """Run a verb; kill it after a time unless that is None."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps([list(words), kill_s]), file=self._process.stdin, flush=True)
        return Ended(*json.loads(self._process.stdout.readline()))


def _serve() -> None:
    for verb in VERBS:
        __import__(f'apprentice_dataset.verbs.{verb.replace("-", "_")}')
    for line in sys.stdin:
        words, kill_s = json.loads(line)
        print(json.dumps(_child(words, kill_s)), flush=True)


def _child(words: Sequence[str], kill_s: float | None) -> tuple[int, float, str]:
    said, other = os.pipe()
    begin = time.monotonic()
    pid = os.fork()
    if not pid:
        os.dup2(other, 1)
        os.dup2(other, 2)
        status = 70
        try:
            status = main(words)
            sys.stdout.flush()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(other)
    if kill_s is not None:
        time.sleep(max(0.0, begin + kill_s - time.monotonic()))
        os.kill(pid, signal.SIGKILL)
    with open(said, encoding='utf-8', errors='replace') as file:
        text = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, time.monotonic() - begin, text[-2000:]


def digest(root: Path) -> dict[str, str]:
    """Return a digest of every file, but for what the recorder keeps to itself."""
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob('*'))
            if path.is_file() and path.relative_to(root).parts[0] != '.apprentice'}


class Trial:
    """Hold a tool's untouched source and what it came to, to try kills on copies of it."""

    def __init__(self, runner: Runner, name: str, folder: Path) -> None:
        """Make the source and run the tool once to its end in each way; keep the time."""
        self._runner, self._name, self._tool = runner, name, TOOLS[name]
        self._folder, self._pure = folder, folder / 'pure'
        self._pure.mkdir(parents=True)
        self._tool.make(self._pure)
        self._source = digest(self._pure / 'data')
        self._totals: dict[str, tuple[int, int]] = {}
        self.took_s = []
        for number, place in enumerate(self._tool.places):
            home = self._copied(f'whole-{number}')
            ended = self._run(home, place)
            if ended.status:
                raise RuntimeError(f'{name}: {ended.said}')
            self.took_s.append(ended.took_s)
            self._totals.update({part: _totals(_result(home, place) / part)
                                 for part in self._tool.parts})
            shutil.rmtree(home)

    def _copied(self, name: str) -> Path:
        return Path(shutil.copytree(self._pure, self._folder / name))

    def _run(self, home: Path, place: Sequence[str], kill_s: float | None = None) -> Ended:
        places = {'SOURCE': home / 'data', 'MORE': home / 'more', 'OUT': home / 'out',
                  'VALUES': home / 'values.npy'}
        words = [str(places.get(word, word)) for word in (*self._tool.words, *place)]
        return self._runner.run([self._name, *words], kill_s)

    def kill(self, number: int, share: float) -> tuple[str, list[str]]:
        """
        Kill one run when a share of its time has passed.

        :param number: chooses between a result beside and one in place.
        :returns: `before`, `during` or `after` the tool's work, and broken promises.
        """
        way = number % len(self._tool.places)
        place, home = self._tool.places[way], self._copied(str(number))
        ended = self._run(home, place, share * self.took_s[way])
        faults = []
        if ended.status not in (0, -signal.SIGKILL):
            faults.append(f'it ended with {ended.status}: {ended.said}')
        done, broken = self._look(home, place)
        left = self._leftovers(home, place)
        when = 'after' if done else 'during' if left else 'before'
        faults += broken + self._again(home, place, done)
        shutil.rmtree(home)
        return when, [f'{self._name} {" ".join(place)}, kill {number} at {share:.3f}: {fault}'
                      for fault in faults]

    def _look(self, home: Path, place: Sequence[str]) -> tuple[bool, list[str]]:
        """Return whether the result is there, and what is wrong with what is there."""
        faults, root = [], home / 'data'
        same = digest(root) == self._source
        if place == BESIDE and not same:
            faults.append('the source has changed')
        if place == BESIDE:
            done = [part for part in self._tool.parts if (home / 'out' / part / 'meta').exists()]
            for part in done:
                faults += self._whole(home / 'out' / part, part)
            if (home / 'out').exists() and not done:
                faults.append('an empty result')
            return len(done) == len(self._tool.parts), faults
        if self._name == 'repair':
            # Opening finishes what was begun, as the next run does.
            return same is False and not (root / '.apprentice').exists(), faults
        return not same, faults if same else faults + self._whole(root, '')

    def _whole(self, root: Path, part: str) -> list[str]:
        problems = [str(problem) for problem in validate(root, deep=True)]
        if not problems and _totals(root) != self._totals[part]:
            problems.append(f'{_totals(root)} episodes and rows, expected {self._totals[part]}')
        return [f'{root.name}: {problem}' for problem in problems]

    def _leftovers(self, home: Path, place: Sequence[str]) -> list[str]:
        """Return what lies around that is neither source nor result."""
        known = {path.name for path in self._pure.iterdir()} | {
            part for part in ('out',) if place == BESIDE}
        return [path.name for path in home.iterdir() if path.name not in known] + [
            path.name for path in (home / 'data').glob('.apprentice')]

    def _again(self, home: Path, place: Sequence[str], done: bool) -> list[str]:
        """Run once more, to the end; return what is wrong afterwards."""
        if place == BESIDE and (home / 'out').exists():
            shutil.rmtree(home / 'out')
            done = False
        # What was done in place can often not be done twice.
        again = self._runner.run(['compact', str(home / 'data'), '--in-place']) \
            if done and place == INSTEAD else self._run(home, place)
        if again.status:
            return [f'the next run ended with {again.status}: {again.said}']
        faults = [fault for part in self._tool.parts
                  for fault in self._whole(_result(home, place) / part, part)]
        left = self._leftovers(home, place)
        return faults + ([f'the next run left {left}'] if left else [])


def _result(home: Path, place: Sequence[str]) -> Path:
    return home / ('out' if place == BESIDE else 'data')


def _totals(root: Path) -> tuple[int, int]:
    info = read_info(root)
    Dataset.open(root, repair=False)
    return info.total_episodes, info.total_frames


if __name__ == '__main__':
    _serve()
