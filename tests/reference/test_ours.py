# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""lerobot reads every item of what we write and convert as we do, and goes on where we ended."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from apprentice_dataset.edit.episodes import compact
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.features import NUMERIC
from apprentice_dataset.features import VideoSettings
from apprentice_dataset.images import RawImage
from apprentice_dataset.reader import Dataset
from apprentice_dataset.v2.convert import convert
from apprentice_dataset.v2.convert import ConvertSettings
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from exchange import read
from exchange import side
from exchange import under_lerobot
from exchange import unlike
from lerobot_side import DEPTH
from lerobot_side import FPS
from lerobot_side import JOINTS
from lerobot_side import METRES
from lerobot_side import picture
from lerobot_side import ROBOT
from lerobot_side import TASKS
from lerobot_side import TOP
from lerobot_side import value
from lerobot_side import WRIST
import numpy as np
from older import build
import pytest

SHAPE = (96, 128, 3)
CAMERA = Feature('video', SHAPE, ['height', 'width', 'channels'])
PLAIN = {'observation.state': Feature('float32', (3,), JOINTS),
         'action': Feature('float32', (3,), JOINTS)}
MORE = {'note': Feature('string', (1,)), 'next.done': Feature('bool', (1,)),
        'observation.jac': Feature('float32', (2, 3)), 'sync.stamp_ns': Feature('int64', (1,)),
        'sync.offset_s': Feature('float32', (2,), ['front', 'follower'])}
LENGTHS = (40, 21, 33)


def add(writer: DatasetWriter, spec: DatasetSpec, length: int, first: int) -> None:
    """Record an episode whose rows and pictures count."""
    episode = writer.begin_episode()
    for number in range(first, first + length):
        values = {name: said(name, number) if feature.dtype == 'language'
                  else value(name, feature.to_json(), number)
                  for name, feature in spec.features.items() if not feature.is_camera}
        pictures = {name: sent(name, feature, number)
                    for name, feature in spec.features.items() if feature.is_camera}
        episode.add(values, pictures, TASKS[number // 30 % 2])
    episode.save()


def sent(name: str, feature: Feature, number: int) -> RawImage:
    """Return a row's picture as a camera sends it."""
    pixels = picture(name, feature.shape, number)
    encoding = {'uint8': 'rgb8', 'uint16': '16UC1', 'float32': '32FC1'}[str(pixels.dtype)]
    return RawImage(pixels, SHAPE[1], SHAPE[0], encoding, pixels.strides[0])


def said(name: str, number: int) -> list[dict[str, Any]]:
    """Return a row's language; calls come in some episodes only."""
    if name == 'language_persistent':
        return [{'role': 'assistant', 'content': 'reach', 'style': 'subtask', 'timestamp': 0.0}]
    call = {'type': 'function', 'function': {'name': 'say', 'arguments': {'text': 'größer'}}}
    return [{'role': 'assistant', 'tool_calls': [call]}] if number == 55 else [
        {'role': 'user', 'content': 'faster', 'style': 'interjection'}] if number % 7 == 0 else []


def full_spec(codec: str | None = None) -> DatasetSpec:
    """Return every kind of feature that the writer takes."""
    return DatasetSpec(FPS, ROBOT, {TOP: CAMERA, WRIST: CAMERA, **PLAIN, **MORE},
                       VideoSettings(codec))


def other_spec() -> DatasetSpec:
    """Return cameras of every other kind."""
    depth, names = (*SHAPE[:2], 1), CAMERA.names
    return DatasetSpec(FPS, ROBOT, {
        TOP: CAMERA, WRIST: Feature('image', SHAPE, names), DEPTH: Feature('video', depth, names),
        METRES: Feature('image', depth, names, {'depth_unit': 'm'}), **PLAIN})


def arrays_spec() -> DatasetSpec:
    """Return numbers of every type and rank, and language."""
    shapes = ((1,), (3,), (1, 1), (2, 3), (2, 1, 2), (1, 2, 2, 1), (2, 1, 1, 1, 2))
    arrays = {f'of.{dtype}.{len(shape)}.{shape[0]}': Feature(dtype, shape)
              for dtype in NUMERIC for shape in shapes
              if dtype in ('float32', 'bool', 'int16') or len(shape) < 3}
    return DatasetSpec(FPS, ROBOT, {
        **arrays, 'language_persistent': Feature('language', (1,)),
        'language_events': Feature('language', (1,))})


def plain_spec(codec: str | None = None) -> DatasetSpec:
    """Return what lerobot's side records as well."""
    return DatasetSpec(FPS, ROBOT, {TOP: CAMERA, **PLAIN}, VideoSettings(codec))


@pytest.mark.parametrize('codec', ['h264', 'av1'])
def test_every_kind_of_feature_while_we_record_and_after(codec: str, tmp_path: Path) -> None:
    """Whatever the writer takes comes out of lerobot, while a session runs and after it."""
    spec = full_spec(codec)
    root = tmp_path / 'ours'
    with DatasetWriter.create(root, spec) as writer:
        for number, length in enumerate(LENGTHS):
            add(writer, spec, length, 50 * number)
        running = writer.begin_episode()
        assert unlike(root) == []
        running.discard()
    assert unlike(root) == []


def test_other_cameras_while_we_record_and_after(tmp_path: Path) -> None:
    """Images and depth, and lerobot's own episode behind ours, and ours behind that."""
    spec, root = other_spec(), tmp_path / 'ours'
    for number, length in enumerate(LENGTHS[:2]):
        with DatasetWriter.open_or_create(root, spec) as writer:
            add(writer, spec, length, 50 * number)
            running = writer.begin_episode()
            assert unlike(root) == []
            running.discard()
        side('add', root, 'h264')
    assert [str(problem) for problem in validate(root, deep=True)] == []
    assert len(Dataset.open(root).episodes) == 4
    assert unlike(root) == []
    compact(root, tmp_path / 'joined')
    assert unlike(tmp_path / 'joined') == []


def test_arrays_and_language(tmp_path: Path) -> None:
    """Every type and rank of numbers, and columns of language whose files differ in type."""
    spec, root = arrays_spec(), tmp_path / 'ours'
    with DatasetWriter.create(root, spec) as writer:
        for number in range(2):
            add(writer, spec, 6, 50 * number)
    assert unlike(root) == []


def test_datasets_opens_what_we_write(tmp_path: Path) -> None:
    """The library that lerobot reads by knows pictures and arrays by the footer alone."""
    spec, root = other_spec(), tmp_path / 'ours'
    matrix = replace(spec, features={**spec.features, 'jac': Feature('float32', (2, 3))})
    with DatasetWriter.create(root, matrix) as writer:
        add(writer, matrix, 3, 0)
    code = ('import datasets, sys; found = datasets.Dataset.from_parquet(sys.argv[1]); '
            'print(sorted({type(one).__name__ for one in found.features.values()}), '
            f'found[1]["{WRIST}"].size)')
    said_of_it = under_lerobot('-c', code, str(root / 'data/chunk-000/file-000.parquet'))
    assert said_of_it.split('\n')[-2] == "['Array2D', 'Image', 'List', 'Value'] (128, 96)"


def test_lerobot_goes_on_where_we_ended_and_so_do_we(tmp_path: Path) -> None:
    """An episode of lerobot's between two sessions of ours."""
    root, spec = tmp_path / 'mixed', plain_spec('h264')
    for number in range(2):
        with DatasetWriter.open_or_create(root, spec) as writer:
            add(writer, spec, LENGTHS[number], 100 * number)
        side('add', root, 'h264')
    assert [str(problem) for problem in validate(root, deep=True)] == []
    assert len(Dataset.open(root).episodes) == 4
    assert unlike(root) == []


@pytest.mark.parametrize(('kind', 'codec'), [('files', 'av1'), ('resumed', 'h264')])
def test_we_go_on_where_lerobot_ended(kind: str, codec: str, tmp_path: Path) -> None:
    """Two episodes of ours behind those of lerobot, several files or not."""
    side('make', tmp_path, kind, '--frames', '12', '--height', '96', '--width', '128')
    with DatasetWriter.resume(tmp_path / kind, plain_spec(codec)) as writer:
        for first in (7, 90):
            add(writer, plain_spec(codec), 15, first)
    assert [str(problem) for problem in validate(tmp_path / kind, deep=True)] == []
    assert unlike(tmp_path / kind) == []


def test_what_we_convert_is_read_by_lerobot(tmp_path: Path) -> None:
    """Convert v2.0 and v2.1, with B-frames and without, to one file or many."""
    roots = []
    for version, codec, limit in (('v2.0', 'av1', 100), ('v2.1', 'h264', 100), ('v2.1', 'av1', 0)):
        old = tmp_path / f'{version}-{codec}-{limit}'
        build(old, 31, 8, 44, version=version, codec=codec, chunks_size=2)
        roots.append(tmp_path / f'{old.name}-new')
        convert(old, roots[-1], ConvertSettings(limit, limit))
    build(tmp_path / 'pictures', 9, 5, image=True)
    roots.append(tmp_path / 'pictures-new')
    convert(tmp_path / 'pictures', roots[-1])
    assert unlike(*roots) == []


def test_we_convert_as_lerobot_does(tmp_path: Path) -> None:
    """The same items as its own converter makes; its statistics, and those that it leaves out."""
    build(tmp_path / 'old', 31, 8, 44, matrix=False)
    convert(tmp_path / 'old', tmp_path / 'ours')
    under_lerobot('-m', 'lerobot.scripts.convert_dataset_v21_to_v30', '--repo-id=test/older',
                  f'--root={tmp_path / "old"}', '--push-to-hub=false')
    assert (tmp_path / 'old_old').exists()
    theirs, ours = read([tmp_path / 'old', tmp_path / 'ours'])
    assert ours['items'] == theirs['items'] and ours['tasks'] == theirs['tasks']
    for name, found in theirs['stats'].items():
        for key, one in found.items():
            assert np.allclose(ours['stats'][name][key], one, rtol=1e-9, atol=1e-12), (name, key)
        assert 'q50' in ours['stats'][name] and 'q50' not in found


def test_a_converted_dataset_survives_a_resume(tmp_path: Path) -> None:
    """What we converted still loads when lerobot added to it; what it converts does not."""
    build(tmp_path / 'old', 12, 9, cameras=(TOP,), matrix=False)
    convert(tmp_path / 'old', tmp_path / 'new')
    side('add', tmp_path / 'new', 'h264', '--frames', '12')
    assert [str(problem) for problem in validate(tmp_path / 'new', deep=True)] == []
    assert len(Dataset.open(tmp_path / 'new').episodes) == 3
    assert unlike(tmp_path / 'new') == []
