# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Remember where a copy of a dataset came from and which of its episodes are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from dataclasses import dataclass
import hashlib
import os
from pathlib import Path

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.files import replace_file
from apprentice_dataset.layout import read_json
from apprentice_dataset.layout import STAGING
from apprentice_dataset.layout import to_json

ORIGIN = f'{STAGING}/hub.json'
_CURE = 'remove it, and pull the dataset again'


@dataclass(frozen=True)
class Origin:
    """
    Hold what was pulled: repository, revision asked for and the commit that it stood for.

    `episodes` are half-open ranges, None for all; `videos` tells whether mp4s were pulled; `meta`
    is the digest of meta/ as pulled: another one means that the copy was changed since.
    """

    repo_id: str
    revision: str
    commit: str
    episodes: tuple[tuple[int, int], ...] | None
    videos: bool
    meta: str

    def has(self, episode: int) -> bool:
        """Tell whether an episode's rows were pulled."""
        return self.episodes is None or any(
            begin <= episode < end for begin, end in self.episodes)

    def holds(self, episodes: Iterable[int], video: bool) -> bool:
        """Tell whether a file with rows, or the video, of these episodes was pulled."""
        return (self.videos or not video) and any(map(self.has, episodes))

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was left out."""
        return self.episodes is None and self.videos

    def __str__(self) -> str:
        """Say what is there, in a few words."""
        what = 'all episodes'
        if self.episodes is not None:
            what = f'episodes {ranges_text(self.episodes)}'
        return f'{what} of {self.repo_id}{"" if self.videos else ", without videos"}'


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return numbers as half-open ranges in order."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return tuple(found)


def ranges_text(values: Iterable[tuple[int, int]]) -> str:
    """Return ranges as the command line takes them: `0:3,7`."""
    return ','.join(str(begin) if end == begin + 1 else f'{begin}:{end}'
                    for begin, end in values) or 'none'


def meta_digest(root: Path) -> str:
    """Return one SHA-256 of everything in meta/, which every change of a dataset changes."""
    value = hashlib.sha256()
    for path in sorted(path for path in (root / 'meta').rglob('*') if path.is_file()):
        with open(path, 'rb') as file:
            one = hashlib.file_digest(file, 'sha256').hexdigest()
        value.update(f'{path.relative_to(root)}\0{one}\n'.encode())
    return value.hexdigest()


def read_origin(root: Path) -> Origin | None:
    """Return where a copy came from, None where it was not pulled; DatasetBroken if unreadable."""
    path = root / ORIGIN
    if not path.exists():
        return None
    value = read_json(path)
    try:
        episodes = value['episodes']
        if episodes is not None:
            episodes = tuple((_whole(begin), _whole(end)) for begin, end in episodes)
        texts = [value[name] for name in ('repo_id', 'revision', 'commit', 'meta')]
        sound = all(isinstance(text, str) for text in texts) and value['version'] == 1
        videos = value['videos'] is True
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise DatasetBroken(str(path), 'other contents', 'what `dataset pull` writes', _CURE)
    repo_id, revision, commit, meta = texts
    return Origin(repo_id, revision, commit, episodes, videos, meta)


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value


def write_origin(root: Path, origin: Origin) -> None:
    """Write it, whole or not at all."""
    path = root / ORIGIN
    replace_file(path, path.with_name(f'.hub.{os.getpid()}'),
                 to_json({'version': 1, **asdict(origin)}))
