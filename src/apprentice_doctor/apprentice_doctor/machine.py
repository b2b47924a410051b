# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The machine: encoder, disk, cores, governor, real-time priority."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import threading

from apprentice_doctor import speed
from apprentice_doctor import usb
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import Camera
from apprentice_doctor.robot import Question
from apprentice_node.priority import REALTIME_PRIORITY

_ENCODE_S = 1.0
_HEADROOM = 1.3
_DEFAULT = (Camera('front', '', ''), Camera('wrist', '', ''))
# Picture as received and its share of video: measured of a camera's JPEG, bytes a pixel.
_BYTES_A_PIXEL = 0.25
_WARN_MIN, _ERROR_MIN = 60, 5
_SLOW_SYNC_S = 0.5
_FEW_CORES = 4


def check(question: Question) -> Iterator[Finding]:
    """Measure for the configured cameras, or for two of 640x480 at 30 Hz."""
    cameras = question.robot.cameras or _DEFAULT
    folder = question.folder.absolute()
    if not os.access(folder, os.W_OK):
        yield Finding(
            Level.ERROR, 'folder-not-writable', 'datasets cannot be written', str(folder),
            'no permission to write', 'a writable folder', 'give another one with --folder')
    else:
        try:
            yield from _disk(folder, cameras)
            yield _encoder(folder, cameras)
        except OSError as error:
            yield Finding(
                Level.ERROR, 'disk-fails', 'writing failed', str(folder),
                error.strerror or str(error), 'a disk that takes data',
                'free some space, or give another folder with --folder')
    yield from processor(question.root)
    yield _realtime()


def _encoder(folder: Path, cameras: tuple[Camera, ...]) -> Finding:
    need = sum(camera.fps for camera in cameras)
    fps = max(1, round(max(camera.fps for camera in cameras)))
    sizes = [(int(camera.width), int(camera.height)) for camera in cameras]
    rate = speed.encoding_rate(sizes, fps, _ENCODE_S, folder)
    text = f'{rate:.0f} pictures/s for {len(cameras)} cameras that send {need:.0f}'
    if rate >= need * _HEADROOM:
        return fine('encoder', text)
    return Finding(
        Level.WARN, 'encoder', 'encoding is slow: saving an episode will take time',
        '', text, f'{need * _HEADROOM:.0f} pictures/s', 'nothing is lost, pictures wait on the '
        'disk. End other programs, or take fewer or smaller pictures')


def _disk(folder: Path, cameras: tuple[Camera, ...]) -> Iterator[Finding]:
    need_mb = sum(camera.width * camera.height * camera.fps * _BYTES_A_PIXEL
                  for camera in cameras) / 1e6
    rate, longest = speed.writing(folder)
    text = f'{rate:.0f} MB/s synced, longest sync {longest:.2f} s, needed {need_mb:.0f} MB/s'
    if rate < 2 * need_mb or longest > _SLOW_SYNC_S:
        yield Finding(Level.WARN, 'disk-speed', 'the disk is slow', str(folder), text,
                      f'{2 * need_mb:.0f} MB/s, no sync above {_SLOW_SYNC_S} s',
                      'record to another disk: give it with --folder and record there')
    else:
        yield fine('disk-speed', text, str(folder))
    minutes = shutil.disk_usage(folder).free / 1e6 / need_mb / 60
    if minutes < _WARN_MIN:
        yield Finding(
            Level.ERROR if minutes < _ERROR_MIN else Level.WARN, 'disk-space',
            'little space is left', str(folder), f'{minutes:.0f} minutes of recording',
            f'{_WARN_MIN} minutes', 'free some space, or record to another disk')
    else:
        yield fine('disk-space', f'room for {minutes / 60:.0f} h of recording', str(folder))


def processor(root: Path) -> Iterator[Finding]:
    """Say how many cores there are, and how they are clocked."""
    cores = len(os.sched_getaffinity(0))
    if cores < _FEW_CORES:
        yield Finding(
            Level.WARN, 'cores', 'few cores for two arms, cameras and encoders', '',
            f'{cores} cores', f'{_FEW_CORES} or more',
            'take fewer cameras, and run the viewer on another host')
    else:
        yield fine('cores', f'{cores} cores')
    cpus = 'sys/devices/system/cpu/cpu'
    # A core that is switched off tells nothing.
    governors = {
        usb.text(path) for path in root.glob(f'{cpus}[0-9]*/cpufreq/scaling_governor')} - {''}
    # intel_pstate calls its adaptive mode powersave.
    adaptive = usb.text(root / f'{cpus}0/cpufreq/scaling_driver') == 'intel_pstate'
    if 'powersave' in governors and not adaptive:
        yield Finding(
            Level.WARN, 'governor', 'the processor is kept at its lowest clock', '', 'powersave',
            'schedutil or performance',
            '  echo performance | sudo tee \\\n'
            '    /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor')
    else:
        yield fine('governor', ', '.join(sorted(governors)) or 'the host does not tell')


def _realtime() -> Finding:
    refused: list[str] = []

    def attempt() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REALTIME_PRIORITY))
        except OSError as error:
            refused.append(error.strerror or str(error))

    # In a thread of its own: this process shall not keep it.
    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    if not refused:
        return fine('realtime', f'priority {REALTIME_PRIORITY} is allowed')
    return Finding(
        Level.WARN, 'realtime', 'bus loops may not run at a real-time priority', '', refused[0],
        f'rtprio of at least {REALTIME_PRIORITY}', 'then log out and in again:\n'
        "  echo '@dialout - rtprio 30' | \\\n"
        '    sudo tee /etc/security/limits.d/arm.conf')
