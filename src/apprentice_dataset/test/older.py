# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Build datasets of the formats v2.0 and v2.1, by hand, from what is known of them."""
from __future__ import annotations

from fractions import Fraction
import json
import os
from pathlib import Path
from typing import Any

from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.statistics import numeric_statistics
import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from recording import CAMERAS
from recording import FRONT
from recording import HEIGHT
from recording import JOINTS
from recording import pixels
from recording import WIDTH

FPS = 30
TASKS = ['pick the cube', 'stack the cube']
DATA = 'data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet'
VIDEO = 'videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4'
PLAIN: dict[str, dict[str, Any]] = {
    'observation.state': {'dtype': 'float32', 'shape': [3], 'names': {'motors': JOINTS}},
    'action': {'dtype': 'float32', 'shape': [3], 'names': {'motors': JOINTS}},
    'next.done': {'dtype': 'bool', 'shape': [1], 'names': None},
    'observation.jac': {'dtype': 'float32', 'shape': [2, 3], 'names': None},
    'timestamp': {'dtype': 'float32', 'shape': [1], 'names': None},
    **{name: {'dtype': 'int64', 'shape': [1], 'names': None}
       for name in ('frame_index', 'episode_index', 'index', 'task_index')}}


class Older:
    """Write a dataset of v2.x; pictures and states count from 100 times the episode's number."""

    def __init__(
        self, root: Path, version: str = 'v2.1', codec: str = 'h264', chunks_size: int = 1000,
        cameras: tuple[str, ...] = CAMERAS, camera_stats: bool = True, matrix: bool = True,
        image: bool = False,
    ) -> None:
        """Take what differs between those that are met."""
        self.root, self.version, self.codec, self.chunks_size = root, version, codec, chunks_size
        self.cameras, self.camera_stats, self.image = cameras, camera_stats, image
        video = {'dtype': 'video', 'shape': [HEIGHT, WIDTH, 3],
                 'names': ['height', 'width', 'channel'],
                 'video_info' if version == 'v2.0' else 'info': {
                     'video.fps': float(FPS), 'video.codec': codec, 'video.pix_fmt': 'yuv420p',
                     'video.is_depth_map': False, 'has_audio': False}}
        self.plain = {name: feature for name, feature in PLAIN.items()
                      if matrix or len(feature['shape']) == 1}
        if image:
            video = {'dtype': 'image', **{key: video[key] for key in ('shape', 'names')}}
        self.features = {**{camera: video for camera in cameras}, **self.plain}
        self.lengths: list[int] = []
        self._stats: list[dict[str, Any]] = []
        (root / 'meta').mkdir(parents=True)

    def add(self, length: int, tasks: tuple[int, ...] = (0,)) -> None:
        """Write the files of the next episode; its tasks take equal shares."""
        number = len(self.lengths)
        columns = self._columns(number, length, tasks)
        path = self.root / self._path(DATA, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        table = {name: pa.array(values.tolist(), type=_arrow(self.plain[name]))
                 for name, values in columns.items()}
        stats = {name: {key: found.tolist() for key, found in numeric_statistics(values).items()
                        if key[0] != 'q'} for name, values in columns.items()}
        for place, camera in enumerate(self.cameras):
            pictures = [pixels(1000 * place + 100 * number + row) for row in range(length)]
            if self.image:
                table[camera] = pa.array([{'bytes': png(picture), 'path': f'frame_{row:06d}.png'}
                                          for row, picture in enumerate(pictures)])
            else:
                write_mp4(self.root / self._path(VIDEO, number, camera), pictures, self.codec)
            if self.camera_stats:
                sampler = PictureSampler()
                for picture in pictures:
                    sampler.take(picture)
                stats[camera] = {key: found.tolist() for key, found in
                                 sampler.statistics().items() if key[0] != 'q'}
        pq.write_table(pa.table(table), path)
        self._stats.append(stats)
        self.lengths.append(length)
        self._lines('episodes', {'episode_index': number, 'length': length,
                                 'tasks': [TASKS[task] for task in tasks]})
        if self.version != 'v2.0':
            self._lines('episodes_stats', {'episode_index': number, 'stats': stats})

    def _columns(self, number: int, length: int, tasks: tuple[int, ...]) -> dict[str, Any]:
        frames = np.arange(length)
        state = (100 * number + frames)[:, None] + np.array([0, 0.25, 0.5])
        shares = np.array(tasks)[frames * len(tasks) // length]
        columns = {
            'observation.state': state.astype(np.float32),
            'action': (state + 1).astype(np.float32), 'next.done': frames == length - 1,
            'observation.jac': np.stack([state, -state], axis=1).astype(np.float32),
            'timestamp': (frames / FPS).astype(np.float32), 'frame_index': frames,
            'episode_index': np.full(length, number), 'index': sum(self.lengths) + frames,
            'task_index': shares}
        return {name: columns[name] for name in self.plain}

    def _path(self, template: str, number: int, camera: str = '') -> str:
        return template.format(episode_chunk=number // self.chunks_size, episode_index=number,
                               video_key=camera)

    def _lines(self, name: str, value: object) -> None:
        with open(self.root / f'meta/{name}.jsonl', 'a', encoding='utf-8') as file:
            file.write(json.dumps(value, ensure_ascii=False) + '\n')

    def close(self) -> Path:
        """Write what lies once in meta/; return the folder."""
        count = len(self.lengths)
        for number, task in enumerate(TASKS):
            self._lines('tasks', {'task_index': number, 'task': task})
        info = {
            'codebase_version': self.version, 'robot_type': 'so100', 'total_episodes': count,
            'total_frames': sum(self.lengths), 'total_tasks': len(TASKS),
            'total_videos': 0 if self.image else count * len(self.cameras),
            'total_chunks': -(-count // self.chunks_size), 'chunks_size': self.chunks_size,
            'fps': FPS, 'splits': {'train': f'0:{count}'}, 'data_path': DATA,
            'video_path': VIDEO if self.cameras and not self.image else None,
            'features': self.features}
        (self.root / 'meta/info.json').write_text(json.dumps(info, indent=4), 'utf-8')
        if self.version == 'v2.0':
            # Of the whole dataset, without counts.
            whole = {name: {key: value for key, value in found.items() if key != 'count'}
                     for name, found in self._stats[0].items()}
            (self.root / 'meta/stats.json').write_text(json.dumps(whole), 'utf-8')
        return self.root


def build(root: Path, *lengths: int, **options: Any) -> Path:
    """Write a dataset with episodes of these lengths; every third has both tasks."""
    older = Older(root, **options)
    for number, length in enumerate(lengths):
        older.add(length, (0, 1) if number % 3 == 2 else (number % 2,))
    return older.close()


def _arrow(feature: dict[str, Any]) -> pa.DataType:
    kind = pa.from_numpy_dtype(np.dtype(feature['dtype']))
    for _ in feature['shape'] if feature['shape'] != [1] else ():
        kind = pa.list_(kind)
    return kind


def png(picture: Any) -> bytes:
    """Return a picture as PNG."""
    context = av.CodecContext.create('png', 'w')
    context.height, context.width = picture.shape[:2]
    context.pix_fmt, context.time_base = 'rgb24', Fraction(1, FPS)
    return bytes(context.encode(av.VideoFrame.from_ndarray(picture, format='rgb24'))[0])


def write_mp4(path: Path, pictures: list[Any], codec: str = 'h264', first: int = 0) -> None:
    """Encode pictures as the recorder of v2.x did: a plain mp4, H.264 with B-frames."""
    os.environ.setdefault('SVT_LOG', '1')
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder, options = {'h264': ('libx264', {'g': '10', 'crf': '10', 'bf': '2'}),
                        'av1': ('libsvtav1', {'g': '2', 'crf': '20', 'preset': '12'})}[codec]
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(encoder, rate=FPS, options=options)
        stream.width, stream.height = pictures[0].shape[1::-1]
        stream.pix_fmt = 'yuv420p'
        for number, picture in enumerate(pictures, first):
            frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


__all__ = ['FRONT', 'Older', 'build', 'write_mp4']
