# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What is told of an episode: one record beside the dataset, one text for people."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
import json
import math
from pathlib import Path
from typing import Any

from apprentice_dataset.layout import EXTRA
from apprentice_dataset.reader import Dataset

VERSION = 1


class Offsets:
    """Sample stamp minus row stamp of one stream, over the rows of an episode, ns."""

    def __init__(self) -> None:
        """Know none yet."""
        self.values: list[int] = []

    def summary(self) -> dict[str, float] | None:
        """Return minimum, median, p99 of the magnitude and maximum in seconds; None of nothing."""
        if not self.values:
            return None
        ordered = sorted(self.values)
        sizes = sorted(map(abs, ordered))
        last = len(ordered) - 1
        return {'min_s': ordered[0] * 1e-9, 'median_s': ordered[last // 2] * 1e-9,
                'max_s': ordered[-1] * 1e-9, 'p99_abs_s': sizes[last * 99 // 100] * 1e-9}


@dataclass
class EpisodeRecord:
    """
    Everything that `meta/apprentice/episodes/episode-NNNNNN.json` holds.

    `success` is None without a label. `marks` are sentences about what was not as it should be;
    `forced` tells that the operator kept an episode that the contract's rules refuse.
    """

    task: str
    started_ns: int
    contract: str
    rows: int = 0
    held_rows: int = 0
    duration_s: float = 0.0
    success: bool | None = None
    forced: bool = False
    recovered: bool = False
    marks: list[str] = field(default_factory=list)
    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    encoder: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Return the file's content."""
        return to_json({'version': VERSION, **self.__dict__})


def to_json(record: Mapping[str, Any]) -> bytes:
    """Return a record as its file's content."""
    return (json.dumps(_plain(record), indent=4, ensure_ascii=False) + '\n').encode()


def _plain(value: Any) -> Any:
    """Replace what JSON has no word for."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_text(dataset: Dataset, index: int) -> list[str]:
    """
    Return the lines of an episode's report: rows, rates, offsets, holds, encoder, size.

    An episode that was not recorded by this package has no record: its lines say so.
    """
    episode = dataset.episodes[index]
    record = read_record(dataset.root, index)
    rates = f'{episode.length} rows, {episode.length / dataset.info.fps:.1f} s'
    lines = [f'episode {index}: {rates}, {_holds(record)}: {", ".join(episode.tasks)}']
    for name, stream in record.get('streams', {}).items():
        lines.append(f'  {name:10}{stream["samples"]:7} samples {stream["rate_hz"]:8.3f} Hz'
                     f'   lost {stream["sequence_gaps"]}{_offset(stream.get("offset"))}')
    for camera, place in episode.videos.items():
        path = dataset.root / place.number.path(str(dataset.info.video_path), camera)
        size = path.stat().st_size if path.exists() else 0
        lines.append(f'  {camera}: {size / 1e6:.2f} MB{_encoder(record, camera)}')
    return lines + [f'  ! {mark}' for mark in record.get('marks', ())]


def read_record(root: Path, index: int) -> Mapping[str, Any]:
    """Return what the recorder noted of an episode, {} where it noted nothing."""
    path = root / EXTRA / f'episodes/episode-{index:06d}.json'
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _holds(record: Mapping[str, Any]) -> str:
    if not record:
        return 'no record of its recording'
    if record.get('recovered'):
        return 'recovered after the recorder was killed'
    label = {True: ', success', False: ', failure'}.get(record.get('success'), '')
    return f'{record["held_rows"]} held{label}'


def _offset(offset: Mapping[str, float] | None) -> str:
    if not offset:
        return ''
    return (f'   offset median {offset["median_s"] * 1e3:+.1f} ms, '
            f'p99 {offset["p99_abs_s"] * 1e3:.1f} ms')


def _encoder(record: Mapping[str, Any], camera: str) -> str:
    encoder = record.get('encoder', {}).get(camera)
    if not encoder:
        return ''
    return (f', {encoder["codec"]} crf {encoder["crf"]}, group of {encoder["g"]}, at most '
            f'{encoder["longest_backlog"]} pictures waited')
