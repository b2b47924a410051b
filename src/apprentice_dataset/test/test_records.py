# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read journals and spools that end anywhere."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from apprentice_dataset.codecs import Encoding
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import Picture
from apprentice_dataset.images import RawImage
from apprentice_dataset.journal import EpisodeHeader
from apprentice_dataset.journal import Journal
from apprentice_dataset.journal import read_journal
from apprentice_dataset.records import read_records
from apprentice_dataset.records import record
from apprentice_dataset.spool import EndOfSpool
from apprentice_dataset.spool import spooled_range
from apprentice_dataset.spool import SpoolReader
from apprentice_dataset.spool import SpoolWriter
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

HEADER = EpisodeHeader(30, {'action': Feature('float32', (2,)), 'note': Feature('string', (1,)),
                            'flag': Feature('bool', (1,))}, {})
ROWS = st.lists(st.tuples(st.floats(-9, 9, width=32), st.text(max_size=5), st.booleans(),
                          st.sampled_from('ab')), min_size=1, max_size=8)


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=1), st.binary(max_size=20))), st.data())
def test_records_up_to_the_torn_one(
    records: list[tuple[bytes, bytes]], data: st.DataObject,
) -> None:
    """Cut anywhere, all whole records are read; a changed byte ends the reading before it."""
    framed = [record(*one) for one in records]
    content = b''.join(framed)
    size = data.draw(st.integers(0, len(content)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'records'
        path.write_bytes(content[:size])
        ends = np.cumsum([len(one) for one in framed])
        assert list(read_records(path)) == records[:int((ends <= size).sum())]
        if size < len(content):
            changed = bytearray(content)
            changed[size] ^= 0x55
            path.write_bytes(changed)
            assert list(read_records(path)) == records[:int((ends <= size).sum())]


@given(ROWS, st.integers(0, 8))
def test_a_journal_gives_back_its_rows(rows: list[tuple], relabelled: int) -> None:
    """Numbers, strings, tasks and relabelling are the same after reading."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'journal'
        journal = Journal(path, HEADER)
        for number, (value, note, flag, task) in enumerate(rows):
            packed = HEADER.layout.pack({'action': [value, number], 'note': note, 'flag': flag})
            journal.append(*packed, task)
            if number == relabelled:
                journal.relabel('c')
        journal.close()
        found = read_journal(path)
    assert found is not None and found[0] == HEADER
    columns, kept = found[1].columns(), journal.rows.columns()
    assert columns['action'].tolist() == [[row[0], number] for number, row in enumerate(rows)]
    assert columns['note'] == [row[1] for row in rows]
    assert columns['flag'].tolist() == [row[2] for row in rows]
    assert np.array_equal(columns['action'], kept['action'])
    assert found[1].tasks() == journal.rows.tasks()
    expected = ['c' if number <= relabelled < len(rows) else row[3]
                for number, row in enumerate(rows)]
    known = {name: place for place, name in enumerate('abc')}
    assert ['abc'[place] for place in found[1].task_column(known)] == expected


def test_no_header_no_journal(tmp_path: Path) -> None:
    """A file that ends within its header holds nothing."""
    assert read_journal(tmp_path / 'none') is None
    Journal(tmp_path / 'journal', HEADER).close()
    data = (tmp_path / 'journal').read_bytes()
    (tmp_path / 'journal').write_bytes(data[:-1])
    assert read_journal(tmp_path / 'journal') is None


@pytest.mark.parametrize('kind, encoding', [
    ('image', Encoding('png', 2, 0, 'superfast')), ('image', Encoding('h264', 2, 23, 'superfast')),
    ('video', Encoding('png', 2, 0, 1))])
def test_an_encoder_of_another_kind_of_camera_is_damage(
        tmp_path: Path, kind: str, encoding: Encoding) -> None:
    """Pictures in tables have levels, not words; a video has a codec, they have none."""
    camera = {'observation.images.a': Feature(kind, (4, 4, 3), ['height', 'width', 'channels'])}
    Journal(tmp_path / 'journal', EpisodeHeader(30, camera, dict.fromkeys(camera, encoding))
            ).close()
    with pytest.raises(DatasetBroken, match='observation.images.a: .* no encoder of this camera'):
        read_journal(tmp_path / 'journal')


PICTURES = st.lists(st.one_of(
    st.none(), st.binary(max_size=30).map(lambda data: EncodedImage(data, 'png')),
    st.binary(max_size=30).map(lambda data: RawImage(data, 3, 2, 'bgr8', 9))),
    min_size=1, max_size=12).filter(lambda pictures: pictures[0] is not None)


def _read(folder: Path, group: int, begin: int) -> list[Picture | None]:
    reader = SpoolReader(folder, group, begin)
    found: list[Picture | None] = []
    try:
        while True:
            found.append(reader.next())
    except EndOfSpool:
        return found
    finally:
        reader.close()


@settings(max_examples=60)
@given(PICTURES, st.integers(1, 4), st.data())
def test_a_spool_gives_back_its_pictures(
    pictures: list[Picture | None], group: int, data: st.DataObject,
) -> None:
    """From the begin of any group on, torn anywhere, what is whole comes back."""
    shown: list[Picture | None] = []
    for picture in pictures:
        shown.append(picture or shown[-1])
    with TemporaryDirectory() as name:
        folder = Path(name) / 'spool'
        writer = SpoolWriter(folder, group)
        for picture in pictures:
            writer.append(picture)
        writer.close()
        begin = data.draw(st.integers(0, (len(pictures) - 1) // group)) * group
        for place, found in enumerate(_read(folder, group, begin), begin):
            assert (found or shown[place - 1]) == shown[place]
            assert found is not None or place % group
        assert spooled_range(folder, group) == range(len(pictures))
        released = SpoolReader(folder, group)
        released.release(begin)
        assert spooled_range(folder, group) == range(begin, len(pictures))
        last = max(folder.iterdir())
        content = last.read_bytes()
        last.write_bytes(content[:-1])
        assert spooled_range(folder, group).stop in (len(pictures) - 1, 0)


@pytest.mark.parametrize('group', [1, 15])
def test_a_reader_follows_the_writer(tmp_path: Path, group: int) -> None:
    """What was appended can be read while the next is not there yet."""
    writer = SpoolWriter(tmp_path / 'spool', group)
    reader = SpoolReader(tmp_path / 'spool', group)
    for number in range(40):
        with pytest.raises(EndOfSpool):
            reader.next()
        writer.append(EncodedImage(bytes([number]), 'jpeg'))
        assert reader.next() == EncodedImage(bytes([number]), 'jpeg')
        assert (reader.frames, reader.bytes) == (writer.frames, writer.bytes)
    writer.close()
    reader.close()
