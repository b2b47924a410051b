# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write episodes and read them back."""

from __future__ import annotations

import json
from pathlib import Path
import threading
from typing import Any

from apprentice_dataset.errors import BadRow
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import EpisodeFailed
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.features import VideoSettings
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import RawImage
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import numpy as np
import pytest
from recording import check_counters
from recording import FRONT
from recording import jpeg
from recording import make
from recording import number_in
from recording import pixels
from recording import plain_spec
from recording import record
from recording import row
from recording import spec
from recording import TASK
from recording import WRIST
import simplejpeg


def test_rows_and_pictures_come_back_together(tmp_path: Path) -> None:
    """Every picture stands in its row, over episodes and over a resumption."""
    root = tmp_path / 'dataset'
    kind = make(root, 40, 1)
    with DatasetWriter.resume(root, kind) as writer:
        assert writer.repaired == [] and writer.total_episodes == 2
        episode = writer.begin_episode()
        record(episode, 31, first=100)
        saved = episode.save()
        assert (saved.index, saved.length, saved.bytes > 0) == (2, 31, True)
    dataset = Dataset.open(root)
    assert (len(dataset), [one.length for one in dataset.episodes]) == (72, [40, 1, 31])
    for number, (length, first) in enumerate(((40, 0), (1, 0), (31, 100))):
        check_counters(dataset, number, length, first)
    assert number_in(dataset.frame(2, FRONT, 17)) == 117
    order = [30, 0, 16, 16]
    assert [number_in(one) for one in dataset.frames(2, FRONT, order)] == [130, 100, 116, 116]
    assert validate(root, deep=True) == []


def test_the_dataset_is_whole_after_every_save(tmp_path: Path) -> None:
    """A reader sees each accepted episode while the writer still runs."""
    with DatasetWriter.create(tmp_path / 'dataset', spec()) as writer:
        for count in range(1, 4):
            episode = writer.begin_episode()
            record(episode, 16)
            episode.save()
            running = writer.begin_episode()
            record(running, 5)
            dataset = Dataset.open(writer.root)
            assert len(dataset) == 16 * count and dataset.repaired == []
            check_counters(dataset, count - 1, 16)
            running.discard()


def test_repeated_pictures(tmp_path: Path) -> None:
    """None repeats the last picture, over the end of a group too."""
    with DatasetWriter.create(tmp_path / 'dataset', spec()) as writer:
        episode = writer.begin_episode()
        for number in range(40):
            shown = number < 12 or number == 35
            episode.add(row(number), {FRONT: jpeg(number) if shown else None,
                                      WRIST: jpeg(number)}, TASK)
        episode.save()
    found = [number_in(one) for one in Dataset.open(tmp_path / 'dataset').frames(0, FRONT)]
    assert found == [*range(12), *[11] * 23, *[35] * 5]


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'mono8'])
def test_raw_pictures(tmp_path: Path, encoding: str) -> None:
    """Pixels are taken with padded rows, in each order of channels."""
    picture = pixels(5)
    picture[:, :, 0] //= 2
    sent = {'rgb8': picture, 'bgr8': picture[:, :, ::-1], 'mono8': picture[:, :, 1]}[encoding]
    packed = sent.reshape(48, -1)
    padded = np.zeros((48, packed.shape[1] + 6), np.uint8)
    padded[:, :packed.shape[1]] = packed
    raw = RawImage(padded.tobytes(), 64, 48, encoding, padded.shape[1])
    one_camera = DatasetSpec(30, None, {FRONT: spec().features[FRONT]},
                             VideoSettings(crf=1))
    with DatasetWriter.create(tmp_path / 'dataset', one_camera) as writer:
        episode = writer.begin_episode()
        episode.add({}, {FRONT: raw}, TASK)
        episode.save()
    found = Dataset.open(tmp_path / 'dataset').frame(0, FRONT, 0).astype(int)
    expected = np.repeat(sent[:, :, None], 3, 2) if encoding == 'mono8' else picture
    assert np.abs(found - expected.astype(int))[4:12, 4:12].max() <= 4
    assert np.median(np.abs(found - expected)) <= 3


def test_without_cameras(tmp_path: Path) -> None:
    """A dataset of numbers alone has no video path."""
    with DatasetWriter.create(tmp_path / 'dataset', plain_spec()) as writer:
        episode = writer.begin_episode()
        for number in range(7):
            assert episode.add({'action': number}, {}, TASK) == number
        episode.save()
    dataset = Dataset.open(tmp_path / 'dataset')
    assert dataset.rows(0)['action'].to_pylist() == [float(number) for number in range(7)]
    assert dataset.info.video_path is None and validate(dataset.root, deep=True) == []


def test_tasks_of_an_episode(tmp_path: Path) -> None:
    """An episode may mix tasks; relabelling changes the rows so far and none later."""
    with DatasetWriter.create(tmp_path / 'dataset', plain_spec()) as writer:
        for labels, relabelled in (('aab', None), ('bc', 'd'), ('a', None)):
            episode = writer.begin_episode()
            for label in labels:
                episode.add({'action': 0.0}, {}, label)
            if relabelled is not None:
                episode.relabel(relabelled)
                episode.add({'action': 0.0}, {}, 'b')
            episode.save()
    dataset = Dataset.open(tmp_path / 'dataset')
    assert dataset.tasks == ['a', 'b', 'd']
    assert [list(one.tasks) for one in dataset.episodes] == [['a', 'b'], ['d', 'b'], ['a']]
    assert dataset.rows(1)['task_index'].to_pylist() == [2, 2, 1]


def test_discarding_leaves_nothing(tmp_path: Path) -> None:
    """A discarded take is in no file, and the next one takes its number."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, spec()) as writer:
        before = writer.begin_episode()
        record(before, 20)
        before.discard()
        assert not (root / '.apprentice/episode').exists() and not (root / 'data').exists()
        episode = writer.begin_episode()
        record(episode, 16, first=50, task='another')
        episode.save()
        with pytest.raises(DatasetError, match='closed; begin another'):
            before.add(row(0), {FRONT: jpeg(0), WRIST: jpeg(0)}, TASK)
    dataset = Dataset.open(root)
    assert dataset.tasks == ['another'] and len(dataset) == 16
    check_counters(dataset, 0, 16, 50)


def test_extra_files_are_published_with_the_episode(tmp_path: Path) -> None:
    """Files for meta/apprentice come with the episode; none may lie outside."""
    with DatasetWriter.create(tmp_path / 'dataset', plain_spec()) as writer:
        episode = writer.begin_episode()
        episode.add({'action': 1.0}, {}, TASK)
        with pytest.raises(DatasetError, match='below meta/apprentice'):
            episode.save({'../info.json': b'{}'})
        episode.save({'episodes/episode-000000.json': b'{"success": true}'})
    path = tmp_path / 'dataset/meta/apprentice/episodes/episode-000000.json'
    assert json.loads(path.read_text()) == {'success': True}


ONE = {'observation.state': [1, 2, 3], 'action': [1, 2, 3]}
BAD_ROWS: list[tuple[dict[str, Any], str]] = [
    ({'action': [1, 2, 3]}, r"missing \['observation.state'\]"),
    ({**ONE, 'more': 1}, r"unknown \['more'\]"),
    ({**ONE, 'action': [1, 2]}, r'action: found shape \[2\], expected \[3\]'),
    ({**ONE, 'action': 1.0}, r'action: found shape \[\], expected \[3\]'),
    ({**ONE, 'action': [1, 2, np.nan]}, 'action: .* expected finite'),
    ({**ONE, 'observation.state': [1, 2, np.inf]}, 'observation.state: .* expected finite'),
    ({**ONE, 'action': [1, 2, 1e300]}, 'action: .* expected finite'),
    ({**ONE, 'action': ['1', '2', '3']}, 'action: found <U1, expected float32'),
    ({**ONE, 'action': [[1, 2], [3]]}, 'action: '),
    ({**ONE, 'action': [1j, 2, 3]}, 'action: found complex128'),
]


@pytest.mark.parametrize(('values', 'message'), BAD_ROWS)
def test_rows_that_do_not_fit(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    """A bad row is refused by name and not taken; the episode goes on."""
    with DatasetWriter.create(tmp_path / 'dataset', spec()) as writer:
        episode = writer.begin_episode()
        pictures = {FRONT: jpeg(0), WRIST: jpeg(0)}
        episode.add(ONE, pictures, TASK)
        with pytest.raises(BadRow, match=message):
            episode.add(values, pictures, TASK)
        assert episode.length == 1
        episode.add(ONE, pictures, TASK)
        episode.save()
    assert len(Dataset.open(tmp_path / 'dataset')) == 2


def test_numbers_of_other_kinds(tmp_path: Path) -> None:
    """Bookkeeping may be unknown, whole numbers must fit, strings are strings."""
    kind = DatasetSpec(30, None, {
        'sync.offset_s': Feature('float32', (2,)), 'count': Feature('uint8', (1,)),
        'flag': Feature('bool', (1,)), 'note': Feature('string', (1,))})
    good = {'sync.offset_s': [np.nan, 1.0], 'count': 255, 'flag': True, 'note': 'n'}
    with DatasetWriter.create(tmp_path / 'dataset', kind) as writer:
        episode = writer.begin_episode()
        episode.add(good, {}, TASK)
        for name, value in (('count', 256), ('count', -1), ('count', 1.5), ('note', 3),
                            ('flag', 2), ('sync.offset_s', [1e300, 0])):
            with pytest.raises(BadRow, match=f'row: {name}'):
                episode.add({**good, name: value}, {}, TASK)
        with pytest.raises(BadRow, match='task: found int'):
            episode.add(good, {}, 3)  # type: ignore[arg-type]
        episode.save()
    table = Dataset.open(tmp_path / 'dataset').rows(0)
    assert table['count'].to_pylist() == [255] and table['flag'].to_pylist() == [True]


def test_cameras_that_do_not_fit(tmp_path: Path) -> None:
    """A missing camera, no picture to repeat and an unknown kind are refused at once."""
    with DatasetWriter.create(tmp_path / 'dataset', spec()) as writer:
        episode = writer.begin_episode()
        for pictures, message in (
                ({FRONT: jpeg(0)}, 'expected exactly'),
                ({FRONT: jpeg(0), WRIST: None}, 'none to repeat'),
                ({FRONT: EncodedImage(b'', 'webp'), WRIST: jpeg(0)}, 'jpeg | png'),
                ({FRONT: RawImage(b'', 64, 48, 'yuv', 64), WRIST: jpeg(0)}, 'rgb8 | bgr8')):
            with pytest.raises(BadRow, match=message):
                episode.add(ONE, pictures, TASK)
        with pytest.raises(DatasetError, match='no rows; discard it'):
            episode.save()
        episode.discard()


@pytest.mark.parametrize(('bad', 'message'), [
    (EncodedImage(b'no picture at all', 'jpeg'), 'no jpeg|no whole jpeg'),
    (EncodedImage(bytes(jpeg(3).data)[:-300], 'jpeg'), 'no jpeg|no whole jpeg'),
    (RawImage(bytes(32 * 32 * 3), 32, 32, 'rgb8', 96), 'of 32x32, expected 64x48'),
    (RawImage(bytes(100), 64, 48, 'rgb8', 192), 'found 100 bytes')])
def test_pictures_that_cannot_be_encoded(tmp_path: Path, bad: Any, message: str) -> None:
    """A bad picture ends the episode with camera and frame named; the next one is fine."""
    with DatasetWriter.create(tmp_path / 'dataset', spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 3)
        episode.add(ONE, {FRONT: bad, WRIST: jpeg(3)}, TASK)
        with pytest.raises(EpisodeFailed, match=f'{FRONT}, frame 3: .*({message})'):
            episode.save()
        with pytest.raises(EpisodeFailed, match='discard it'):
            episode.add(ONE, {FRONT: jpeg(4), WRIST: jpeg(4)}, TASK)
        episode.discard()
        following = writer.begin_episode()
        record(following, 16)
        following.save()
    check_counters(Dataset.open(tmp_path / 'dataset'), 0, 16)


@pytest.mark.parametrize('subsampling', ['444', '422', '420', 'gray'])
def test_colours_survive(tmp_path: Path, subsampling: str) -> None:
    """Black, white and colours come back as sent: range and matrix are right."""
    expected = []
    colours = [(0, 0, 0), (255, 255, 255), (200, 40, 40), (40, 200, 40), (40, 40, 200)]
    kind = DatasetSpec(30, None, {FRONT: spec().features[FRONT]}, VideoSettings(crf=1))
    with DatasetWriter.create(tmp_path / 'dataset', kind) as writer:
        episode = writer.begin_episode()
        for colour in colours:
            picture = np.full((48, 64, 3), colour, np.uint8)
            if subsampling == 'gray':
                colour = (colour[1],) * 3
                data = simplejpeg.encode_jpeg(picture[:, :, 1:2].copy(), 98, 'GRAY', 'gray')
            else:
                data = simplejpeg.encode_jpeg(picture, 98, colorsubsampling=subsampling)
            expected.append(colour)
            episode.add({}, {FRONT: EncodedImage(data, 'jpeg')}, TASK)
        episode.save()
    frames = Dataset.open(tmp_path / 'dataset').frames(0, FRONT)
    for colour, frame in zip(expected, frames):
        assert np.abs(frame[8:40, 8:56].astype(int) - colour).max() <= 6, colour


def test_adding_never_waits_for_the_encoder(tmp_path: Path) -> None:
    """With an encoder that does not even start, rows are taken and the backlog is told."""
    gate = threading.Event()
    with DatasetWriter.create(tmp_path / 'dataset', spec(), on_thread_start=gate.wait) as writer:
        episode = writer.begin_episode()
        record(episode, 100)
        backlog = episode.backlog
        assert {name: one.frames for name, one in backlog.items()} == {FRONT: 100, WRIST: 100}
        assert all(one.bytes > 100 * 500 for one in backlog.values())
        gate.set()
        episode.save()
    check_counters(Dataset.open(tmp_path / 'dataset'), 0, 100)


@pytest.mark.parametrize(('features', 'message'), [
    ({'index': Feature('int64', (1,))}, 'a reserved name'),
    ({'a/b': Feature('float32', (1,))}, 'without "/"'),
    ({'image_count': Feature('float32', (1,))}, 'without "image"'),
    ({FRONT: Feature('video', (47, 64, 3), ['height', 'width', 'channels'])}, 'even width'),
    ({FRONT: Feature('video', (3, 48, 64), ['channels', 'height', 'width'])}, 'height, width'),
    ({FRONT: Feature('image', (48, 64, 4), ['height', 'width', 'channels'])}, 'width, 3'),
    ({'note': Feature('language', (1,))}, 'language_persistent or language_events'),
    ({FRONT: Feature('video', (48, 64, 1), ['height', 'width', 'channels'],
                     {'depth_unit': 'cm'})}, 'mm | m'),
    ({FRONT: Feature('video', (48, 64, 1), ['height', 'width', 'channels'],
                     {'video.depth_max': 0.001})}, 'depth_max above depth_min'),
    ({'x': Feature('float32', ())}, 'a scalar has'),
    ({'x': Feature('complex64', (1,))}, 'complex64'),
    ({'x': Feature('float32', (2,), ['a'])}, '1 names, expected 2'),
    ({}, 'at least one feature')])
def test_features_that_cannot_be_recorded(
    tmp_path: Path, features: dict[str, Feature], message: str,
) -> None:
    """A bad feature is refused before a folder is made."""
    with pytest.raises(DatasetError, match=message):
        DatasetWriter.create(tmp_path / 'dataset', DatasetSpec(30, None, features))
    assert not (tmp_path / 'dataset').exists()
