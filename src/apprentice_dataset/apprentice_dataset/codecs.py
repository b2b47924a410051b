# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Choose encoder and parameters; the choice belongs to a dataset and lasts as long as it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import os
from typing import Any

from apprentice_dataset.errors import DatasetBroken


@dataclass(frozen=True)
class VideoSettings:
    """
    Hold what a caller wants of the encoder; None: what the dataset has, else the default.

    `codec` is h264 or av1; `g` the frames of a group, the unit of random access and of loss;
    `crf` the quality, smaller is better; `preset` the encoder's own word.
    """

    codec: str | None = None
    g: int | None = None
    crf: int | None = None
    preset: str | int | None = None

    def check(self) -> None:
        """Raise DatasetBroken for values that no encoder takes."""
        if self.codec not in (None, *CODECS):
            raise DatasetBroken('video.codec', repr(self.codec), ' | '.join(CODECS))
        for name, value, low in (('g', self.g, 1), ('crf', self.crf, 0)):
            if value is not None and (type(value) is not int or value < low):
                raise DatasetBroken(f'video.{name}', repr(value), f'a whole number from {low}')


@dataclass(frozen=True)
class Encoding:
    """Hold the parameters of an encoder, all decided."""

    codec: str
    g: int
    crf: int
    preset: str | int

    @property
    def encoder(self) -> str:
        """Return the encoder's name in FFmpeg."""
        return _VIDEO[self.codec].encoder

    @property
    def pix_fmt(self) -> str:
        """Return the format of the frames that the encoder takes."""
        return _VIDEO[self.codec].pix_fmt

    @property
    def is_video(self) -> bool:
        """Return whether it makes an mp4, not pictures inside a table."""
        return self.codec in _VIDEO

    def options(self) -> dict[str, str]:
        """Return the encoder's options."""
        return {'preset': str(self.preset), 'crf': str(self.crf),
                **_VIDEO[self.codec].options(self.g)}

    def info(self, fps: int, height: int, width: int) -> dict[str, Any]:
        """Return `info` of a camera, with the keys that lerobot 0.6.1 writes."""
        depth = self.codec == DEPTH_CODEC
        return {
            'video.height': height, 'video.width': width, 'video.codec': self.codec,
            'video.pix_fmt': self.pix_fmt, 'video.fps': fps, 'video.channels': 1 if depth else 3,
            'has_audio': False, 'video.g': self.g, 'video.crf': self.crf,
            'video.preset': self.preset, 'video.fast_decode': 0, 'video.video_backend': 'pyav',
            'video.extra_options': {'x265-params': 'lossless=1'} if depth else {},
            'is_depth_map': depth}


@dataclass(frozen=True)
class _Codec:
    encoder: str
    crf: int
    preset: str | int
    parameters: str
    key: str
    g: int | None = None
    pix_fmt: str = 'yuv420p'

    def options(self, group: int) -> dict[str, str]:
        return {self.key: self.parameters.format(g=group)}


# No B-frames, no lookahead, one thread: a picture leaves the encoder before the next one comes,
# pts begin at 0, and the busy cores stay with the control loops. Closed groups of equal length,
# no scene cuts: a group is a fragment is a segment of the spool.
_X264 = ('keyint={g}:min-keyint={g}:scenecut=0:open-gop=0:bframes=0:rc-lookahead=0:'
         'sync-lookahead=0:sliced-threads=0:threads=1:mbtree=0:force-cfr=1')
_SVT_AV1 = 'keyint={g}:scd=0:pred-struct=1:rtc=1:lp=1'
CODECS: Mapping[str, _Codec] = {
    # superfast is the slowest preset that keeps two 640x480 cameras at 30/s under half a core;
    # at crf 23 its artefacts stay below the noise of a camera's JPEG.
    'h264': _Codec('libx264', 23, 'superfast', _X264, 'x264-params'),
    # LeRobot's own default values, for datasets that it began. In longer groups this preset
    # leaves traces of earlier pictures.
    'av1': _Codec('libsvtav1', 30, 12, _SVT_AV1, 'svtav1-params', 2),
}
DEFAULT_CODEC = 'h264'
# Distances, 12 bit, without loss, as LeRobot stores them. A noisy 640x480 takes 25 ms with blocks
# of 16, 45 with the preset's own, 80 with the next preset, which makes it 7 % smaller. Noise gains
# nothing from the frame before, so groups are LeRobot's, the quickest to read.
DEPTH_CODEC = 'hevc'
_X265 = ('lossless=1:keyint={g}:min-keyint={g}:scenecut=0:open-gop=0:bframes=0:rc-lookahead=0:'
         'frame-threads=1:pools=none:ctu=16:log-level=none')
_DEPTH = _Codec('libx265', 30, 'ultrafast', _X265, 'x265-params', 2, 'gray12le')
_VIDEO: Mapping[str, _Codec] = {**CODECS, DEPTH_CODEC: _DEPTH}
# Pictures inside the tables. At this level FFmpeg takes a sixth of the time of LeRobot's 6, and
# chooses its filter line by line, so that a camera's picture is no larger.
_PNG_LEVEL = 1
# A group lasts at most this long: what a kill may cost of the open episode.
_GROUP_S = 0.5
# A third of a second: at 640x480 and 30/s, groups of 15 are 7 % smaller, groups of 5 are 25 %
# larger, and a random frame comes 3 ms later out of 15 than out of 10.
_GROUPS_PER_S = 3


def longest_group(fps: int) -> int:
    """Return the frames of the longest group allowed."""
    return max(1, int(fps * _GROUP_S))


def decide(wanted: VideoSettings, fps: int, recorded: Mapping[str, Any] | None = None) -> Encoding:
    """
    Return the parameters of a camera's encoder.

    :param recorded: `info` of the camera in the dataset, if there is one already.
    """
    known = recorded or {}
    codec = wanted.codec or known.get('video.codec') or DEFAULT_CODEC
    if codec not in CODECS:
        raise DatasetBroken('video.codec', repr(codec), ' | '.join(CODECS),
                            'record into a new dataset')
    default = CODECS[codec]
    if codec == 'av1':
        # The library writes twenty lines to stderr whenever it is opened.
        os.environ.setdefault('SVT_LOG', '1')
    group = _known(wanted.g, known.get('video.g'), int, default.g or max(1, fps // _GROUPS_PER_S))
    return Encoding(
        codec, min(group, longest_group(fps)),
        _known(wanted.crf, known.get('video.crf'), int, default.crf),
        _known(wanted.preset, known.get('video.preset'), type(default.preset), default.preset))


def decide_depth(
    wanted: VideoSettings, fps: int, recorded: Mapping[str, Any] | None = None,
) -> Encoding:
    """Return the same for a camera of distances, of which only the length of a group is free."""
    default = _DEPTH.g or 1
    group = _known(wanted.g, (recorded or {}).get('video.g'), int, default)
    return Encoding(DEPTH_CODEC, min(group, longest_group(fps)), _DEPTH.crf, _DEPTH.preset)


def picture_files(fps: int, depth: bool) -> Encoding:
    """Return the parameters of a camera whose pictures lie inside the tables."""
    return Encoding('tiff' if depth else 'png', longest_group(fps), 0, _PNG_LEVEL)


def _known(wanted: Any, recorded: Any, kind: type, default: Any) -> Any:
    if wanted is not None:
        return wanted
    return recorded if type(recorded) is kind else default
