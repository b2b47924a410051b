# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Node: a contract's topics in, episodes of a dataset out; services, an action and a status."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path
import time
from typing import Any

from apprentice_contract.contract import ContractError
from apprentice_contract.contract import load_contract
from apprentice_contract.features import dataset_spec
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.writer import DatasetWriter
from apprentice_msgs.action import RecordEpisode
from apprentice_msgs.msg import RecorderStatus
from apprentice_msgs.srv import LabelEpisode
from apprentice_msgs.srv import SaveEpisode
from apprentice_msgs.srv import StartEpisode
from apprentice_node.diagnostics import Health
from apprentice_node.diagnostics import Level
from apprentice_node.managed_node import ManagedNode
from apprentice_node.priority import lower_priority
from apprentice_recorder.ranges import find_ranges
from apprentice_recorder.recorder_parameters import SPECS
from apprentice_recorder.recording import Recording
from apprentice_recorder.session import Answer
from apprentice_recorder.session import Cause
from apprentice_recorder.worker import Refused
from rclpy.action import ActionServer
from rclpy.action import CancelResponse
from rclpy.action import GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.task import Future
from std_srvs.srv import Trigger

STATUS_PERIOD_S = 0.25
LABELS = {SaveEpisode.Request.UNLABELLED: None, SaveEpisode.Request.SUCCESS: True,
          SaveEpisode.Request.FAILURE: False}
INACTIVE = Answer(False, 'the recorder is not active')


class SettingsError(ValueError):
    """A parameter that must be given is not."""


class RecorderNode(ManagedNode):
    """Inactive: the dataset is open. Active: streams are watched and episodes may be recorded."""

    expected_errors = (ContractError, DatasetError, SettingsError, OSError)

    def __init__(self) -> None:
        """Declare the parameters."""
        super().__init__('recorder', SPECS)
        self._writer: DatasetWriter | None = None
        self._publish: Any = _nothing
        self._recording: Recording | None = None
        self._entities: list[tuple[Any, Any]] = []

    def configure(self) -> None:
        """Read the contract, wait for the ranges it needs, open the dataset, repairing it."""
        values = self.values
        for name in ('contract', 'dataset'):
            if not values[name]:
                raise SettingsError(f"parameter '{name}': found nothing, expected a path")
        contract = load_contract(Path(values['contract']).expanduser())
        self._contract = find_ranges(
            self, contract, values['ranges_timeout_s'], self.stop_requested)
        self._open()
        self._offer()

    def _open(self) -> None:
        root = Path(self.values['dataset']).expanduser().resolve()
        self._writer = DatasetWriter.open_or_create(
            root, dataset_spec(self._contract), on_thread_start=lower_priority)
        for text in self._writer.repaired:
            self.get_logger().warning(f'repaired: {text}')
        self.get_logger().info(f'{root}: {self._writer.total_episodes} episodes')

    def activate(self) -> None:
        """Listen to the contract's streams."""
        self._recording = Recording(
            self, self._contract, self._writer, self.values['task'], self.values['preflight'])
        self._recording.publish_to(self._publish)
        self._recording.start()

    def deactivate(self) -> None:
        """Save what an open episode has, marked as interrupted, and stop listening."""
        recording, self._recording = self._recording, None
        if recording is not None and not recording.close():
            self._writer.close()
            self._open()

    def release(self) -> None:
        """Close the dataset, from whatever state."""
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()
        self._withdraw()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def parameter_changed(self, name: str, value: object) -> None:
        """Take over whether pre-flight refuses."""
        if self._recording is not None and name == 'preflight':
            self._recording.demanding = bool(value)

    def health(self) -> Iterable[Health]:
        """Report what pre-flight would refuse, and an open episode's trouble."""
        recording = self._recording
        status = recording.status if recording is not None else None
        if status is None:
            return
        values = {stream.name: f'{stream.rate_hz:.1f} Hz, lost {stream.sequence_gaps}'
                  for stream in status.streams}
        values['waiting for encoders'] = sum(status.backlog)
        if status.blocks:
            level = Level.ERROR if status.state == RecorderStatus.RECORDING else Level.WARN
            yield Health('recording', level, '; '.join(status.blocks), values)
        else:
            yield Health('recording', Level.OK, status.last or 'ready', values)

    # Services ------------------------------------------------------------------------------

    def _offer(self) -> None:
        # Answers are awaited; meanwhile the others must run.
        group = ReentrantCallbackGroup()
        self._entities = [
            (self.create_service(kind, f'recorder/{name}', answer, callback_group=group),
             self.destroy_service)
            for kind, name, answer in (
                (StartEpisode, 'start', self._on_start), (SaveEpisode, 'save', self._on_save),
                (Trigger, 'discard', self._on_discard), (LabelEpisode, 'label', self._on_label))]
        publisher = self.create_publisher(RecorderStatus, 'recorder/status', 1)
        self._publish = publisher.publish
        action = ActionServer(
            self, RecordEpisode, 'record_episode', self._on_episode, callback_group=group,
            goal_callback=lambda goal: (
                GoalResponse.ACCEPT if goal.label in LABELS else GoalResponse.REJECT),
            cancel_callback=lambda _: CancelResponse.ACCEPT)
        # A coroutine goes on when something wakes the executor.
        timer = self.create_timer(STATUS_PERIOD_S / 2, _nothing, callback_group=group,
                                  clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._entities += [(publisher, self.destroy_publisher), (timer, self.destroy_timer),
                           (action, lambda entity: entity.destroy())]

    def _withdraw(self) -> None:
        for entity, destroy in self._entities:
            destroy(entity)
        self._entities = []

    async def _on_start(
        self, request: StartEpisode.Request, response: StartEpisode.Response,
    ) -> StartEpisode.Response:
        answer = await self._begin(request.task)
        response.success, response.message = answer.success, answer.message
        response.episode_index = answer.episode_index
        return response

    async def _on_save(
        self, request: SaveEpisode.Request, response: SaveEpisode.Response,
    ) -> SaveEpisode.Response:
        answer = await self._save(request.label, request.force)
        response.success, response.message = answer.success, answer.message
        response.episode_index, response.rows = answer.episode_index, answer.rows
        return response

    async def _on_discard(
        self, _request: Trigger.Request, response: Trigger.Response,
    ) -> Trigger.Response:
        answer = await self._ask(lambda recording: recording.discard())
        response.success, response.message = answer.success, answer.message
        return response

    async def _on_label(
        self, request: LabelEpisode.Request, response: LabelEpisode.Response,
    ) -> LabelEpisode.Response:
        if request.label not in LABELS:
            answer = _bad_label(request.label)
        else:
            answer = await self._ask(
                lambda recording: recording.label(LABELS[request.label], request.task))
        response.success, response.message = answer.success, answer.message
        response.episode_index = answer.episode_index
        return response

    async def _on_episode(self, handle: ServerGoalHandle) -> RecordEpisode.Result:
        goal, recording = handle.request, self._recording
        answer = await self._begin(goal.task)
        if not answer.success:
            handle.abort()
            return _result(answer)
        index, take = answer.episode_index, answer.take
        while recording.is_open(take):
            if recording.is_saving:
                await _later(self, STATUS_PERIOD_S)
                continue
            if handle.is_cancel_requested:
                if (await self._ask(lambda it: it.discard())).success:
                    handle.canceled()
                    return _result(recording.outcome(take))
            status = recording.status
            if status is not None and status.episode_index == index:
                handle.publish_feedback(RecordEpisode.Feedback(
                    duration_s=status.duration_s, rows=status.rows, held_rows=status.held_rows))
                if 0.0 < goal.duration_s <= status.duration_s:
                    break
            await _later(self, STATUS_PERIOD_S)
        answer = await self._finish(recording, take, goal.label)
        if answer.success:
            handle.succeed()
        else:
            handle.abort()
        return _result(answer)

    async def _finish(self, recording: Recording, take: int, label: int) -> Answer:
        """Save what is still open; what the contract refuses goes, what failed can be repeated."""
        if not recording.is_open(take):
            return recording.outcome(take)
        answer = await self._save(label, False)
        if answer.cause is Cause.REFUSED and recording.is_open(take):
            await self._ask(lambda it: it.discard())
        return answer

    async def _begin(self, task: str) -> Answer:
        """Start an episode as soon as the checks pass, or say what still stood in the way."""
        recording = self._recording
        give_up = time.monotonic() + self.values['patience_s']
        while True:
            patient = time.monotonic() < give_up
            answer = await self._ask(lambda it: it.begin(task, patient))
            if answer.cause is not Cause.PREFLIGHT or not patient or (
                    recording is not self._recording):
                return answer
            await _later(self, STATUS_PERIOD_S)

    async def _save(self, label: int, force: bool) -> Answer:
        if label not in LABELS:
            return _bad_label(label)
        saved = await self._ask(lambda it: it.save(LABELS[label], force))
        return await saved if isinstance(saved, Future) else saved

    async def _ask(self, function: Callable[[Recording], Any]) -> Any:
        recording = self._recording
        if recording is None:
            return INACTIVE
        future = recording.worker.ask(lambda: function(recording), self.executor)
        future.add_done_callback(_nothing)
        try:
            return await future
        except Refused:
            return INACTIVE


def _later(node: RecorderNode, seconds: float) -> Future:
    """Return a future that is done after so many seconds."""
    future = Future(executor=node.executor)
    timer = node.create_timer(seconds, lambda: (future.set_result(None), timer.cancel()),
                              clock=Clock(clock_type=ClockType.STEADY_TIME))
    future.add_done_callback(lambda _: node.destroy_timer(timer))
    return future


def _bad_label(label: int) -> Answer:
    return Answer(False, f'label: found {label}, expected one of {sorted(LABELS)}')


def _result(answer: Answer) -> RecordEpisode.Result:
    return RecordEpisode.Result(
        error_code=answer.cause.value, error_msg='' if answer.success else answer.message,
        episode_index=answer.episode_index, rows=answer.rows)


def _nothing(*_: object) -> None:
    """Wake the executor, no more."""
