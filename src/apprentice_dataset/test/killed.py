# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Record in a process that kills itself at a named step, or that others kill."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from apprentice_dataset.codecs import decide
from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import av
from recording import check_counters
from recording import FPS
from recording import FRONT
from recording import record
from recording import spec
from recording import WRIST

GROUP = decide(VideoSettings(), FPS).g
# Each episode begins at a number of its own, so that rows tell which one they are of.
SPACING = 200


def run(root: Path, length: int, step: str) -> None:
    """Record episode after episode; say what was taken and what was accepted."""
    armed = False

    def at(name: str) -> None:
        if armed and name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    with DatasetWriter.open_or_create(root, spec(), step=at) as writer:
        while True:
            index = writer.total_episodes
            episode = writer.begin_episode()
            for number in range(length):
                record(episode, 1, first=index * SPACING + number)
                _say(f'row {index} {number + 1}')
            _say(f'saving {index}')
            armed = index > 0
            episode.save({f'episodes/episode-{index:06d}.json': b'{}'})
            _say(f'saved {index}')


def _say(text: str) -> None:
    os.write(1, f'{text}\n'.encode())


class Killed:
    """Start such a process, kill it after a time, and tell what it had said."""

    def __init__(self, root: Path, length: int, step: str = '', after_s: float = 20.0) -> None:
        """Run until the process is dead."""
        paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        command = [sys.executable, __file__, str(root), str(length), step]
        process = subprocess.Popen(command, env={**os.environ, 'PYTHONPATH': paths},
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        assert process.stdout is not None
        said = [process.stdout.readline()]
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.kill()
        rest, self.errors = process.communicate()
        lines = b''.join([*said, rest]).decode().splitlines()
        self.code = process.returncode
        self.taken = {int(words[1]): int(words[2]) for line in lines
                      if (words := line.split())[0] == 'row' and len(words) == 3}
        self.saving = [int(line.split()[1]) for line in lines if line.startswith('saving ')]
        self.saved = [int(line.split()[1]) for line in lines if line.startswith('saved ')]


def packets(root: Path, episode: int) -> list[str]:
    """Return a digest of an episode's rows and of every packet of its videos."""
    dataset = Dataset.open(root, repair=False)
    digests = [hashlib.sha256(str(dataset.rows(episode).to_pydict()).encode()).hexdigest()]
    for camera in (FRONT, WRIST):
        path = root / dataset.episodes[episode].videos[camera].number.path(
            str(dataset.info.video_path), camera)
        with av.open(str(path)) as container:
            digests += [hashlib.sha256(bytes(packet)).hexdigest()
                        for packet in container.demux(video=0) if packet.size]
    return digests


def examine(root: Path, killed: Killed, length: int, deep: bool = True) -> list[str]:
    """Open the dataset after a kill and return the ways in which it breaks its promise."""
    faults = []
    begin = time.monotonic()
    dataset = Dataset.open(root)
    passed = time.monotonic() - begin
    if passed > 2.0:
        faults.append(f'opening took {passed:.2f} s')
    lengths = [episode.length for episode in dataset.episodes]
    if lengths[:len(killed.saved)] != [length] * len(killed.saved):
        faults.append(f'accepted {killed.saved}, found lengths {lengths}')
    opened = len(killed.saved)
    taken = killed.taken.get(opened, 0)
    found = lengths[opened] if len(lengths) > opened else 0
    # The row that was being taken may be there although it was not told yet.
    if not taken - GROUP <= found <= taken + 1 or len(lengths) > opened + 1:
        faults.append(f'{taken} rows taken of episode {opened}, found lengths {lengths}')
    problems = validate(root, deep=deep)
    faults += [f'validate: {problem}' for problem in problems]
    for number, count in enumerate(lengths):
        try:
            check_counters(dataset, number, count, number * SPACING)
        except AssertionError as error:
            faults.append(f'episode {number}: another picture in {error}')
    return faults


if __name__ == '__main__':
    run(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
