# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Know where the files of a dataset lie."""

from __future__ import annotations

import json
from pathlib import Path
from pathlib import PurePosixPath
import re
from string import Formatter
from typing import Any
from typing import NamedTuple

from apprentice_dataset.errors import DatasetBroken

INFO = 'meta/info.json'
STATS = 'meta/stats.json'
TASKS = 'meta/tasks.parquet'
EXTRA = 'meta/apprentice'
DATA_PATH = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
VIDEO_PATH = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'
EPISODES_PATH = 'meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
STAGING = '.apprentice'
_NUMBERS = re.compile(r'chunk-(\d{3,})/file-(\d{3,})\.\w+$')
# How each field of a template may be written: a width of many digits would take all memory.
_NUMBER = re.compile(r'0?\d?d?')
_FIELDS = {'chunk_index': _NUMBER, 'file_index': _NUMBER, 'video_key': re.compile('s?')}
# A fourth digit would sort before the third in every reader that globs.
_HIGHEST = 999


class FileNumber(NamedTuple):
    """Hold chunk and file number of one file."""

    chunk: int
    file: int

    def path(self, template: str, video_key: str = '') -> str:
        """Return the path below the root."""
        return template.format(
            chunk_index=self.chunk, file_index=self.file, video_key=video_key)


def next_number(folder: Path, chunks_size: int) -> FileNumber:
    """Return the number after the highest in a family's folder; 0/0 where there is none."""
    found = [FileNumber(int(match[1]), int(match[2])) for path in folder.glob('chunk-*/file-*')
             if (match := _NUMBERS.search(path.as_posix()))]
    return following(max(found), chunks_size, folder) if found else FileNumber(0, 0)


def following(number: FileNumber, chunks_size: int, folder: Path) -> FileNumber:
    """Return the number after another; DatasetBroken beyond chunk 999."""
    size = min(chunks_size, _HIGHEST + 1)
    chunk, file = number.chunk, number.file + 1
    if file >= size:
        chunk, file = chunk + 1, 0
    if chunk > _HIGHEST:
        raise DatasetBroken(str(folder), 'all file numbers used', 'chunk numbers up to 999',
                            'join small files or begin another dataset')
    return FileNumber(chunk, file)


def check_template(where: str, template: str) -> None:
    """Raise DatasetBroken for a path template that is malformed or leads out of the dataset."""
    try:
        sound = all(name is None or not conversion and _FIELDS[name].fullmatch(form or '')
                    for _, name, form, conversion in Formatter().parse(template))
        if sound:
            path = PurePosixPath(template.format(chunk_index=0, file_index=0, video_key='key'))
            sound = _is_name(template) and not path.is_absolute() and '..' not in path.parts
    except (ValueError, KeyError, IndexError):
        sound = False
    if not sound:
        raise DatasetBroken(where, repr(template), f'a path such as {DATA_PATH!r}')


def is_folder_name(name: str) -> bool:
    """Return whether a feature's name can be the name of a folder."""
    return bool(name) and name not in ('.', '..') and '/' not in name and _is_name(name)


def _is_name(text: str) -> bool:
    # JSON can say halves of a character, which no file system takes.
    return '\0' not in text and not any('\ud800' <= one <= '\udfff' for one in text)


def to_json(value: object) -> bytes:
    """Return JSON as LeRobot lays it out."""
    return json.dumps(value, indent=4, ensure_ascii=False).encode()


def from_json(text: str) -> Any:
    """Return what JSON says; ValueError or RecursionError where nothing sound is said."""
    value = json.loads(text)
    if '\\u' in text:
        # Half a character can be said, but neither written nor printed.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; DatasetBroken when it is missing or is none."""
    try:
        value = from_json(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise DatasetBroken(str(path), 'no such file', 'a JSON object',
                            'is this the folder of a dataset?') from None
    except (ValueError, OSError, RecursionError) as error:
        raise DatasetBroken(str(path), str(error), 'a JSON object',
                            'restore the file from a copy') from None
    if not isinstance(value, dict):
        raise DatasetBroken(str(path), type(value).__name__, 'a JSON object')
    return value
