# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Episodes from messages: sampler, assembler and dataset, without ROS. One thread calls."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from enum import Enum
import json
from typing import Any

from apprentice_contract.assemble import Assembler
from apprentice_contract.codecs import CodecError
from apprentice_contract.contract import Contract
from apprentice_contract.sampler import Row
from apprentice_contract.sampler import Sampler
from apprentice_dataset.episode import EpisodeWriter
from apprentice_dataset.episode import SavedEpisode
from apprentice_dataset.errors import BadRow
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import replace_file
from apprentice_dataset.layout import EXTRA
from apprentice_dataset.writer import DatasetWriter
from apprentice_recorder.report import EpisodeRecord
from apprentice_recorder.report import Offsets
from apprentice_recorder.report import to_json


class State(Enum):
    """What the session is doing; values are RecorderStatus's."""

    IDLE = 0
    RECORDING = 1
    SAVING = 2
    REVIEW = 3


class Cause(Enum):
    """Why something was not done; values are RecordEpisode's error codes."""

    NONE = 0
    UNKNOWN = 1
    BUSY = 2
    PREFLIGHT = 3
    REFUSED = 4
    DISCARDED = 5
    FAILED = 6


@dataclass(frozen=True)
class Answer:
    """Whether something was done, a sentence about it, and why not."""

    success: bool
    message: str
    episode_index: int = -1
    rows: int = 0
    cause: Cause = Cause.NONE
    take: int = 0

    def __post_init__(self) -> None:
        """Give a refusal without a cause the one that says nothing."""
        if not self.success and self.cause is Cause.NONE:
            object.__setattr__(self, 'cause', Cause.UNKNOWN)


class Session:
    """
    At most one open episode of one dataset.

    `take` and `advance` are cheap and never wait for the disk or an encoder. `publish` waits, and
    may run in another thread while the state is SAVING; nothing else may then be called but
    `take`, `advance` and the properties.
    """

    def __init__(self, contract: Contract, writer: DatasetWriter, task: str = '') -> None:
        """Begin idle on a writer that is open."""
        self.contract = contract
        self.writer = writer
        self.task = task
        self.state = State.IDLE
        self.trouble = ''
        self.takes = 0
        self._broken = False
        self._sampler: Sampler | None = None
        self._assembler: Assembler | None = None
        self._episode: EpisodeWriter | None = None
        self._record: EpisodeRecord | None = None
        self._offsets: dict[str, Offsets] = {}
        self._first_ns = self._last_ns = 0
        self._latched: dict[str, tuple[int, int, Any]] = {}
        self._index = self._last_index = -1

    # What is shown -----------------------------------------------------------------------

    @property
    def episode_index(self) -> int:
        """Return the index of the open episode, -1 if none is."""
        return self._index

    @property
    def rows(self) -> int:
        """Return how many rows of the open episode are final."""
        return self._record.rows if self._record else 0

    @property
    def held_rows(self) -> int:
        """Return how many rows of the open episode repeat an older sample."""
        return self._record.held_rows if self._record else 0

    @property
    def duration_s(self) -> float:
        """Return the time from the first to the last row of the open episode."""
        return (self._last_ns - self._first_ns) * 1e-9

    @property
    def backlog(self) -> Mapping[str, int]:
        """Return the pictures of each camera that wait for its encoder, and note the most."""
        if self._episode is None or self._broken:
            return {}
        frames: dict[str, int] = {}
        # An encoder that has failed says so here first where no row comes any more.
        self._guarded(lambda: frames.update(
            (name, item.frames) for name, item in self._episode.backlog.items()))
        for name, count in frames.items():
            encoder = self._record.encoder[name]
            encoder['longest_backlog'] = max(count, encoder['longest_backlog'])
        return frames

    # What the operator does --------------------------------------------------------------

    def start(self, task: str, now_ns: int) -> Answer:
        """Open an episode."""
        if self.state is not State.IDLE:
            return Answer(False, f'episode {self.episode_index} is open: save or discard it first',
                          self.episode_index, cause=Cause.BUSY)
        task = task.strip() or self.task
        if not task:
            return Answer(False, 'no task: say what the robot is about to do, as in '
                                 'task: "put the cube into the bin"')
        try:
            self._episode = self.writer.begin_episode()
        except DatasetError as error:
            return Answer(False, str(error), cause=Cause.FAILED)
        self._index = self.writer.total_episodes
        self.task = task
        self.trouble, self._broken = '', False
        self._sampler, self._assembler = Sampler(self.contract), Assembler(self.contract)
        self._record = EpisodeRecord(task, now_ns, self.contract.digest, encoder={
            plan.name: {**asdict(plan.encoding), 'longest_backlog': 0}
            for plan in self.writer.plans})
        self._offsets = {name: Offsets() for name in self.contract.streams}
        self._first_ns = self._last_ns = 0
        self.takes += 1
        self.state = State.RECORDING
        for stream, (stamp_ns, received_ns, message) in self._latched.items():
            self._push(stream, stamp_ns, received_ns, message)
        return Answer(True, f'episode {self.episode_index} has begun: {task}',
                      self.episode_index, take=self.takes)

    def take(self, stream: str, stamp_ns: int, received_ns: int, message: object) -> None:
        """Take a message in; messages come in the order of their receipt."""
        if self.contract.streams[stream].latched:
            self._latched[stream] = stamp_ns, received_ns, message
        if self.state is State.RECORDING and not self.trouble:
            self._push(stream, stamp_ns, received_ns, message)

    def advance(self, received_ns: int) -> None:
        """Tell that everything received before an instant has been taken in."""
        if self.state is State.RECORDING and not self.trouble:
            self._guarded(lambda: self._add(self._sampler.advance(received_ns)))

    def end(self, force: bool, lost: Mapping[str, int] | None = None) -> Answer:
        """
        End the open episode's intake and decide whether it may be saved.

        On success `publish` must follow. Refused, it waits for `end(force=True)` or `discard`.
        `lost` are the messages of each stream that never came, by sequence numbers.
        """
        if self.state is State.RECORDING:
            if not self.trouble:
                self._guarded(lambda: self._add(self._sampler.finish()))
            self._conclude(lost or {})
        elif self.state is not State.REVIEW:
            return Answer(False, 'no episode is open')
        record = self._record
        if self._broken:
            self.state = State.REVIEW
            return Answer(False, f'{self.trouble}. The episode cannot be saved: discard it',
                          self.episode_index, record.rows, Cause.FAILED)
        refusals = [*([self.trouble] if self.trouble else []), *self._sampler.report.refusals]
        if not record.rows:
            self.discard()
            return Answer(False, 'the episode had no row and is gone: '
                                 + ('; '.join(refusals) or 'it ended at once'),
                          cause=Cause.REFUSED)
        if refusals and not force:
            self.state = State.REVIEW
            return Answer(False, f'refused: {"; ".join(refusals)}. Discard the episode, or save '
                                 'it with force and it is marked', self.episode_index,
                          record.rows, Cause.REFUSED)
        record.forced = bool(refusals)
        record.marks = [*self._sampler.report.marks, *refusals]
        self.state = State.SAVING
        return Answer(True, '', self.episode_index, record.rows)

    def publish(self, success: bool | None) -> SavedEpisode:
        """Put the ended episode on disk; DatasetError if that fails, and what was before holds."""
        self._record.success = success
        return self._episode.save({
            f'contracts/{self.contract.digest}.yaml': self.contract.to_yaml().encode(),
            _record_name(self.episode_index): self._record.to_json()})

    def published(self, error: DatasetError | None) -> Answer:
        """Take the outcome of `publish` and return to idle, or to review where it failed."""
        index, rows = self.episode_index, self.rows
        if error is not None:
            self.state = State.REVIEW
            return Answer(False, f'episode {index} was not saved: {error}', index, rows,
                          Cause.FAILED)
        self._close()
        self._last_index = index
        return Answer(True, f'episode {index} is on disk: {rows} rows', index, rows)

    def discard(self) -> Answer:
        """Drop the open episode; the dataset is as it was before."""
        if self.state not in (State.RECORDING, State.REVIEW):
            return Answer(False, 'no episode is open')
        index = self.episode_index
        try:
            self._episode.discard()
        except DatasetError as error:
            return Answer(False, str(error), index, cause=Cause.FAILED)
        self._close()
        return Answer(True, f'episode {index} is discarded', index)

    def mark(self, text: str) -> None:
        """Note something about the ended episode that whoever uses it must know."""
        self._record.marks.append(text)

    def label(self, success: bool | None, task: str) -> Answer:
        """Label the episode accepted last, and name the task of the open one or the next."""
        task = task.strip()
        if task:
            if self._episode is not None and self.state is State.RECORDING:
                try:
                    self._episode.relabel(task)
                except DatasetError as error:
                    return Answer(False, str(error), self.episode_index)
                self._record.task = task
            self.task = task
        if success is None:
            return Answer(bool(task), f'task: {task}' if task else 'neither a label nor a task')
        if self.state is not State.IDLE:
            return Answer(False, 'an episode is open: give its label when it is saved')
        if self._last_index < 0:
            return Answer(False, 'no episode has been accepted since the recorder was started')
        path = self.writer.root / EXTRA / _record_name(self._last_index)
        try:
            record = {**json.loads(path.read_bytes()), 'success': success}
            replace_file(path, path.with_suffix('.new'), to_json(record))
        except (OSError, TypeError, ValueError) as error:
            return Answer(False, f'{path}: {error}')
        name = 'success' if success else 'failure'
        return Answer(True, f'episode {self._last_index} is a {name}', self._last_index)

    # Inside --------------------------------------------------------------------------------

    def _push(self, stream: str, stamp_ns: int, received_ns: int, message: object) -> None:
        self._guarded(
            lambda: self._add(self._sampler.push(stream, stamp_ns, received_ns, message)))

    def _guarded(self, act: Callable[[], None]) -> None:
        """Let what cannot be recorded end the episode's intake, with its reason, and no more."""
        try:
            act()
        except (CodecError, BadRow) as error:
            # What came before can be kept.
            self.trouble = str(error)
        except DatasetError as error:
            self.trouble, self._broken = str(error), True

    def _add(self, rows: Sequence[Row]) -> None:
        record = self._record
        for row in rows:
            frame = self._assembler.frame(row)
            self._episode.add(frame.values, frame.images, self.task)
            self._first_ns = self._first_ns or row.instant_ns
            self._last_ns = row.instant_ns
            record.rows += 1
            record.held_rows += bool(row.held)
            for stream, sample in row.samples.items():
                if sample is not None and not self.contract.streams[stream].latched:
                    self._offsets[stream].values.append(sample.stamp_ns - row.instant_ns)

    def _conclude(self, lost: Mapping[str, int]) -> None:
        record, report = self._record, self._sampler.report
        record.duration_s = self.duration_s
        record.streams = {
            name: {**asdict(stream), 'sequence_gaps': lost.get(name, 0),
                   'offset': self._offsets[name].summary()}
            for name, stream in report.streams.items()}

    def _close(self) -> None:
        self._episode = self._record = self._sampler = self._assembler = None
        self._index = -1
        self.trouble, self._broken = '', False
        self.state = State.IDLE


def _record_name(index: int) -> str:
    return f'episodes/episode-{index:06d}.json'
