# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Save the episode that was open when the writer ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import json
import os
from pathlib import Path
import shutil

from apprentice_dataset.boxes import moved
from apprentice_dataset.boxes import Mp4
from apprentice_dataset.boxes import scan
from apprentice_dataset.encoder import CameraPlan
from apprentice_dataset.encoder import PictureEncoder
from apprentice_dataset.episode import plans
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.files import storage_errors
from apprentice_dataset.files import write_all
from apprentice_dataset.images import RawImage
from apprentice_dataset.journal import read_journal
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.mp4 import track_timescale
from apprentice_dataset.publication import FinishedEpisode
from apprentice_dataset.publication import next_numbers
from apprentice_dataset.publication import stage
from apprentice_dataset.spool import EndOfSpool
from apprentice_dataset.spool import spooled_range
from apprentice_dataset.spool import SpoolReader
from apprentice_dataset.staging import Staging
from apprentice_dataset.transaction import commit
from apprentice_dataset.transaction import roll_forward
from apprentice_dataset.transaction import Step
from apprentice_dataset.video import decode_all
from apprentice_dataset.video import sampled_statistics

EMPTY = Mp4(b'', b'', (), 0, 0)


class _Camera:
    """Put together a camera's mp4 from whole fragments and from spooled pictures."""

    def __init__(self, plan: CameraPlan, staging: Staging) -> None:
        self._plan, self._staging = plan, staging
        self.path = staging.video(plan.name)
        self._mp4 = scan(self.path) if self.path.exists() else EMPTY
        self._spool = spooled_range(staging.spool(plan.name), plan.encoding.g)

    def kept(self, rows: int) -> int:
        """Return how many frames of whole fragments, at most `rows`, can stay."""
        return self._kept(rows)[0]

    def _kept(self, rows: int) -> tuple[int, int, int]:
        frames = count = 0
        end = len(self._mp4.header)
        for fragment in self._mp4.fragments:
            if frames + fragment.frames > rows:
                break
            frames, count, end = frames + fragment.frames, count + 1, fragment.end
        return frames, count, end

    def reachable(self, rows: int) -> int:
        """Return how many of the first `rows` frames exist somewhere."""
        kept = self.kept(rows)
        covered = kept in self._spool and kept % self._plan.encoding.g == 0
        return min(rows, self._spool.stop) if covered else kept

    def encode_rest(self, rows: int) -> int:
        """Encode what no fragment holds, into a file beside; return the frames there are now."""
        kept = self.kept(rows)
        if kept == rows:
            return rows
        rest = self._staging.rest(self._plan.name)
        encoder = PictureEncoder(self._plan, rest, kept)
        reader = SpoolReader(self._staging.spool(self._plan.name), self._plan.encoding.g, kept)
        frame = kept
        try:
            while frame < rows:
                encoder.take(reader.next())
                frame += 1
        except (BadPicture, EndOfSpool):
            pass
        finally:
            reader.close()
        if frame > kept:
            encoder.close()
        else:
            encoder.abandon()
        return frame

    def join(self, rows: int) -> None:
        """Cut the mp4 after its kept fragments and append the rest."""
        kept, count, end = self._kept(rows)
        rest = self._staging.rest(self._plan.name)
        if kept == 0:
            os.replace(rest, self.path)
            return
        tail = scan(rest) if kept < rows else EMPTY
        if tail.fragments and tail.moov != self._mp4.moov:
            self._encode_again(kept, end, rows)
            return
        ticks = kept * track_timescale(self._plan.fps) // self._plan.fps
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, end)
            with open(rest if tail.fragments else self.path, 'rb') as file:
                for fragment in tail.fragments:
                    file.seek(fragment.begin)
                    data = file.read(fragment.end - fragment.begin)
                    write_all(descriptor, moved(data, count, ticks))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _encode_again(self, kept: int, end: int, rows: int) -> None:
        """Make one stream of both parts, whose encoders wrote different headers."""
        os.truncate(self.path, end)
        whole = self._staging.rest(f'{self._plan.name}.whole')
        encoder = PictureEncoder(self._plan, whole)
        for path in (self.path, self._staging.rest(self._plan.name)):
            for rgb in decode_all(path):
                encoder.take(RawImage(rgb, self._plan.width, self._plan.height, 'rgb8',
                                      3 * self._plan.width))
        encoder.close()
        os.replace(whole, self.path)


def rebuild_episode(root: Path, step: Step) -> str:
    """
    Save the rows of the open episode for which every camera has its picture.

    :returns: what was done, as a sentence. An episode without rows is removed.
    :raises DatasetFull: the disk is full; it can be repeated.
    """
    with storage_errors(root):
        return _rebuild(root, Staging(root), step)


def _rebuild(root: Path, staging: Staging, step: Step) -> str:
    found = read_journal(staging.journal)
    taken = len(found[1]) if found else 0
    if found is None or not taken:
        staging.sweep()
        return 'an open episode without rows is removed'
    header, rows = found
    cameras = {plan.name: _Camera(plan, staging) for plan in plans(header)}
    length = _encode(list(cameras.values()), taken, staging)
    if not length:
        staging.sweep()
        return f'an open episode of {taken} row(s) without pictures is removed'
    rows.cut(length)
    for camera in cameras.values():
        camera.join(length)
    videos = {name: (camera.path, sampled_statistics(camera.path))
              for name, camera in cameras.items()}
    metadata = read_metadata(root)
    index = metadata.info.total_episodes
    mark = {'episode_index': index, 'recovered': True, 'length': length, 'rows_taken': taken}
    files = {f'episodes/episode-{index:06d}.json': json.dumps(mark, indent=4).encode()}
    moves, _ = stage(metadata, next_numbers(root, metadata.info),
                     FinishedEpisode(rows, videos, files), step)
    commit(staging, moves, step)
    roll_forward(staging, step)
    staging.sweep()
    return (f'episode {index} was open when the writer ended; it is saved with {length} of '
            f'{taken} row(s) and marked as recovered')


def _encode(cameras: list[_Camera], rows: int, staging: Staging) -> int:
    """Encode what every camera has and return how many rows that is."""
    rest = staging.rest('').parent
    while True:
        while (reachable := min([rows, *(one.reachable(rows) for one in cameras)])) < rows:
            rows = reachable
        shutil.rmtree(rest, ignore_errors=True)
        rest.mkdir()
        with ThreadPoolExecutor(max(1, len(cameras))) as pool:
            wanted = rows
            lengths = pool.map(lambda camera: camera.encode_rest(wanted), cameras)
            rows = min([rows, *lengths])
        if rows == wanted:
            return rows
