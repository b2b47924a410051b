# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Record what is neither a colour video nor a plain number: images, depth, arrays, language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

from apprentice_dataset import picture_files
from apprentice_dataset.depth import from_codes
from apprentice_dataset.depth_scale import DepthScale
from apprentice_dataset.edit.episodes import compact
from apprentice_dataset.edit.merge import merge
from apprentice_dataset.errors import BadRow
from apprentice_dataset.errors import EpisodeFailed
from apprentice_dataset.errors import SchemaMismatch
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.features import NUMERIC
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import RawImage
from apprentice_dataset.items import Items
from apprentice_dataset.pictures import png_bytes
from apprentice_dataset.pictures import tiff_bytes
from apprentice_dataset.reader import Dataset
from apprentice_dataset.stream import Stream
from apprentice_dataset.torch import LeRobotDataset
from apprentice_dataset.torch import StreamingLeRobotDataset
from apprentice_dataset.validate import validate
from apprentice_dataset.video import decode
from apprentice_dataset.video import to_codes
from apprentice_dataset.writer import DatasetWriter
import av
from edits import golden
from edits import is_made_of
from kinds import add
from kinds import check_kinds
from kinds import COLOUR
from kinds import COLOURS
from kinds import depth_picture
from kinds import IMAGE_DEPTH
from kinds import kinds_spec
from kinds import METRES
from kinds import millimetres
from kinds import STILL
from kinds import VIDEO_DEPTH
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import jpeg
from recording import pixels
from recording import TASK

NAMES = ['height', 'width', 'channels']


def test_every_camera_comes_back(tmp_path: Path) -> None:
    """Images, depth as image and as video, beside a colour video, over a resumption."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, kinds_spec()) as writer:
        add(writer, 21, 0)
    with DatasetWriter.open_or_create(root, kinds_spec()) as writer:
        assert writer.repaired == []
        add(writer, 5, 100)
    dataset = Dataset.open(root)
    check_kinds(dataset, 0, 21, 0)
    check_kinds(dataset, 1, 5, 100)
    assert [str(problem) for problem in validate(root, deep=True)] == []
    item, = Items(dataset.metadata).items([22])
    assert np.array_equal(item[STILL], pixels(101))
    assert np.array_equal(item[IMAGE_DEPTH][:, :, 0], millimetres(101))


def test_files_are_as_lerobot_has_them(tmp_path: Path) -> None:
    """Cells are structs of bytes and path, info.json and the footer name the kinds."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, kinds_spec()) as writer:
        add(writer, 3, 0)
    info = json.loads((root / 'meta/info.json').read_text())['features']
    assert 'info' not in info[STILL] and info[STILL]['dtype'] == 'image'
    assert info[IMAGE_DEPTH]['info'] == {'is_depth_map': True, 'depth_unit': 'mm'}
    theirs = json.loads((golden('depth_video', tmp_path) / 'meta/info.json').read_text())
    wanted = theirs['features']['observation.images.depth']['info']
    ours = info[VIDEO_DEPTH]['info']
    tuning = {'video.preset', 'video.height', 'video.width', 'video.fps'}
    assert ours.keys() == wanted.keys()
    assert {key for key in ours if ours[key] != wanted[key]} <= tuning
    file = pq.ParquetFile(root / 'data/chunk-000/file-000.parquet')
    assert file.schema_arrow.field(STILL).type == pa.struct(
        [('bytes', pa.binary()), ('path', pa.string())])
    assert file.num_row_groups == 1
    footer = json.loads(file.schema_arrow.metadata[b'huggingface'])['info']['features']
    assert footer[STILL] == footer[IMAGE_DEPTH] == {'_type': 'Image'}
    cells = file.read()
    assert cells[STILL][2].as_py()['path'] == 'frame-000002.png'
    assert cells[IMAGE_DEPTH][2].as_py() == {
        'bytes': tiff_bytes(millimetres(2)), 'path': 'frame-000002.tiff'}


def _golden_depth(number: int) -> NDArray[np.float64]:
    # What tests/reference/lerobot_side.py recorded, in mm.
    ramp = np.linspace(0, 40, 64)[None, :] + np.linspace(0, 20, 48)[:, None]
    return 500 + 40 * number + 10 * ramp


@pytest.mark.parametrize(('kind', 'camera', 'unit'), [
    ('depth_video', 'depth', 'mm'), ('depth_metres', 'metres', 'm')])
def test_codes_are_lerobots(kind: str, camera: str, unit: str, tmp_path: Path) -> None:
    """The same pictures give the codes that lerobot's mp4 holds, and its statistics."""
    dataset = Dataset.open(golden(kind, tmp_path))
    name = f'observation.images.{camera}'
    feature = dataset.info.features[name]
    scale = DepthScale.of(name, feature.info)
    assert scale.unit == unit
    mp4, = (dataset.root / 'videos' / name).rglob('*.mp4')
    stored = decode(mp4, range(len(dataset)), dataset.info.fps, to_codes)[..., 0]
    for number, codes in enumerate(stored):
        source = _golden_depth(number)
        given = source.astype(np.uint16) if unit == 'mm' else (source / 1000).astype(np.float32)
        assert np.array_equal(scale.to_codes(given), codes), number


def test_tiff_is_lerobots(tmp_path: Path) -> None:
    """A picture of distances has the bytes that lerobot stores."""
    dataset = Dataset.open(golden('depth_image', tmp_path))
    cells = dataset.rows(0)['observation.images.depth'].to_pylist()
    for number, cell in enumerate(cells):
        assert cell['bytes'] == tiff_bytes(_golden_depth(number).astype(np.uint16))


def test_codes_there_and_back() -> None:
    """Ends, zero and what lies beyond; a linear range; metres and millimetres agree."""
    scale = DepthScale.of('x', {})
    codes = scale.to_codes(np.array([[0, 9, 10, 503, 10_000, 65_535]], np.uint16))
    assert codes.tolist()[0][:3] == [0, 0, 0] and codes.tolist()[0][4:] == [4095, 4095]
    assert from_codes(codes, {}).tolist() == [[10, 10, 10, 504, 10_000, 10_000]]
    metres = DepthScale.of('x', {'depth_unit': 'm'})
    assert metres.to_codes(np.array([[0.503]], np.float32)).tolist() == [[int(codes[0, 3])]]
    info = {'video.use_log': False, 'video.depth_min': 0.0, 'video.depth_max': 4.095}
    linear = DepthScale.of('x', info).to_codes(np.array([[0, 1, 1500, 5000]], np.uint16))
    assert linear.tolist() == [[0, 1, 1500, 4095]]
    assert from_codes(linear, info).tolist() == [[0, 1, 1500, 4095]]


@pytest.mark.parametrize('dtype', ['image', 'video'])
def test_statistics_are_lerobots(dtype: str, tmp_path: Path) -> None:
    """The pictures that a golden dataset was made of give its statistics."""
    kind = f'depth_{dtype}'
    theirs = Dataset.open(golden(kind, tmp_path))
    name = 'observation.images.depth'
    feature = replace(theirs.info.features[name], info=None)
    with DatasetWriter.create(tmp_path / 'ours', DatasetSpec(10, None, {name: feature})) as writer:
        for length, first in ((8, 0), (len(theirs) - 8, 8)):
            episode = writer.begin_episode()
            for number in range(first, first + length):
                values = _golden_depth(number).astype(np.uint16)
                episode.add({}, {name: RawImage(values, 64, 48, '16UC1', 128)}, TASK)
            episode.save()
    ours = Dataset.open(tmp_path / 'ours').metadata.stats[name]
    for key, value in theirs.metadata.stats[name].items():
        assert ours[key].shape == value.shape, key
        # Quantiles lie within a bin of each other where bins end on whole millimetres.
        np.testing.assert_allclose(ours[key], value, err_msg=key,
                                   rtol=1e-3 if key.startswith('q') else 1e-6)


def test_statistics_of_images(tmp_path: Path) -> None:
    """They are of the pixels, in [0, 1], as for a video of the same pictures."""
    spec = DatasetSpec(30, None, {FRONT: COLOUR, STILL: COLOURS})
    with DatasetWriter.create(tmp_path / 'dataset', spec) as writer:
        episode = writer.begin_episode()
        for number in range(5):
            episode.add({}, {FRONT: jpeg(number), STILL: jpeg(number)}, TASK)
        episode.save()
    stats = Dataset.open(tmp_path / 'dataset').metadata.stats
    assert stats[STILL]['mean'].shape == (3, 1, 1) and stats[STILL]['count'].tolist() == [5]
    assert 0.05 < stats[STILL]['mean'].mean() < 0.5
    for key, value in stats[FRONT].items():
        assert np.array_equal(stats[STILL][key], value), key


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'mono8', 'jpeg', 'png'])
def test_images_of_every_encoding(tmp_path: Path, encoding: str) -> None:
    """Pixels come back exactly; a PNG stays byte for byte."""
    picture = pixels(5)
    if encoding in ('rgb8', 'bgr8', 'png'):
        picture[:, :, 0] //= 2
    sent = {
        'rgb8': lambda: RawImage(picture.tobytes(), 64, 48, 'rgb8', 192),
        'bgr8': lambda: RawImage(picture[:, :, ::-1].tobytes(), 64, 48, 'bgr8', 192),
        'mono8': lambda: RawImage(picture[:, :, 0].tobytes(), 64, 48, 'mono8', 64),
        'jpeg': lambda: jpeg(5),
        'png': lambda: EncodedImage(png_bytes(picture, 9), 'png')}[encoding]()
    with DatasetWriter.create(tmp_path / 'dataset',
                              DatasetSpec(30, None, {STILL: COLOURS})) as writer:
        episode = writer.begin_episode()
        for one in (sent, None):
            episode.add({}, {STILL: one}, TASK)
        episode.save()
    dataset = Dataset.open(tmp_path / 'dataset')
    found = dataset.frames(0, STILL).astype(int)
    assert np.abs(found - picture).max() <= (12 if encoding == 'jpeg' else 0)
    cells = dataset.rows(0)[STILL].to_pylist()
    assert cells[0]['bytes'] == cells[1]['bytes']
    if encoding == 'png':
        assert cells[0]['bytes'] == sent.data


def test_more_pictures_than_a_piece_of_a_column_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond what 32 bits count a column has several pieces, each picture in its place."""
    monkeypatch.setattr(picture_files, '_MOST_BYTES', 5000)
    sent = [bytes([number]) * size for number, size in enumerate((2000, 3000, 1, 6000, 4000))]
    file = picture_files.PictureFile(tmp_path / 'camera.mp4', 30)
    for picture in sent:
        file.write(picture)
    file.close()
    column = picture_files.image_column(tmp_path / 'camera.mp4', 'png')
    assert [len(chunk) for chunk in column.chunks] == [2, 1, 1, 1]
    assert [cell['bytes'] for cell in column.to_pylist()] == sent
    assert column[4].as_py()['path'] == 'frame-000004.png'


def test_what_was_not_measured_is_nought(tmp_path: Path) -> None:
    """Of metres, NaN, infinity and what is negative become 0, and statistics stay finite."""
    name = 'observation.images.far'
    feature = Feature('image', (4, 6, 1), NAMES, {'depth_unit': 'm'})
    values = np.full((4, 6), 1.5, np.float32)
    values[0, :4] = np.nan, np.inf, -np.inf, -1
    with DatasetWriter.create(tmp_path / 'dataset', DatasetSpec(30, None, {name: feature})
                              ) as writer:
        episode = writer.begin_episode()
        episode.add({}, {name: RawImage(values, 6, 4, '32FC1', 24)}, TASK)
        episode.save()
    dataset = Dataset.open(tmp_path / 'dataset')
    found = dataset.frames(0, name)[0, :, :, 0]
    assert found[0].tolist() == [0, 0, 0, 0, 1500, 1500] and (found[1:] == 1500).all()
    assert dataset.metadata.stats[name]['max'].tolist() == [[[1.5]]]


def test_sixteen_bit_png(tmp_path: Path) -> None:
    """Depth in a PNG of 16 bits is taken; one of 8 bits ends the episode."""
    name = 'observation.images.depth'

    def png(values: NDArray[Any], form: str) -> EncodedImage:
        context: Any = av.CodecContext.create('png', 'w')
        context.height, context.width, context.pix_fmt = *values.shape, form
        context.time_base = 1
        frame = av.VideoFrame.from_ndarray(values, form.replace('be', 'le')).reformat(format=form)
        return EncodedImage(b''.join(bytes(one) for one in (
            *context.encode(frame), *context.encode(None))), 'png')
    spec = DatasetSpec(30, None, {name: Feature('video', (48, 64, 1), NAMES)})
    values = np.tile(np.arange(400, 464, dtype=np.uint16), (48, 1))
    with DatasetWriter.create(tmp_path / 'dataset', spec) as writer:
        episode = writer.begin_episode()
        episode.add({}, {name: png(values, 'gray16be')}, TASK)
        episode.save()
        found = Dataset.open(writer.root).frames(0, name)[0, :, :, 0]
        assert np.abs(found - values).max() <= 2
        episode = writer.begin_episode()
        episode.add({}, {name: png(values.astype(np.uint8), 'gray')}, TASK)
        with pytest.raises(EpisodeFailed, match='of 8 bits, expected 16'):
            episode.save()


def test_cameras_that_do_not_fit(tmp_path: Path) -> None:
    """Another encoding or unit is refused at once, another size by the encoder, by name."""
    raw = RawImage(bytes(48 * 64 * 4), 64, 48, '32FC1', 256)
    features = {VIDEO_DEPTH: Feature('video', (48, 64, 1), NAMES),
                METRES: Feature('image', (48, 64, 1), NAMES, {'depth_unit': 'm'})}
    good = {VIDEO_DEPTH: depth_picture(1), METRES: raw}
    with DatasetWriter.create(tmp_path / 'dataset', DatasetSpec(30, None, features)) as writer:
        episode = writer.begin_episode()
        for name, picture, message in (
                (VIDEO_DEPTH, raw, 'expected RawImage of 16UC1 or EncodedImage of png, 16 bits'),
                (METRES, depth_picture(1), 'expected RawImage of 32FC1: distances in m'),
                (METRES, EncodedImage(b'', 'png'), 'distances in m'),
                (VIDEO_DEPTH, jpeg(1), 'distances in mm'),
                (VIDEO_DEPTH, replace(raw, encoding='rgb8'), 'distances in mm')):
            with pytest.raises(BadRow, match=f'(?s)row: {name}: .*{message}'):
                episode.add({}, {**good, name: picture}, TASK)
        assert episode.length == 0
        episode.add({}, {**good, METRES: replace(raw, width=32)}, TASK)
        with pytest.raises(EpisodeFailed, match=f'{METRES}, frame 0: .*32x48, expected 64x48'):
            episode.save()


ARRAYS = {f'of.{dtype}.{len(shape)}': Feature(dtype, shape) for dtype in NUMERIC
          for shape in ((1,), (3,), (2, 3), (1, 1), (2, 1, 2), (1, 2, 2, 1), (2, 1, 1, 1, 2))
          if dtype in ('float32', 'bool', 'int16') or len(shape) < 3}


def _value(feature: Feature, number: int) -> NDArray[Any]:
    size = int(np.prod(feature.shape))
    return ((np.arange(size) + number) % (2 if feature.dtype == 'bool' else 100)).reshape(
        feature.shape).astype(feature.dtype)


def test_arrays_of_every_type_and_rank(tmp_path: Path) -> None:
    """Every number of every shape comes back as it was, in the types of the format."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, DatasetSpec(30, None, ARRAYS)) as writer:
        for length in (1, 4):
            episode = writer.begin_episode()
            for number in range(length):
                episode.add({name: _value(feature, number)
                             for name, feature in ARRAYS.items()}, {}, TASK)
            episode.save()
    dataset = Dataset.open(root)
    item, = Items(dataset.metadata).items([3])
    schema = pq.read_schema(root / 'data/chunk-000/file-001.parquet')
    for name, feature in ARRAYS.items():
        wanted = _value(feature, 2)
        assert item[name].dtype == feature.dtype, name
        assert np.array_equal(item[name], wanted.reshape(item[name].shape)), name
        shape = () if feature.shape == (1,) else feature.shape
        assert item[name].shape == shape, name
        assert dataset.metadata.stats[name]['mean'].shape == feature.shape[-1:], name
        field = schema.field(name)
        if len(feature.shape) > 1:
            marked = field.metadata[b'ARROW:extension:name'].decode()
            assert marked == f'datasets.features.features.Array{len(shape)}DExtensionType'
        elif shape:
            assert pa.types.is_fixed_size_list(field.type)
    assert [str(problem) for problem in validate(root, deep=True)] == []


PLAN = {'role': 'assistant', 'content': 'reach for the cube', 'style': 'plan', 'timestamp': 0}
SAY = {'role': 'assistant', 'tool_calls': [
    {'type': 'function', 'function': {'name': 'say', 'arguments': {'text': 'größer'}}}]}
ASK = {'role': 'user', 'content': 'where is it?', 'style': 'vqa', 'camera': FRONT}
LANGUAGE = {'language_persistent': Feature('language', (1,)),
            'language_events': Feature('language', (1,)), 'action': Feature('float32', (1,))}


def _talk(number: int) -> dict[str, Any]:
    return {'language_persistent': [PLAN], 'action': number,
            'language_events': [[], [SAY, ASK], [SAY]][number % 3]}


def test_language(tmp_path: Path) -> None:
    """Both columns come back, with nulls where nothing was said, whatever calls a file has."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, DatasetSpec(30, None, LANGUAGE)) as writer:
        for length in (1, 5):
            episode = writer.begin_episode()
            for number in range(length):
                episode.add(_talk(number), {}, TASK)
            episode.save()
    dataset = Dataset.open(root)
    items = Items(dataset.metadata).items(range(6))
    whole = {'camera': None, 'tool_calls': None}
    assert items[4]['language_persistent'] == [{**whole, **PLAN}]
    said = {'content': None, 'style': None, 'camera': None, **SAY}
    assert [item['language_events'] for item in items[:4]] == [
        [], [], [said, {**whole, **ASK}], [said]]
    assert not any(name.startswith('language') for name in dataset.metadata.stats)
    footer = pq.read_schema(root / 'data/chunk-000/file-001.parquet').metadata or {}
    assert b'huggingface' not in footer
    assert [str(problem) for problem in validate(root, deep=True)] == []
    merge([root, root], tmp_path / 'merged')
    assert Items(Dataset.open(tmp_path / 'merged').metadata).items([8])[0]['language_events'] == \
        items[2]['language_events']


@pytest.mark.parametrize(('name', 'value', 'message'), [
    ('language_events', 'hello', 'found str, expected a list'),
    ('language_events', ['hello'], 'entry 0: found str'),
    ('language_events', [{'content': 'x'}], r'entry 0: found \[.content.\], expected .*role'),
    ('language_events', [{**SAY, 'timestamp': 0.1}], 'timestamp'),
    ('language_events', [SAY, {'role': 'user', 'content': 3}], 'entry 1: content: found 3'),
    ('language_events', [{**ASK, 'camera': None}], 'expected a camera for vqa and trace'),
    ('language_events', [{**SAY, 'camera': FRONT}], 'none for others'),
    ('language_events', [{**SAY, 'tool_calls': ['say']}], 'tool_calls: no list of dicts'),
    ('language_events', [{**SAY, 'tool_calls': [{'arguments': {}}]}], 'an empty dict'),
    ('language_events', [{**SAY, 'tool_calls': [{'a': float('nan')}]}], 'tool_calls: '),
    ('language_persistent', [{**PLAN, 'timestamp': None}], 'timestamp: found None'),
    ('language_persistent', [{**PLAN, 'content': 'rest'}], 'same in every row')])
def test_language_that_does_not_fit(
    tmp_path: Path, name: str, value: Any, message: str,
) -> None:
    """It is refused by name, the row is not taken and the episode goes on."""
    with DatasetWriter.create(tmp_path / 'dataset', DatasetSpec(30, None, LANGUAGE)) as writer:
        episode = writer.begin_episode()
        episode.add(_talk(0), {}, TASK)
        with pytest.raises(BadRow, match=f'row: {name}: .*{message}'):
            episode.add({**_talk(1), name: value}, {}, TASK)
        episode.add(_talk(1), {}, TASK)
        assert episode.save().length == 2


def test_calls_that_contradict_each_other(tmp_path: Path) -> None:
    """An argument of two types cannot be a column: the row is refused, others go together."""
    def row(**arguments: Any) -> dict[str, Any]:
        calls = [{'function': {'arguments': arguments}}]
        return {**_talk(0), 'language_events': [{**SAY, 'tool_calls': calls}]}
    with DatasetWriter.create(tmp_path / 'dataset', DatasetSpec(30, None, LANGUAGE)) as writer:
        episode = writer.begin_episode()
        episode.add(row(force='much'), {}, TASK)
        with pytest.raises(BadRow, match='language_events: tool_calls: .*in one type'):
            episode.add(row(force=3), {}, TASK)
        for values in (row(x=1), row(x=0.5, force='little'), _talk(1)):
            episode.add(values, {}, TASK)
        episode.save()
    assert [str(problem) for problem in validate(tmp_path / 'dataset', deep=True)] == []


@pytest.mark.parametrize('kind', ['image', 'depth_image', 'depth_video', 'depth_metres'])
def test_we_go_on_where_lerobot_ended(kind: str, tmp_path: Path) -> None:
    """A dataset of lerobot's takes an episode of ours; what it held stays."""
    root = golden(kind, tmp_path)
    before = Dataset.open(root)
    features = {name: replace(feature, info=None)
                for name, feature in before.info.features.items()
                if name.startswith(('observation', 'action'))}
    camera, = (name for name, feature in features.items() if feature.is_camera)
    old = before.frames(0, camera)
    unit = (before.info.features[camera].info or {}).get('depth_unit')
    distances = millimetres(7)
    sent: Any = {None: lambda: jpeg(7), 'mm': lambda: depth_picture(7), 'm': lambda: RawImage(
        (distances / 1000).astype(np.float32), 64, 48, '32FC1', 256)}[unit]()
    spec = DatasetSpec(10, before.info.robot_type, features)
    with DatasetWriter.resume(root, spec) as writer:
        episode = writer.begin_episode()
        for _ in range(5):
            episode.add({'observation.state': [1, 2, 3], 'action': [4, 5, 6]}, {camera: sent},
                        TASK)
        episode.save()
    assert [str(problem) for problem in validate(root, deep=True)] == []
    dataset = Dataset.open(root)
    assert np.array_equal(dataset.frames(0, camera), old)
    found = dataset.frames(len(before.episodes), camera)
    assert found.shape[0] == 5
    if unit:
        assert np.abs(found[4, :, :, 0] - distances).max() <= (0 if 'image' in kind else 2)
    assert np.isfinite(dataset.metadata.stats[camera]['mean']).all()


@pytest.mark.parametrize(('change', 'fields'), [
    ({VIDEO_DEPTH: Feature('video', (48, 64, 1), NAMES, {'depth_unit': 'm'})},
     [f'features.{VIDEO_DEPTH}.info.depth_unit']),
    ({VIDEO_DEPTH: Feature('video', (48, 64, 1), NAMES, {'video.depth_max': 4.0})},
     [f'features.{VIDEO_DEPTH}.info.video.depth_max']),
    ({VIDEO_DEPTH: Feature('image', (48, 64, 1), NAMES)}, [f'features.{VIDEO_DEPTH}.dtype']),
    ({STILL: replace(COLOURS, dtype='video')}, [f'features.{STILL}.dtype']),
    ({STILL: Feature('image', (48, 64, 1), NAMES)},
     [f'features.{STILL}.shape', f'features.{STILL}.info.depth_unit']),
    ({IMAGE_DEPTH: Feature('image', (48, 64, 1), NAMES, {'depth_unit': 'm'})},
     [f'features.{IMAGE_DEPTH}.info.depth_unit'])])
def test_every_difference_is_named(
    tmp_path: Path, change: Mapping[str, Feature], fields: list[str],
) -> None:
    """Another unit, range, dtype or number of channels is refused with the field's name."""
    DatasetWriter.create(tmp_path / 'dataset', kinds_spec()).close()
    spec = kinds_spec()
    with pytest.raises(SchemaMismatch) as caught:
        DatasetWriter.resume(tmp_path / 'dataset',
                             replace(spec, features={**spec.features, **change}))
    assert [one.where for one in caught.value.differences] == fields
    DatasetWriter.resume(tmp_path / 'dataset', spec).close()


def test_subtasks_are_named(tmp_path: Path) -> None:
    """Items tell the subtask of older datasets, which go on being recorded as numbers."""
    spec = DatasetSpec(30, None, {'subtask_index': Feature('int64', (1,))})
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, spec) as writer:
        episode = writer.begin_episode()
        for number in (1, 0, 1):
            episode.add({'subtask_index': number}, {}, TASK)
        episode.save()
    assert 'subtask' not in Items(Dataset.open(root).metadata).items([0])[0]
    table = pa.table({'subtask_index': [0, 1], 'subtask': ['reach', 'grasp']})
    pq.write_table(table.replace_schema_metadata(
        {'pandas': json.dumps({'index_columns': ['subtask']})}), root / 'meta/subtasks.parquet')
    metadata = Dataset.open(root).metadata
    window = {'subtask_index': [0.0, 1 / 30]}
    for items in (Items(metadata), Items(metadata, delta_timestamps=window)):
        assert [item['subtask'] for item in items.items([0, 1, 2])] == ['grasp', 'reach', 'grasp']
    streamed = Stream(root, delta_timestamps=window, shuffle=False).items()
    assert [item['subtask'] for item in streamed] == ['grasp', 'reach', 'grasp']
    for dataset in (LeRobotDataset('a/b', root),
                    StreamingLeRobotDataset('a/b', root, shuffle=False)):
        assert [item['subtask'] for item in dataset] == ['grasp', 'reach', 'grasp']


def test_files_roll_over_each_for_itself(tmp_path: Path) -> None:
    """Compacted, data and each camera's mp4s end at their own limits; recording goes on behind."""
    roots = [tmp_path / name for name in 'ab']
    for root in roots:
        with DatasetWriter.create(root, kinds_spec()) as writer:
            for first in (0, 100):
                add(writer, 30, first, noise=True)
        path = root / 'meta/info.json'
        info = json.loads(path.read_text())
        info.update(data_files_size_in_mb=1, video_files_size_in_mb=1, chunks_size=2)
        path.write_text(json.dumps(info))
    sources = [Dataset.open(root) for root in roots]
    merge(roots, tmp_path / 'merged')
    compact(tmp_path / 'merged', None)
    merged = Dataset.open(tmp_path / 'merged')
    is_made_of(merged, [(source, number) for source in sources for number in (0, 1)])
    data = [(one.data.chunk, one.data.file) for one in merged.episodes]
    assert data[0] == (0, 0) and data[-1] > (0, 0)
    mp4s = {camera: [one.videos[camera].number for one in merged.episodes]
            for camera in merged.info.cameras}
    assert set(mp4s[FRONT]) == {(0, 0)}
    last = max(data)
    with DatasetWriter.resume(tmp_path / 'merged', kinds_spec()) as writer:
        add(writer, 3, 50)
    resumed = Dataset.open(tmp_path / 'merged')
    assert [str(problem) for problem in validate(resumed.root)] == []
    check_kinds(resumed, 4, 3, 50)
    added = resumed.episodes[4]
    assert added.data == ((last[0], last[1] + 1) if last[1] == 0 else (last[0] + 1, 0))
    assert added.videos[FRONT].number == (0, 1)
