# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Messages as rclpy and rosbags hand them over: objects with the fields of the type."""
from __future__ import annotations

from array import array
from types import SimpleNamespace

HEADER = SimpleNamespace(stamp=SimpleNamespace(sec=5, nanosec=6))


def joint_state(position: list[float], names: tuple[str, ...] = ('a', 'b')) -> SimpleNamespace:
    return SimpleNamespace(header=HEADER, name=list(names), position=array('d', position),
                           velocity=array('d', [10 * p for p in position]), effort=array('d'))


def trajectory(*points: tuple[float, list[float]]) -> SimpleNamespace:
    """Return a JointTrajectory of (seconds, positions)."""
    return SimpleNamespace(header=HEADER, joint_names=['a', 'b'], points=[
        SimpleNamespace(
            time_from_start=SimpleNamespace(sec=int(s), nanosec=round(s % 1 * 1e9)),
            positions=array('d', positions), velocities=array('d'), accelerations=array('d'),
            effort=array('d')) for s, positions in points])


def vector(x: float, y: float, z: float, **more: float) -> SimpleNamespace:
    return SimpleNamespace(x=x, y=y, z=z, **more)


def raw_image(
    width: int, height: int, encoding: str = 'rgb8', step: int | None = None,
) -> SimpleNamespace:
    step = step if step is not None else width * (1 if encoding == 'mono8' else 3)
    return SimpleNamespace(header=HEADER, width=width, height=height, encoding=encoding,
                           step=step, data=array('B', bytes(step * height)))


def jpeg(width: int, height: int, before: bytes = b'') -> bytes:
    """Return the beginning of a JPEG: application data, other segments, start of frame."""
    frame = b'\xff\xc0\x00\x11\x08' + height.to_bytes(2, 'big') + width.to_bytes(2, 'big')
    return b'\xff\xd8\xff\xe0\x00\x04ab' + before + frame + bytes(20)


def png(width: int, height: int) -> bytes:
    return (b'\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR' + width.to_bytes(4, 'big')
            + height.to_bytes(4, 'big') + bytes(9))


def compressed(data: bytes, form: str = 'jpeg') -> SimpleNamespace:
    return SimpleNamespace(header=HEADER, format=form, data=array('B', data))
