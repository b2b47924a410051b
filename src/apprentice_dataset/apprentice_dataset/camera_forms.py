# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Know the four forms of a camera: colour or distances, as video or as pictures in tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apprentice_dataset.codecs import decide
from apprentice_dataset.codecs import decide_depth
from apprentice_dataset.codecs import Encoding
from apprentice_dataset.codecs import picture_files
from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.decoding import PictureDecoder
from apprentice_dataset.decoding import to_encoder
from apprentice_dataset.decoding import to_rgb
from apprentice_dataset.depth import is_depth
from apprentice_dataset.depth_scale import DepthScale
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.features import Feature
from apprentice_dataset.image_statistics import DepthSampler
from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.images import DEPTHS
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import Picture
from apprentice_dataset.images import RawImage
from apprentice_dataset.mp4 import Mp4Writer
from apprentice_dataset.picture_files import PictureFile
from apprentice_dataset.pictures import decode_picture
from apprentice_dataset.pictures import png_bytes
from apprentice_dataset.pictures import tiff_bytes
import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CameraPlan:
    """Say how a camera is encoded: name, size of the pictures, rate, parameters, distances."""

    name: str
    width: int
    height: int
    fps: int
    encoding: Encoding
    depth: DepthScale | None = None

    @property
    def feature(self) -> Feature:
        """Return what its pictures are where they lie inside tables."""
        return Feature('image', (self.height, self.width, 1 if self.depth else 3),
                       ['height', 'width', 'channels'])


def encoding_of(feature: Feature, wanted: VideoSettings, fps: int) -> Encoding:
    """Return how a camera is encoded; its `info` says what the dataset has decided already."""
    if not feature.is_video:
        return picture_files(fps, is_depth(feature))
    return (decide_depth if is_depth(feature) else decide)(wanted, fps, feature.info)


def camera_plan(name: str, feature: Feature, fps: int, encoding: Encoding) -> CameraPlan:
    """Return the plan of a camera."""
    height, width = feature.height_width
    depth = DepthScale.of(f'features.{name}', feature.info) if is_depth(feature) else None
    return CameraPlan(name, width, height, fps, encoding, depth)


class ColourForm:
    """Take RGB, and give frames of a video or PNG."""

    def __init__(self, plan: CameraPlan) -> None:
        """Take the plan."""
        self._encoding = plan.encoding
        self._decoder = PictureDecoder(plan.width, plan.height)
        self.sampler = PictureSampler()

    def decode(self, picture: Picture) -> av.VideoFrame:
        """Return the pixels; BadPicture when there are none of this size."""
        return self._decoder.decode(picture)

    def encoded(self, picture: Picture, frame: av.VideoFrame) -> Any:
        """Return what the file of the camera takes."""
        if self._encoding.is_video:
            return to_encoder(frame)
        if isinstance(picture, EncodedImage) and picture.kind == 'png' \
                and frame.format.name == 'rgb24':
            return bytes(picture.data)
        return png_bytes(to_rgb(frame), int(self._encoding.preset))

    def sample(self, frame: av.VideoFrame) -> None:
        """Count the pixels for the statistics."""
        self.sampler.take(to_rgb(frame))


class DepthForm:
    """Take distances, and give frames of codes or TIFF."""

    def __init__(self, plan: CameraPlan, scale: DepthScale) -> None:
        """Take the plan, and unit and range of the distances."""
        self._plan, self._scale = plan, scale
        self.sampler = DepthSampler()

    def decode(self, picture: Picture) -> NDArray[Any]:
        """Return the distances; BadPicture when there are none of this size."""
        if isinstance(picture, RawImage):
            return _distances(self._plan, picture, self._scale.unit)
        found = decode_picture(bytes(picture.data), self._plan.feature)[:, :, 0]
        if found.dtype != np.uint16:
            raise BadPicture(f'found a PNG of {8 * found.itemsize} bits, expected 16: millimetres')
        return found

    def encoded(self, picture: Picture, distances: NDArray[Any]) -> Any:
        """Return what the file of the camera takes."""
        if not self._plan.encoding.is_video:
            return tiff_bytes(distances)
        return av.VideoFrame.from_ndarray(
            self._scale.to_codes(distances), self._plan.encoding.pix_fmt)

    def sample(self, distances: NDArray[Any]) -> None:
        """Count the distances for the statistics."""
        self.sampler.take(distances)


def _distances(plan: CameraPlan, picture: RawImage, unit: str) -> NDArray[Any]:
    kind = np.dtype(np.uint16 if unit == 'mm' else np.float32)
    row = plan.width * kind.itemsize
    data = np.frombuffer(picture.data, np.uint8)
    if (picture.width, picture.height) != (plan.width, plan.height):
        raise BadPicture(f'found a picture of {picture.width}x{picture.height}, expected '
                         f'{plan.width}x{plan.height}; set the camera or the contract')
    if picture.step < row or data.size < picture.step * (picture.height - 1) + row:
        raise BadPicture(f'found {data.size} bytes with {picture.step} a row for {DEPTHS[unit]} '
                         f'of {picture.width}x{picture.height}, expected at least {row} a row')
    rows = np.lib.stride_tricks.as_strided(
        data, (plan.height, row), (picture.step, 1), writeable=False)
    found = np.ascontiguousarray(rows).view(kind)
    if unit == 'mm':
        return found
    # What was not measured is 0 in whole millimetres too; no reader expects anything else.
    return np.where(np.isfinite(found) & (found > 0), found, np.float32(0))


def form_of(plan: CameraPlan) -> ColourForm | DepthForm:
    """Return what turns a camera's pictures into what its file takes."""
    return ColourForm(plan) if plan.depth is None else DepthForm(plan, plan.depth)


def file_of(plan: CameraPlan, path: Path) -> Mp4Writer | PictureFile:
    """Begin the file of a camera."""
    if plan.encoding.is_video:
        return Mp4Writer(path, plan.width, plan.height, plan.fps, plan.encoding)
    return PictureFile(path, plan.fps)
