# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure rendering and JPEG encoding of the simulated cameras by every OpenGL that works here."""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

from _common import Report
from apprentice_sim.opengl import BACKENDS
from apprentice_sim.opengl import why_not

CAMERAS = ('front', 'wrist')
# One process shares a core with others: two cameras at 30 Hz may take 80 % of it.
BUDGET_MS = 1e3 * 0.8 / 60


def main() -> int:
    """Print the times a picture by backend; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=150, help='of each camera (default: 150)')
    parser.add_argument('--samples', type=int, default=0, help='against jagged edges (default: 0)')
    parser.add_argument('--threads', default='0', help="llvmpipe's LP_NUM_THREADS (default: 0)")
    parser.add_argument('--measure', action='store_true', help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.frames, arguments.samples)
        return 0
    report = Report(f'rendering, {arguments.samples} samples, {arguments.threads} threads')
    fits = False
    for backend in BACKENDS:
        environment = {**os.environ, 'LP_NUM_THREADS': arguments.threads, 'MUJOCO_GL': backend}
        reason = why_not(backend, environment)
        if reason:
            report.line(f'{backend}: not here: {reason}')
            continue
        command = [sys.executable, __file__, '--measure', f'--frames={arguments.frames}',
                   f'--samples={arguments.samples}']
        result = json.loads(subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True).stdout)
        report.row(f'{backend}: render', result['render'], 'ms', 1e3)
        report.row(f'{backend}: JPEG', result['jpeg'], 'ms', 1e3)
        report.line(f'{backend}: {result["cpu_ms"]:.1f} ms of processor time a picture, '
                    f'{result["kilobytes"]:.0f} kB')
        fits = fits or result['cpu_ms'] < BUDGET_MS
    report.bound(
        f'two cameras at 30 Hz within 80 % of a core ({BUDGET_MS:.1f} ms a picture)', fits)
    return report.end()


def measure(frames: int, samples: int) -> None:
    """Render and encode in this process; write the times as JSON."""
    from apprentice_sim.cameras import SceneRenderer
    from apprentice_sim.cameras import to_jpeg
    from apprentice_sim.physics import Physics

    physics = Physics('so101', 1)
    renderer = SceneRenderer('so101', 640, 480, samples)
    goal = (0.4, 0.0, 0.3, 1.2, 0.3, 0.5)
    physics.drive([(value, 1.0) for value in goal])
    render: list[float] = []
    jpeg: list[float] = []
    size = 0
    for frame in range(frames + 10):
        if frame == 10:
            render, jpeg, size, begin = [], [], 0, time.process_time()
        for _ in range(5):
            physics.step()
        renderer.show(1, physics.qpos())
        for camera in CAMERAS:
            start = time.perf_counter()
            picture = renderer.picture(camera)
            middle = time.perf_counter()
            size += len(to_jpeg(picture))
            render.append(middle - start)
            jpeg.append(time.perf_counter() - middle)
    cpu = (time.process_time() - begin) / len(render)
    json.dump({'render': render, 'jpeg': jpeg, 'cpu_ms': cpu * 1e3,
               'kilobytes': size / len(render) / 1e3}, sys.stdout)
    sys.stdout.flush()
    renderer.close()


if __name__ == '__main__':
    sys.exit(main())
