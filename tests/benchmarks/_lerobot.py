# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Record the replayed pictures with lerobot's own LeRobotDataset, without ROS.

Runs under a Python with lerobot 0.6.1: PICTURES ROOT SECONDS MODE; prints one line of JSON.
MODE is `default` or `streaming`, lerobot's encoding while it records.
"""
from __future__ import annotations

import json
from pathlib import Path
import sys
import time

from _pictures import COUNT
from _pictures import HEIGHT
from _pictures import read_pictures
from _pictures import WIDTH
import numpy as np

FPS = 30
CAMERAS = {'observation.images.front': 0, 'observation.images.wrist': COUNT // 2}


def main() -> None:
    """Record one episode: at each turn the newest picture, which is decoded already."""
    import cv2
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    folder, root, seconds, mode = sys.argv[1:]
    pictures = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
                for data in read_pictures(Path(folder))]
    names = [f'joint_{number}.pos' for number in range(12)]
    joints = {'dtype': 'float32', 'shape': (12,), 'names': names}
    camera = {'dtype': 'video', 'shape': (HEIGHT, WIDTH, 3),
              'names': ['height', 'width', 'channels']}
    dataset = LeRobotDataset.create(
        'benchmark/replay', FPS, {**{name: camera for name in CAMERAS},
                                  'observation.state': joints, 'action': joints},
        root=root, robot_type='replayed', image_writer_threads=4 * len(CAMERAS),
        streaming_encoding=mode == 'streaming')
    offered = round(float(seconds) * FPS)
    taken: list[int] = []
    begin, cpu = time.monotonic(), time.process_time()
    while True:
        number = int((time.monotonic() - begin) * FPS)
        if number >= offered:
            break
        if taken and number == taken[-1]:
            time.sleep(max(0.0, begin + (number + 1) / FPS - time.monotonic()))
            continue
        value = np.full(12, number, np.float32)
        dataset.add_frame({
            'observation.state': value, 'action': value, 'task': 'what is replayed',
            **{name: pictures[(number + first) % COUNT] for name, first in CAMERAS.items()}})
        taken.append(number)
    spent_s, cpu_s = time.monotonic() - begin, time.process_time() - cpu
    save = time.monotonic()
    dataset.save_episode()
    save_s = time.monotonic() - save
    dataset.finalize()
    sys.stdout.write(json.dumps({'taken': taken, 'offered': offered, 'spent_s': spent_s,
                                 'cpu_s': cpu_s, 'save_s': save_s}) + '\n')


if __name__ == '__main__':
    main()
