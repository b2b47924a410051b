# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Damage JSON where it hurts: types, numbers, depth, names of features, templates of paths."""

from __future__ import annotations

from collections.abc import Mapping
import json
from random import Random
from typing import Any

from mutate_bytes import Change
from mutate_parquet import WHOLE

OUTSIDE = '@OUTSIDE@'
"""Stands for a folder outside the dataset; whoever writes the file puts its path in."""
ODD: tuple[Any, ...] = (
    *WHOLE, 1 << 64, 10 ** 30, 10 ** 400, -10 ** 400, 0.5, 1e-320, 1e300, -1.5, float('nan'),
    float('inf'), -float('inf'), None, True, False, '', 'x', 'x' * 5000, '\0', '\ud800', '..',
    '/', 'v3.0', [], {}, [[]], [None], [1, 2, 3], {'': 0}, [0] * 3000, 'float32',
    'video', 'image', 'string', 'language')
TEMPLATES = (
    '../sentinel.parquet', '../{chunk_index}/{file_index}', f'{OUTSIDE}/data.parquet',
    f'{OUTSIDE}/file-{{file_index:03d}}.mp4', 'data/../../sentinel.parquet', '{video_key}',
    '{video_key}/../../sentinel.mp4', '{video_key.__class__}', '{video_key[0]}', '{0}', '{', '}',
    '{}', '{chunk_index:999999999d}', '{file_index:0999999999}', '{video_key:>999999999}',
    '{chunk_index!r}', '{video_key!r:>9}', '{chunk_index:{file_index}}', '{chunk_index:s}', '',
    '.', 'meta/info.json', 'data', '{file_index:%}', '{file_index:e}', '{chunk_index:c}',
    '{video_key:s}{chunk_index:x}', 'a' * 300, '\0', 'data/\0.parquet', '\ud800',
    '{episode_index}', '{episode_chunk:03d}/../../x', '{chunk_index:03d}/' * 200)
NAMES = ('../../outside', '/etc', f'{OUTSIDE}/camera', 'a/b', '..', '.', '', '\0', '\ud800',
         'x' * 300, '{file_index}', 'action.x', 'index', 'stats', 'observation.images.x', 'a\\b',
         'a\nb')


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return container and key of everything in a value."""
    keys = list(value) if isinstance(value, dict) else \
        list(range(len(value))) if isinstance(value, list) else []
    found = [(value, key) for key in keys]
    for key in keys:
        found += _places(value[key])
    return found


def _with(data: bytes, random: Random, change: Any) -> bytes:
    """Change one value of JSON, or of one line of it."""
    try:
        whole = json.loads(data)
    except ValueError:
        lines = data.split(b'\n')
        place = random.choice([at for at, line in enumerate(lines) if line.strip()])
        lines[place] = _with(lines[place], random, change)
        return b'\n'.join(lines)
    if not _places(whole):
        raise ValueError('nothing in it')
    change(whole)
    return json.dumps(whole, ensure_ascii=random.random() < 0.8).encode(errors='surrogatepass')


def value(data: bytes, random: Random) -> bytes:
    """Put something else in a value's place."""
    def change(whole: Any) -> None:
        # The upper ones are few and matter most.
        places = _places(whole) if random.random() < 0.6 else [
            (whole, key) for key in (whole if isinstance(whole, dict) else range(len(whole)))]
        box, key = random.choice(places)
        box[key] = random.choice(ODD)
    return _with(data, random, change)


def drop(data: bytes, random: Random) -> bytes:
    """Leave a value out."""
    def change(whole: Any) -> None:
        box, key = random.choice(_places(whole))
        del box[key]
    return _with(data, random, change)


def rename(data: bytes, random: Random) -> bytes:
    """Give a value, or a feature, another name."""
    def change(whole: Any) -> None:
        boxes = [(box, key) for box, key in _places(whole) if isinstance(box, dict)]
        features = whole.get('features') if isinstance(whole, dict) else None
        if isinstance(features, dict) and random.random() < 0.7:
            boxes = [(features, key) for key in features]
        box, key = random.choice(boxes)
        box[random.choice(NAMES)] = box.pop(key)
    return _with(data, random, change)


def template(data: bytes, random: Random) -> bytes:
    """Lead a path somewhere else; files without templates get a string like that."""
    def change(whole: Any) -> None:
        places = _places(whole)
        paths = [(box, key) for box, key in places if key in ('data_path', 'video_path', 'path')]
        strings = [(box, key) for box, key in places if isinstance(box[key], str)]
        box, key = random.choice(paths or strings or places)
        box[key] = random.choice(TEMPLATES)
    return _with(data, random, change)


def deep(data: bytes, random: Random) -> bytes:
    """Nest a value deeper than parsers like."""
    depth = random.choice((50, 1000, 5000, 200_000))
    begin, end = random.choice(((b'[', b']'), (b'{"a":', b'}')))
    inner = begin * depth + b'1' + end * depth
    marker = b'"@DEEP@"'

    def change(whole: Any) -> None:
        box, key = random.choice(_places(whole))
        box[key] = '@DEEP@'
    return _with(data, random, change).replace(marker, inner)


def number(data: bytes, random: Random) -> bytes:
    """Write a number that no parser should trust."""
    text = random.choice((b'1e999', b'-1e999', b'NaN', b'Infinity', b'9' * 5000, b'1' + b'0' * 400,
                          b'0.' + b'0' * 400 + b'1', b'-0', b'1E-400', b'01', b'0x10'))

    def change(whole: Any) -> None:
        places = _places(whole)
        numbers = [(box, key) for box, key in places if isinstance(box[key], (int, float))]
        box, key = random.choice(numbers or places)
        box[key] = '@NUMBER@'
    return _with(data, random, change).replace(b'"@NUMBER@"', text)


def encoding(data: bytes, random: Random) -> bytes:
    """Write it in another encoding, or in none."""
    how = random.choice(('utf-16', 'utf-8-sig', 'latin', 'nul'))
    text = data.decode(errors='replace')
    if how in ('utf-16', 'utf-8-sig'):
        return text.encode(how)
    return data.replace(b'"', b'"\xff', 1) if how == 'latin' else data + bytes(20)


def whole(data: bytes, random: Random) -> bytes:
    """Put something else in the place of all of it."""
    return json.dumps(random.choice(ODD)).encode()


def lines(data: bytes, random: Random) -> bytes:
    """Leave out, repeat or move lines."""
    found = data.splitlines(keepends=True)
    place, other = random.randrange(len(found)), random.randrange(len(found))
    how = random.randrange(3)
    if how == 0:
        del found[place]
    elif how == 1:
        found.insert(other, found[place])
    else:
        found[place], found[other] = found[other], found[place]
    return b''.join(found)


JSON: Mapping[str, Change] = {
    f'json.{change.__name__}': change
    for change in (value, drop, rename, template, deep, number, encoding, whole, lines)}
