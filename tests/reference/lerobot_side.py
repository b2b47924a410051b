# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Let lerobot write datasets, edit them and read them; it runs under lerobot's own Python.

    lerobot_side.py make FOLDER KIND ... [--frames N] [--height H] [--width W]
    lerobot_side.py add FOLDER CODEC               one more episode, after a resume
    lerobot_side.py read FOLDER ... [--backend B]  print what each holds, a line of JSON each
"""
from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Mapping
import hashlib
import json
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any

import numpy as np

FPS = 10
TOP, WRIST = 'observation.images.top', 'observation.images.wrist'
DEPTH = 'observation.images.depth'
METRES = 'observation.images.metres'
TASKS = ('pick the cube', 'stack the cube')
ROBOT = 'so101_follower'
JOINTS = ['shoulder.pos', 'elbow.pos', 'gripper.pos']
EDIT = 'from lerobot.scripts.lerobot_edit_dataset import main; main()'


def camera(height: int, width: int, dtype: str = 'video', channels: int = 3) -> dict[str, Any]:
    """Return a camera's feature; one channel is depth."""
    feature = {'dtype': dtype, 'shape': (height, width, channels),
               'names': ['height', 'width', 'channels']}
    return feature if channels == 3 else {**feature, 'info': {'is_depth_map': True}}


def plain() -> dict[str, Any]:
    """Return state and action: what every tool of lerobot can edit."""
    return {'observation.state': {'dtype': 'float32', 'shape': (3,), 'names': JOINTS},
            'action': {'dtype': 'float32', 'shape': (3,), 'names': JOINTS}}


def value(name: str, feature: Mapping[str, Any], number: int) -> Any:
    """Return a row's value, which tells feature and row."""
    shape, dtype = tuple(feature['shape']), feature['dtype']
    if dtype in ('video', 'image'):
        return picture(name, shape, number)
    if dtype == 'string':
        return f'row {number}, größer'
    spread = np.arange(int(np.prod(shape))).reshape(shape)
    if dtype == 'bool':
        return np.full(shape, number % 3 == 0)
    return (number + spread * (0.25 if dtype.startswith('float') else 1)).astype(dtype)


def picture(name: str, shape: tuple[int, ...], number: int) -> np.ndarray:
    """Return a smooth picture whose colours tell camera and row; depth in mm, or in metres."""
    height, width, channels = shape
    ramp = np.linspace(0, 40, width)[None, :] + np.linspace(0, 20, height)[:, None]
    if channels == 1:
        distance = (500 + 40 * number + 10 * ramp)[:, :, None]
        return (distance / 1000).astype(np.float32) if name == METRES else distance.astype(
            np.uint16)
    base = (9 * number) % 180
    colours = (base, 180 - base, 30 if name == TOP else 150)
    return np.stack([ramp + colour for colour in colours], axis=2).astype(np.uint8)


def create(root: Path, features: Mapping[str, Any], **options: Any) -> Any:
    """Begin a dataset."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    return LeRobotDataset.create('apprentice/golden', FPS, dict(features), root=root,
                                 robot_type=ROBOT, **options)


def resume(root: Path, **options: Any) -> Any:
    """Open a dataset to add to it."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    return LeRobotDataset.resume('apprentice/golden', root=root, **options)


def record(dataset: Any, *lengths: int, first: int = 0) -> None:
    """Add episodes; the tasks take turns, and a second task begins in a long episode's middle."""
    reserved = {'timestamp', 'frame_index', 'episode_index', 'index', 'task_index'}
    number = first
    for episode, length in enumerate(lengths):
        for row in range(length):
            task = TASKS[(episode + (row >= 5)) % 2]
            dataset.add_frame({'task': task, **{
                name: value(name, feature, number)
                for name, feature in dataset.features.items() if name not in reserved}})
            number += 1
        dataset.save_episode()


def edit(root: Path, operation: str, *arguments: str) -> None:
    """Run lerobot-edit-dataset."""
    subprocess.run([sys.executable, '-c', EDIT, '--repo_id', 'apprentice/golden', '--root',
                    str(root), '--operation.type', operation, *arguments],
                   check=True, stdout=sys.stderr)


def make_video(root: Path, size: argparse.Namespace) -> None:
    """Make two cameras, strings, booleans and a matrix."""
    dataset = create(root, {
        TOP: camera(size.height, size.width), WRIST: camera(size.height, size.width), **plain(),
        'note': {'dtype': 'string', 'shape': (1,), 'names': None},
        'next.done': {'dtype': 'bool', 'shape': (1,), 'names': None},
        'observation.jac': {'dtype': 'float32', 'shape': (2, 3), 'names': None}})
    record(dataset, size.frames, size.frames + 3)
    dataset.finalize()


def make_image(root: Path, size: argparse.Namespace) -> None:
    """Make pictures inside the data files."""
    dataset = create(root, {TOP: camera(size.height, size.width, 'image'), **plain()},
                     use_videos=False)
    record(dataset, size.frames, 3)
    dataset.finalize()


def make_depth_video(root: Path, size: argparse.Namespace) -> None:
    """Make a depth camera as lossless video."""
    dataset = create(root, {DEPTH: camera(size.height, size.width, channels=1), **plain()})
    record(dataset, size.frames, 4)
    dataset.finalize()


def make_depth_metres(root: Path, size: argparse.Namespace) -> None:
    """Make a depth camera that gives metres, as video."""
    dataset = create(root, {METRES: camera(size.height, size.width, channels=1), **plain()})
    record(dataset, size.frames)
    dataset.finalize()


def make_depth_image(root: Path, size: argparse.Namespace) -> None:
    """Make a depth camera as pictures inside the data files."""
    dataset = create(root, {DEPTH: camera(size.height, size.width, 'image', 1), **plain()},
                     use_videos=False)
    record(dataset, size.frames, 3)
    dataset.finalize()


def make_files(root: Path, size: argparse.Namespace) -> None:
    """Make several data and video files, two a chunk, by limits that are soon reached."""
    dataset = create(root, {TOP: camera(size.height, size.width), **plain()},
                     metadata_buffer_size=2)
    info = dataset.meta.info
    info.chunks_size, info.data_files_size_in_mb, info.video_files_size_in_mb = 2, 0.004, 0.002
    record(dataset, *[size.frames] * 6)
    dataset.finalize()
    # The limits of its writer are whole numbers; only while writing a smaller one is needed.
    path = root / 'meta/info.json'
    known = json.loads(path.read_text(encoding='utf-8'))
    known.update(data_files_size_in_mb=1, video_files_size_in_mb=1)
    path.write_text(json.dumps(known, indent=4, ensure_ascii=False), encoding='utf-8')


def make_resumed(root: Path, size: argparse.Namespace) -> None:
    """Make two sessions, H.264."""
    from lerobot.configs import RGBEncoderConfig
    encoder = RGBEncoderConfig(vcodec='h264', g=4)
    dataset = create(root, {TOP: camera(size.height, size.width), **plain()}, rgb_encoder=encoder)
    record(dataset, size.frames, 4)
    dataset.finalize()
    dataset = resume(root, rgb_encoder=encoder)
    record(dataset, size.frames, first=50)
    dataset.finalize()


def _base(root: Path, size: argparse.Namespace, first: int = 0) -> None:
    dataset = create(root, {TOP: camera(size.height, size.width), **plain()})
    record(dataset, size.frames, 4, 5, first=first)
    dataset.finalize()


def make_merged(root: Path, size: argparse.Namespace) -> None:
    """Make two datasets and join them by lerobot-edit-dataset."""
    sources = [root.with_name(f'{root.name}.{letter}') for letter in 'ab']
    for number, source in enumerate(sources):
        _base(source, size, 30 * number)
    edit(sources[0], 'merge', '--new_repo_id', 'apprentice/merged', '--new_root', str(root),
         '--operation.repo_ids', "['apprentice/a', 'apprentice/b']",
         '--operation.roots', str([str(source) for source in sources]))
    for source in sources:
        shutil.rmtree(source)


def make_deleted(root: Path, size: argparse.Namespace) -> None:
    """Make three episodes and delete the middle one by lerobot-edit-dataset."""
    source = root.with_name(f'{root.name}.source')
    _base(source, size)
    edit(source, 'delete_episodes', '--new_repo_id', 'apprentice/deleted', '--new_root',
         str(root), '--operation.episode_indices', '[1]')
    shutil.rmtree(source)


def make_split(root: Path, size: argparse.Namespace) -> None:
    """Make three episodes and keep the larger part that lerobot-edit-dataset splits off."""
    source, parts = (root.with_name(f'{root.name}.{name}') for name in ('source', 'parts'))
    _base(source, size)
    edit(source, 'split', '--new_root', str(parts),
         '--operation.splits', '{"train": [0, 2], "rest": [1]}')
    part, = (path.parent.parent for path in parts.rglob('info.json')
             if path.parent.parent.name.endswith('train'))
    part.rename(root)
    shutil.rmtree(source)
    shutil.rmtree(parts, ignore_errors=True)


KINDS: Mapping[str, Callable[[Path, argparse.Namespace], None]] = {
    name.removeprefix('make_'): make for name, make in sorted(globals().items())
    if name.startswith('make_')}


def read(root: Path, backend: str | None = None) -> dict[str, Any]:
    """
    Return what lerobot gives for every item: numbers as they are, pictures as digests.

    Statistics of distances in metres are left out: lerobot gives them in another unit than stored.
    """
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    dataset = LeRobotDataset('apprentice/golden', root=root, return_uint8=True,
                             video_backend=backend)
    items = [{name: _described(name, found) for name, found in dataset[number].items()}
             for number in range(len(dataset))]
    stats = {name: {key: np.asarray(one).tolist() for key, one in found.items()}
             for name, found in dataset.meta.stats.items() if name != METRES}
    return {'episodes': dataset.meta.total_episodes, 'items': items, 'stats': stats,
            'tasks': list(dataset.meta.tasks.index)}


def _described(name: str, found: Any) -> Any:
    if not hasattr(found, 'numpy'):
        return found
    array = found.numpy()
    if 'image' not in name:
        return array.tolist()
    if array.dtype == np.float32 and array.shape[0] == 3:
        array = np.rint(array * 255).astype(np.uint8)
    # Height before width before channels, as everybody but torch holds a picture.
    array = np.ascontiguousarray(np.moveaxis(array, 0, 2))
    return {'sha256': hashlib.sha256(array.tobytes()).hexdigest(), 'shape': list(array.shape),
            'mean': [round(float(one), 4) for one in array.mean(axis=(0, 1), dtype=np.float64)]}


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('todo', choices=('make', 'add', 'read'))
    parser.add_argument('arguments', nargs='+')
    parser.add_argument('--backend', help='the decoder of `read`: torchcodec or pyav')
    for name, default in (('frames', 8), ('height', 48), ('width', 64)):
        parser.add_argument(f'--{name}', type=int, default=default)
    options = parser.parse_args()
    root, *others = map(Path, options.arguments)
    if options.todo == 'make':
        for kind in map(str, others):
            KINDS[kind](root / kind, options)
    elif options.todo == 'add':
        from lerobot.configs import RGBEncoderConfig
        encoder = {'rgb_encoder': RGBEncoderConfig(vcodec='h264')}
        dataset = resume(root, **encoder if options.arguments[1] == 'h264' else {})
        record(dataset, options.frames, first=70)
        dataset.finalize()
    else:
        for folder in (root, *others):
            sys.stdout.write(json.dumps(read(folder, options.backend), ensure_ascii=False) + '\n')


if __name__ == '__main__':
    main()
