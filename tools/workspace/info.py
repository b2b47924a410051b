# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a bug report needs: versions, machine, ports, cameras, codecs."""

from __future__ import annotations

import os
from pathlib import Path
import platform
import re
import shutil
import subprocess

from workspace import environment
from workspace.paths import ROOT

_PACKAGES = ['rclpy', 'ros-jazzy-rclpy', 'ros-jazzy-rmw-fastrtps-cpp', 'colcon-core', 'numpy',
             'mujoco', 'feetech-servo-sdk', 'pyserial', 'simplejpeg', 'rerun-sdk', 'torch',
             'lerobot']


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ''
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except subprocess.SubprocessError:
        return ''
    return result.stdout.strip()


def _ports() -> list[str]:
    by_id = {p.resolve().name: p.name for p in Path('/dev/serial/by-id').glob('*')}
    names = sorted(p.name for kind in ('ttyACM*', 'ttyUSB*') for p in Path('/dev').glob(kind))
    return [f'/dev/{name} {by_id.get(name, "")}'.strip()
            + ('' if os.access(f'/dev/{name}', os.R_OK | os.W_OK) else ' (no permission)')
            for name in names]


def _cameras() -> list[str]:
    folders = sorted(Path('/sys/class/video4linux').glob('video*'))
    return [f'/dev/{p.name} {(p / "name").read_text().strip()}' for p in folders]


def _codecs() -> str:
    listing = _output('ffmpeg', '-hide_banner', '-encoders')
    known = ('libx264', 'libsvtav1', 'h264_nvenc', 'h264_vaapi', 'libx265')
    found = [name for name in known if re.search(rf'\b{name}\b', listing)]
    return ', '.join(found) if found else 'ffmpeg not installed'


def _memory() -> str:
    kib = {line.split(':')[0]: int(line.split()[1])
           for line in Path('/proc/meminfo').read_text().splitlines() if 'kB' in line}
    total, free = (kib[name] / 2 ** 20 for name in ('MemTotal', 'MemAvailable'))
    return f'{total:.1f} GiB, {free:.1f} GiB available'


def show(env: dict[str, str]) -> int:
    """Print the table; return 0."""
    system = platform.freedesktop_os_release().get('PRETTY_NAME', platform.system())
    gpu = _output('nvidia-smi', '--query-gpu=name,driver_version', '--format=csv,noheader')
    disk = shutil.disk_usage(ROOT)
    source = 'PyPI' if environment.is_from_pypi(env) else 'distribution'
    rows = [
        ('apprentice', _output('git', '-C', str(ROOT), 'describe', '--always', '--dirty') or '-'),
        ('system', f'{system}, {platform.machine()}, kernel {platform.release()}'),
        ('processor', f'{os.cpu_count()} cores; memory {_memory()}'),
        ('disk', f'{disk.free / 2 ** 30:.0f} GiB free of {disk.total / 2 ** 30:.0f} GiB'),
        ('GPU', gpu or 'none found (nvidia-smi)'),
        ('ROS 2', f'{env.get("ROS_DISTRO", "-")} from {source}, '
         f'{env.get("RMW_IMPLEMENTATION", "-")}, domain {env.get("ROS_DOMAIN_ID", "0")}'),
        ('Python', _output(str(environment.VENV / 'bin' / 'python'), '--version')),
        *((name, version) for name, version in environment.versions(env, _PACKAGES).items()
          if version != '-'),
        ('video codecs', _codecs()),
        ('serial ports', '; '.join(_ports()) or 'none found'),
        ('cameras', '; '.join(_cameras()) or 'none found'),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f'{name:<{width}}  {value}')
    return 0
