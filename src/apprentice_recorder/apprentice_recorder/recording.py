# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The recorder's own thread: takes messages, runs the session, checks, and tells its status."""
from __future__ import annotations

from collections.abc import Callable
import os
import shutil
import threading
import time
import traceback
from typing import Any

from apprentice_contract.codecs import check_message
from apprentice_contract.codecs import CodecError
from apprentice_contract.codecs import stamp_ns
from apprentice_contract.contract import Contract
from apprentice_dataset.episode import SavedEpisode
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.writer import DatasetWriter
from apprentice_msgs.msg import RecorderStatus
from apprentice_msgs.msg import StreamStatus
from apprentice_node.clock import ClockBridge
from apprentice_recorder import capacity
from apprentice_recorder import preflight
from apprentice_recorder.health_topic import HealthTopic
from apprentice_recorder.intake import HOLD_BACK_NS
from apprentice_recorder.intake import Intake
from apprentice_recorder.monitor import StreamHealth
from apprentice_recorder.monitor import StreamMonitor
from apprentice_recorder.session import Answer
from apprentice_recorder.session import Cause
from apprentice_recorder.session import Session
from apprentice_recorder.session import State
from apprentice_recorder.worker import Worker
from rclpy.node import Node
from rclpy.task import Future

TURN_S = 0.005
LOOK_S = 0.25
FOLLOW_S = 1.0
SAVE_S = 60.0


class Recording:
    """
    Everything between activate and deactivate.

    All methods but `start`, `close`, `publish_to` and the properties run in the worker's thread:
    ask it.
    """

    def __init__(
        self, node: Node, contract: Contract, writer: DatasetWriter, task: str, demanding: bool,
    ) -> None:
        """Subscribe to nothing yet."""
        self.demanding = demanding
        self.status: RecorderStatus | None = None
        self._node = node
        self._contract = contract
        self._writer = writer
        self._logger = node.get_logger()
        self._session = Session(contract, writer, task)
        self._intake = Intake(
            node, {name: (stream.topic, stream.type)
                   for name, stream in contract.streams.items()}, self._logger.warning)
        self._health = HealthTopic(node)
        self._monitors = {
            name: StreamMonitor(name, self._intake.topic(name), stream.rate_hz)
            for name, stream in contract.streams.items()}
        self._to_ros = _clock(node)
        self._publish: Callable[[RecorderStatus], None] = _nowhere
        self._findings: list[preflight.Finding] = []
        self._last = ''
        self._outcomes: dict[int, Answer] = {}
        self._saving: threading.Thread | None = None
        self._finish: Callable[[], None] | None = None
        self._look_at = self._follow_at = 0.0
        self._newest: dict[str, Any] = {}
        self._lost_before: dict[str, int] = {}
        self._streams: list[StreamHealth] = []
        self._free = 0
        self._costs_s = capacity.encoder_costs_s(writer.plans)
        self._bytes_a_minute = capacity.bytes_a_minute(writer.plans)
        self.worker = Worker(TURN_S, self._turn, self._failed)

    def publish_to(self, publish: Callable[[RecorderStatus], None]) -> None:
        """Say where the status goes, before `start`."""
        self._publish = publish

    def start(self) -> None:
        """Start the thread."""
        self.worker.start()

    def close(self) -> bool:
        """
        End the thread and save what is open, as interrupted.

        False: that failed, and the writer must be opened anew, which saves what there is.
        """
        self.worker.stop(SAVE_S)
        if self._saving is not None:
            self._saving.join(SAVE_S)
        if self._finish is not None:
            self._finish()
        # What the turns still held back belongs to the episode too.
        self._take(time.time_ns())
        self._intake.destroy()
        self._health.destroy()
        session = self._session
        if session.state not in (State.RECORDING, State.REVIEW):
            return session.state is State.IDLE
        # Kept whatever its rules say: a mark can be read later, and discarding cannot be undone.
        answer = session.end(True, self._lost())
        if answer.success:
            session.mark('interrupted: the recorder was ended during the episode')
            answer = session.published(_attempt(lambda: session.publish(None))[1])
        self._outcomes = {session.takes: self._tell(answer)}
        return session.state is State.IDLE

    @property
    def is_saving(self) -> bool:
        """Tell whether the open episode is being published."""
        return self._session.state is State.SAVING

    def is_open(self, take: int) -> bool:
        """Tell whether this take is still open; an episode recorded again is another."""
        return self._session.episode_index >= 0 and self._session.takes == take

    def outcome(self, take: int) -> Answer:
        """Return how a take that is no longer open ended."""
        return self._outcomes.get(take, Answer(False, 'how the episode ended is not known'))

    # Asked of the worker ---------------------------------------------------------------------

    def begin(self, task: str, patient: bool) -> Answer:
        """Start an episode if nothing is in the way; a patient caller asks again, and quietly."""
        if self._session.state is State.IDLE and self.demanding:
            self._look()
            found = preflight.blocks(self._findings)
            if found:
                answer = Answer(False, '\n'.join(found), cause=Cause.PREFLIGHT)
                return answer if patient else self._tell(answer)
        self._lost_before = self._sequence_gaps()
        return self._tell(self._session.start(task, self._node.get_clock().now().nanoseconds))

    def save(self, success: bool | None, force: bool) -> Answer | Future:
        """End the open episode and publish it in another thread; the future has the answer."""
        self._drain()
        answer = self._session.end(force, self._lost())
        if not answer.success:
            return self._tell(answer)
        future = Future(executor=self._node.executor)
        future.add_done_callback(_nowhere)
        self._saving = threading.Thread(
            target=self._save, args=(success, future), name='save', daemon=True)
        self._saving.start()
        return future

    def discard(self) -> Answer:
        """Drop the open episode."""
        answer = self._session.discard()
        if answer.success:
            self._outcomes = {self._session.takes: Answer(
                False, answer.message, answer.episode_index, cause=Cause.DISCARDED)}
        return self._tell(answer)

    def label(self, success: bool | None, task: str) -> Answer:
        """Label the open episode, or the one accepted last."""
        return self._tell(self._session.label(success, task))

    # The thread ------------------------------------------------------------------------------

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._follow_at:
            self._follow_at = now + FOLLOW_S
            self._intake.follow(self._session.state is State.RECORDING)
        self._take(time.time_ns() - HOLD_BACK_NS)
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._look()
            self.status = self._describe()
            self._publish(self.status)

    def _take(self, until_ns: int) -> None:
        self._intake.poll()
        session, monitors = self._session, self._monitors
        for arrival in self._intake.ready(until_ns):
            stream, message = arrival.stream, arrival.message
            received_ns = self._to_ros(arrival.received_ns)
            stamp = stamp_ns(message, self._contract.streams[stream].type) or received_ns
            monitors[stream].take(stamp, received_ns, arrival.number)
            self._newest[stream] = message
            session.take(stream, stamp, received_ns, message)
        session.advance(self._to_ros(until_ns))

    def _drain(self) -> None:
        """Take what was received until now, which the turns hold back."""
        until_ns = time.time_ns()
        time.sleep(HOLD_BACK_NS * 1e-9)
        self._take(until_ns)

    def _save(self, success: bool | None, future: Future) -> None:
        session = self._session
        minutes = session.duration_s / 60.0
        saved, error = _attempt(lambda: session.publish(success))
        if saved is not None and minutes > 0.0:
            self._bytes_a_minute = saved.bytes / minutes

        def finish() -> None:
            if self._finish is None:
                return
            self._finish = None
            answer = self._tell(session.published(error))
            self._outcomes = {session.takes: answer}
            future.set_result(answer)
        self._finish = finish
        self.worker.ask(finish)

    def _look(self) -> None:
        """See whether everything is as it must be."""
        self._health.poll()
        contract = self._contract
        now_ns = self._node.get_clock().now().nanoseconds
        self._streams = [monitor.health(now_ns) for monitor in self._monitors.values()]
        findings = [preflight.Finding(True, text, name)
                    for name, text in self._intake.troubles.items()]
        for stream in self._streams:
            if stream.name not in self._intake.troubles:
                findings.append(preflight.check_stream(
                    stream, contract.rate_tolerance, contract.clock_offset_ms * 1e-3)
                    or self._check_newest(stream.name))
        self._free = shutil.disk_usage(self._writer.root).free
        findings.append(preflight.check_disk(self._free, self._bytes_a_minute))
        findings.append(preflight.check_encoders(
            self._costs_s, contract.fps, len(os.sched_getaffinity(0))))
        findings += preflight.check_diagnostics(
            contract.diagnostics, self._health.seen(), self._node.get_namespace())
        self._findings = [finding for finding in findings if finding is not None]

    def _check_newest(self, stream: str) -> preflight.Finding | None:
        """See whether the newest message holds all that the contract takes of its stream."""
        if self._session.state is not State.IDLE:
            return None
        try:
            check_message(self._contract, stream, self._newest[stream])
        except CodecError as error:
            return preflight.Finding(True, str(error), stream)
        return None

    def _sequence_gaps(self) -> dict[str, int]:
        return {name: monitor.sequence_gaps for name, monitor in self._monitors.items()}

    def _lost(self) -> dict[str, int]:
        return {name: count - self._lost_before.get(name, 0)
                for name, count in self._sequence_gaps().items()}

    def _describe(self) -> RecorderStatus:
        session = self._session
        backlog = session.backlog
        troubles = {finding.stream: finding.text for finding in self._findings}
        status = RecorderStatus(
            state=session.state.value, dataset=str(self._writer.root),
            total_episodes=self._writer.total_episodes, task=session.task,
            episode_index=session.episode_index, duration_s=session.duration_s,
            rows=session.rows, held_rows=session.held_rows,
            streams=[_stream(health, troubles.get(health.name, ''))
                     for health in self._streams],
            cameras=list(backlog), backlog=list(backlog.values()),
            free_minutes=preflight.free_minutes(self._free, self._bytes_a_minute),
            blocks=[*([session.trouble] if session.trouble else []),
                    *preflight.blocks(self._findings)],
            warnings=preflight.warnings(self._findings), last=self._last)
        status.header.stamp = self._node.get_clock().now().to_msg()
        return status

    def _tell(self, answer: Answer) -> Answer:
        self._last = answer.message
        # Each level at a place of its own, as rclpy demands.
        if answer.success:
            self._logger.info(answer.message)
        else:
            self._logger.error(answer.message)
        return answer

    def _failed(self, error: BaseException) -> None:
        self._logger.fatal(''.join(traceback.format_exception(error)))
        self._node.fault(f"the recorder's thread failed: {type(error).__name__}: {error}")


def _attempt(
    act: Callable[[], SavedEpisode],
) -> tuple[SavedEpisode | None, DatasetError | None]:
    try:
        return act(), None
    except DatasetError as error:
        return None, error
    # Whatever it is, who asked must hear of it, and the episode is still there.
    except Exception as error:
        return None, DatasetError(f'{type(error).__name__}: {error}')


def _clock(node: Node) -> Callable[[int], int]:
    """Return what turns an instant of the system's clock into ROS time."""
    if not node.get_parameter('use_sim_time').value:
        return lambda system_ns: system_ns
    return ClockBridge(lambda: node.get_clock().now().nanoseconds, time.time_ns).to_ros


def _stream(health: StreamHealth, trouble: str) -> StreamStatus:
    return StreamStatus(
        name=health.name, topic=health.topic, rate_hz=health.rate_hz,
        expected_hz=health.expected_hz,
        age_s=float('nan') if health.age_s is None else health.age_s,
        samples=health.samples, sequence_gaps=health.sequence_gaps, trouble=trouble)


def _nowhere(*_: object) -> None:
    """Take what nobody waits for."""
