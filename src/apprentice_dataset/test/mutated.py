# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make small datasets of every kind, damage them, and let every reader loose on them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import redirect_stderr
from contextlib import redirect_stdout
import io
import os
from pathlib import Path
from random import Random
import shutil
import tarfile
import traceback
from typing import NamedTuple

from apprentice_dataset.command_line import main
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.items import Items
from apprentice_dataset.origin import Origin
from apprentice_dataset.origin import write_origin
from apprentice_dataset.reader import Dataset
from apprentice_dataset.stream import Stream
from apprentice_dataset.writer import DatasetWriter
from edits import GOLDEN
from edits import recorded
from killed import Killed
from mutations import Mutation
import older
from recording import record
from recording import spec

_MOST_ITEMS = 40
Files = Mapping[str, bytes]


def _golden(kind: str, folder: Path) -> None:
    with tarfile.open(GOLDEN / f'{kind}.tar.xz') as archive:
        archive.extractall(folder.parent)
    (folder.parent / kind).rename(folder)


def _pulled(folder: Path) -> None:
    _golden('files', folder)
    write_origin(folder, Origin('someone/files', 'main', 'a' * 40, ((0, 2), (3, 9)), True, 'b'))


def _opened(folder: Path) -> None:
    """Leave an open episode as a writer does that was killed."""
    with DatasetWriter.create(folder, spec()) as writer:
        for length in (3, 17):
            episode = writer.begin_episode()
            record(episode, length)
            if length == 3:
                episode.save()


GOLDEN_KINDS = tuple(sorted(path.name.partition('.')[0] for path in GOLDEN.glob('*.tar.xz')))
_MADE: Mapping[str, Callable[[Path], object]] = {
    **{kind: lambda folder, kind=kind: _golden(kind, folder) for kind in GOLDEN_KINDS},
    'recorded': lambda folder: recorded(folder, 3, 4),
    'pulled': _pulled,
    'v2.0': lambda folder: older.build(folder, 3, 2, 4, version='v2.0'),
    'v2.1': lambda folder: older.build(folder, 3, 2, 4),
    'v2.1 images': lambda folder: older.build(folder, 3, 2, image=True),
    'open': _opened,
    'accepted': lambda folder: Killed(folder, 4, 'publish data')}
BASES = tuple(_MADE)
"""Kinds of datasets; the bytes of golden and pulled ones are the same everywhere."""


def made(base: str, folder: Path) -> Files:
    """Make a dataset of a kind in an empty folder and return the bytes of its files."""
    root = folder / 'dataset'
    _MADE[base](root)
    files = {path.relative_to(root).as_posix(): path.read_bytes()
             for path in sorted(root.rglob('*')) if path.is_file()}
    shutil.rmtree(root)
    return files


class Fault(NamedTuple):
    """Say which reader broke which promise, and where in the code; `detail` is for people."""

    reader: str
    what: str
    detail: str = ''

    @property
    def key(self) -> str:
        """Return what faults of one cause have in common."""
        return f'{self.reader}: {self.what}'


class Sandbox:
    """
    Keep a dataset with sentinels around it.

    `home/dataset` is the dataset, results go to `home/out`, everything else must stay as it is.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folders of a sandbox in an empty folder."""
        self.folder = folder
        self.home, self.outside = folder / 'home', folder / 'outside'
        self.root, self.out = self.home / 'dataset', self.home / 'out'

    def fill(self, files: Files) -> None:
        """Put a dataset and the sentinels in place; what was there before goes."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (self.home, self.outside, self.outside / 'camera'):
            folder.mkdir(parents=True)
        for name in ('sentinel.parquet', 'sentinel.mp4', 'sentinel.json'):
            (self.home / name).write_bytes(b'{}')
        parquet = next((data for name, data in files.items() if name.startswith('data/')), b'')
        mp4 = next((data for name, data in files.items() if name.endswith('.mp4')), b'')
        for number in range(2):
            (self.outside / f'file-{number:03d}.mp4').write_bytes(mp4)
            (self.outside / f'file-{number:03d}.parquet').write_bytes(parquet)
        (self.outside / 'data.parquet').write_bytes(parquet)
        made = set()
        for name, data in files.items():
            path = self.root / name
            if path.parent not in made:
                path.parent.mkdir(parents=True, exist_ok=True)
                made.add(path.parent)
            path.write_bytes(data)

    def state(self, but: Path) -> dict[str, tuple[int, ...]]:
        """Return what lies everywhere but below a folder, and when it was written."""
        found = {}
        for folder, names, files in os.walk(self.folder):
            for name in list(names):
                path = os.path.join(folder, name)
                if path in (str(but), str(self.out)):
                    names.remove(name)
                else:
                    found[path] = (os.lstat(path).st_ino,)
            for name in files:
                path = os.path.join(folder, name)
                stat = os.lstat(path)
                found[path] = stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_mode
        return found


def _items(root: Path) -> None:
    dataset = Dataset.open(root, repair=False)
    items = Items(dataset.metadata)
    items.items([len(items) - 1])
    items.items(range(min(len(items), _MOST_ITEMS)))


def _episodes(root: Path) -> None:
    dataset = Dataset.open(root, repair=False)
    for number in range(min(len(dataset.episodes), 5)):
        dataset.metadata.episode_stats(number)
        dataset.rows(number)
        for name, feature in dataset.info.features.items():
            if feature.dtype in ('video', 'image'):
                dataset.frames(number, name, range(min(dataset.episodes[number].length, 8)))


def _stream(root: Path) -> None:
    stream = Stream(root, buffer_size=8)
    for count, _ in enumerate(stream.items()):
        if count > _MOST_ITEMS:
            break


def _mended(root: Path) -> None:
    Dataset.open(root)


class Reader(NamedTuple):
    """Name something that reads a dataset; `writes` tells whether it may change it."""

    run: Callable[[Path], None] | None = None
    arguments: tuple[str, ...] = ()
    writes: bool = False


READERS: Mapping[str, Reader] = {
    'items': Reader(_items), 'episodes': Reader(_episodes), 'stream': Reader(_stream),
    'open': Reader(_mended, writes=True),
    'info': Reader(arguments=('info', 'ROOT')),
    'validate': Reader(arguments=('validate', 'ROOT')),
    'validate --deep': Reader(arguments=('validate', 'ROOT', '--deep')),
    'repair': Reader(arguments=('repair', 'ROOT'), writes=True),
    'convert': Reader(arguments=('convert', 'ROOT', '--output', 'OUT')),
    'compact': Reader(arguments=('compact', 'ROOT', '--output', 'OUT')),
    'compact --in-place': Reader(arguments=('compact', 'ROOT', '--in-place'), writes=True),
    'trim': Reader(arguments=('trim', 'ROOT', '--begin', '1', '--output', 'OUT')),
    'recompute-stats': Reader(arguments=('recompute-stats', 'ROOT', '--output', 'OUT')),
    'card': Reader(arguments=('card', 'ROOT'), writes=True)}
"""Everything that is let loose on a damaged dataset."""


def chosen(base: str, random: Random) -> list[str]:
    """Draw the readers of a case: something that reads all, a check, now and then an edit."""
    names = [random.choices(('items', 'episodes', 'stream'), (60, 20, 20))[0],
             random.choice(('validate', 'validate --deep'))]
    if base.startswith('v2'):
        names.append(random.choices(('convert', 'info', 'compact'), (80, 10, 10))[0])
    elif random.random() < 0.5:
        names.append(random.choices(
            ('info', 'card', 'compact', 'compact --in-place', 'trim', 'recompute-stats',
             'convert'), (20, 10, 25, 10, 25, 10, 2))[0])
    if base in ('open', 'accepted') or random.random() < 0.1:
        # What mends comes last, for then there is nothing left to mend.
        names.append(random.choice(('open', 'repair')))
    return names


def examine(sandbox: Sandbox, name: str) -> tuple[bool, list[Fault]]:
    """
    Let a reader loose; return whether it had something to complain of, and its faults.

    It may raise DatasetError, or end with 1 and one message; nothing else is allowed, and
    nothing that is not its own may change.
    """
    reader = READERS[name]
    shutil.rmtree(sandbox.out, ignore_errors=True)
    but = sandbox.root if reader.writes else sandbox.out
    before = sandbox.state(but)
    complained, faults = False, []
    try:
        if reader.run is not None:
            reader.run(sandbox.root)
        else:
            complained, faults = _command(sandbox, name, reader.arguments)
    except DatasetError:
        complained = True
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        faults = [_untyped(name, error)]
    after = sandbox.state(but)
    changed = sorted(path for path in before.keys() | after.keys()
                     if before.get(path) != after.get(path))
    if changed:
        names = [os.path.relpath(path, sandbox.folder) for path in changed]
        faults.append(Fault(name, 'touched what is not its own', ', '.join(names[:6])))
    return complained, faults


def _command(
    sandbox: Sandbox, name: str, arguments: Sequence[str],
) -> tuple[bool, list[Fault]]:
    places = {'ROOT': str(sandbox.root), 'OUT': str(sandbox.out)}
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([places.get(part, part) for part in arguments])
    said = err.getvalue()
    if code not in (0, 1):
        return True, [Fault(name, f'exit code {code}')]
    if 'Warning:' in said:
        return bool(code), [Fault(name, f'a warning on stderr: {_warning(said)}', said[:400])]
    heads = sum(line.startswith('dataset ') for line in said.splitlines())
    if code and not out.getvalue() and heads != 1 or not code and said:
        return bool(code), [Fault(name, f'exit code {code} with {heads} messages', said[:400])]
    return bool(code), []


def _warning(said: str) -> str:
    line = next(line for line in said.splitlines() if 'Warning:' in line)
    return line.rpartition('/')[2][:120]


def _untyped(name: str, error: BaseException) -> Fault:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if '/apprentice_dataset/apprentice_dataset/'
            in frame.filename.replace(os.sep, '/')]
    place = f'{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}' if ours else '?'
    what = f'{type(error).__name__} at {place}'
    text = ''.join(traceback.format_exception(error, limit=-12))
    return Fault(name, what, text[-3000:])


@contextmanager
def prepared(folder: Path, files: Files, mutations: Sequence[Mutation]) -> Iterator[Sandbox]:
    """Yield a sandbox whose dataset was damaged."""
    sandbox = Sandbox(folder)
    sandbox.fill(files)
    for mutation in mutations:
        mutation.apply(sandbox.root, sandbox.outside)
    yield sandbox
