# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Video devices of files that v4l2_shim.c makes answer as uvcvideo does."""
from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import subprocess

from pictures import jpeg
from pictures import yuyv

SOURCE = Path(__file__).with_name('v4l2_shim.c')
MODES = ('MJPG 640 480 30 15', 'MJPG 320 240 30', 'YUYV 640 480 30 10', 'YUYV 320 240 30')
FRAMES = 100


def build_shim(folder: Path) -> Path:
    """Compile the shim with the machine's own compiler and kernel header."""
    library = folder / 'v4l2_shim.so'
    subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', str(library),
                    str(SOURCE), '-ldl', '-lpthread'], check=True)
    return library


@dataclass(frozen=True)
class Camera:
    """A camera that can be plugged in."""

    card: str = 'Fake Camera'
    serial: str = 'SN42'
    port: str = '1-2'
    modes: tuple[str, ...] = MODES

    @property
    def by_id(self) -> str:
        """Return its link below /dev/v4l/by-id."""
        return f'/dev/v4l/by-id/usb-{self.card.replace(" ", "_")}_{self.serial}-video-index0'

    @property
    def by_path(self) -> str:
        """Return its link below /dev/v4l/by-path."""
        return f'/dev/v4l/by-path/pci-0000:00:14.0-usb-0:{self.port}:1.0-video-index0'


class Machine:
    """A machine's /dev and /sys, as the shim shows them."""

    def __init__(self, root: Path, shim: Path) -> None:
        """Begin without cameras."""
        self.root = root
        self.environment = {'LD_PRELOAD': str(shim), 'FAKE_V4L2': str(root)}
        for folder in ('dev/v4l/by-id', 'dev/v4l/by-path', 'sys/class/video4linux', 'fault'):
            (root / folder).mkdir(parents=True)

    def plug(self, number: int, camera: Camera = Camera()) -> None:
        """Plug a camera in: it gets this number, and the next for its metadata."""
        usb = self.root / 'sys' / 'devices' / f'{camera.port}-{number}'
        (usb / 'interface').mkdir(parents=True)
        for name, text in (('idVendor', '046d'), ('idProduct', '0825'), ('serial', camera.serial)):
            (usb / name).write_text(f'{text}\n')
        for index, modes in enumerate((camera.modes, ())):
            name = f'video{number + index}'
            entry = self.root / 'sys/class/video4linux' / name
            entry.mkdir()
            (entry / 'name').write_text(f'{camera.card}\n')
            (entry / 'index').write_text(f'{index}\n')
            (entry / 'device').symlink_to(usb / 'interface')
            for link in (camera.by_id, camera.by_path):
                place = self.root / link[1:].replace('index0', f'index{index}')
                place.unlink(missing_ok=True)
                place.symlink_to(f'../../{name}')
            # Into its place at once: the shim may be looking.
            described = self.root / 'dev' / f'.{name}'
            described.write_text('\n'.join([f'card {camera.card}', *modes, '']))
            described.rename(self.root / 'dev' / name)

    def unplug(self, number: int) -> None:
        """Pull the camera with this number out."""
        entry = self.root / 'sys/class/video4linux' / f'video{number}'
        shutil.rmtree((entry / 'device').resolve().parent)
        for name in (f'video{number}', f'video{number + 1}'):
            (self.root / 'dev' / name).unlink()
            shutil.rmtree(self.root / 'sys/class/video4linux' / name)
            for link in self.root.glob('dev/v4l/*/*'):
                if os.readlink(link) == f'../../{name}':
                    link.unlink()

    def sees(self, card: str, fourcc: str, frames: dict[int, bytes]) -> None:
        """Put pictures before a camera, by number."""
        folder = self.root / 'frames' / card / fourcc
        folder.mkdir(parents=True, exist_ok=True)
        for index, data in frames.items():
            (folder / str(index)).write_bytes(data)

    def fault(self, number: int, words: str = '') -> None:
        """Make a device misbehave, or well again."""
        path = self.root / 'fault' / f'video{number}'
        beside = path.with_suffix('.new')
        beside.write_text(words)
        beside.rename(path)


def standard_frames() -> dict[str, dict[int, bytes]]:
    """Return what a camera of 640x480 sees, by format."""
    return {'MJPG': {n: jpeg(n) for n in range(FRAMES)}, 'YUYV': {n: yuyv(n) for n in range(20)}}
