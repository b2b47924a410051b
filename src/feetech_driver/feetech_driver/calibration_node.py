# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibration as an action: `~/calibrate`, its phases confirmed by the service `~/confirm`."""
from __future__ import annotations

from collections.abc import Sequence
import threading

from apprentice_control.calibration import CalibrationError
from apprentice_msgs.action import Calibrate
from apprentice_node.managed_node import ManagedNode
from feetech_driver.calibration_plan import Mode
from feetech_driver.calibration_plan import Outcome
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import Plan
from feetech_driver.calibration_plan import PlanError
from feetech_driver.calibration_plan import Refused
from feetech_driver.calibration_plan import Row
from feetech_driver.calibration_run import run
from feetech_driver.connection import Interrupted
from feetech_driver.errors import BusError
from feetech_driver.port import DEFAULT_BAUDRATE
from rclpy.action import ActionServer
from rclpy.action import CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.task import Future
from std_srvs.srv import Trigger

FEEDBACK_S = 0.1
# What a calibration needs to put its registers back, and a second for a transaction under way.
STOP_S = 4.5


class RemoteUser:
    """A Front whose user is the client of an action; safe to use from two threads."""

    def __init__(self, logger: RcutilsLogger) -> None:
        """Begin without news."""
        self._logger = logger
        self._lock = threading.Lock()
        self._phase = Phase.CONNECT
        self._prompt = ''
        self._rows: Sequence[Row] = ()
        self._messages: list[str] = []
        self._confirmed = False
        self._stop = threading.Event()

    def tell(self, text: str) -> None:
        """Log, and keep for the next feedback."""
        self._logger.info(text)
        with self._lock:
            self._messages.append(text)

    def warn(self, text: str) -> None:
        """Log, and keep for the next feedback."""
        self._logger.warning(text)
        with self._lock:
            self._messages.append(text)

    def begin(self, phase: Phase, prompt: str) -> None:
        """Begin a phase; a confirmation of the phase before does not count."""
        self._logger.info(f'{phase.value}: {prompt}')
        with self._lock:
            self._phase, self._prompt, self._confirmed = phase, prompt, False

    def show(self, rows: Sequence[Row]) -> None:
        """Keep for the next feedback."""
        self._rows = rows

    def confirmed(self) -> bool:
        """Tell whether the service was called in this phase."""
        with self._lock:
            confirmed, self._confirmed = self._confirmed, False
        return confirmed

    def stopped(self) -> bool:
        """Tell whether the goal was canceled or the node ends."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask for the end."""
        self._stop.set()

    def confirm(self) -> tuple[bool, str]:
        """Confirm the present phase; tell whether one waits for that, and which."""
        with self._lock:
            if not self._phase.waits:
                return False, f'phase {self._phase.value!r} waits for nobody; try again later'
            self._confirmed = True
            return True, f'confirmed {self._phase.value!r}'

    def feedback(self) -> Calibrate.Feedback:
        """Return what there is to see, and the news since the last call."""
        with self._lock:
            rows = self._rows
            messages, self._messages = self._messages, []
            return Calibrate.Feedback(
                phase=self._phase.value, prompt=self._prompt,
                awaits_confirmation=self._phase.waits, messages=messages,
                joints=[row.joint for row in rows], position=[row.position for row in rows],
                minimum=[row.minimum for row in rows], maximum=[row.maximum for row in rows],
                flags=[row.flag for row in rows])


class _Work:
    """One plan done in a thread of its own."""

    def __init__(self, plan: Plan, user: RemoteUser) -> None:
        self.user = user
        self.result = Calibrate.Result(error_code=Calibrate.Result.UNKNOWN)
        self._plan = plan
        self._thread = threading.Thread(target=self._do, name='calibration')
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def stop(self) -> bool:
        """Stop, and tell whether everything was put back in time."""
        self.user.stop()
        self._thread.join(STOP_S)
        return self.done

    def _do(self) -> None:
        try:
            self.result = _result(run(self._plan, self.user))
        except (PlanError, CalibrationError, BusError, OSError) as error:
            self.result = _failure(error)
            self.user.warn(self.result.error_msg)


class CalibrationNode(ManagedNode):
    """Calibrate whatever arm a goal names, one at a time."""

    expected_errors = (BusError,)

    def __init__(self) -> None:
        """Offer nothing before it is configured."""
        super().__init__('calibration')
        self._work: _Work | None = None
        self._entities: list = []

    def configure(self) -> None:
        """Offer action and service."""
        group = ReentrantCallbackGroup()
        service = self.create_service(Trigger, '~/confirm', self._confirm, callback_group=group)
        action = ActionServer(
            self, Calibrate, '~/calibrate', self._calibrate, callback_group=group,
            cancel_callback=lambda _: CancelResponse.ACCEPT)
        self._entities = [(service, self.destroy_service), (action, lambda it: it.destroy())]

    def release(self) -> None:
        """End a calibration under way, its registers put back, and withdraw."""
        work, self._work = self._work, None
        stopped = work is None or work.stop()
        for entity, destroy in self._entities:
            destroy(entity)
        self._entities = []
        if not stopped:
            raise BusError(
                f'the calibration did not end within {STOP_S:g} s; compare file and servos '
                'before the arm is used')

    def _confirm(
        self, _request: Trigger.Request, response: Trigger.Response,
    ) -> Trigger.Response:
        work = self._work
        if work is None or work.done:
            response.message = 'no calibration is under way: send a goal to ~/calibrate'
        else:
            response.success, response.message = work.user.confirm()
        return response

    async def _calibrate(self, handle: ServerGoalHandle) -> Calibrate.Result:
        if self._work is not None and not self._work.done:
            handle.abort()
            return Calibrate.Result(
                error_code=Calibrate.Result.BUSY,
                error_msg='another calibration is under way; cancel it or let it end')
        try:
            plan = _plan(handle.request)
        except (PlanError, ValueError) as error:
            handle.abort()
            return Calibrate.Result(
                error_code=Calibrate.Result.BAD_GOAL, error_msg=f'goal: {error}')
        work = self._work = _Work(plan, RemoteUser(self.get_logger()))
        while not work.done:
            if handle.is_cancel_requested:
                work.user.stop()
            handle.publish_feedback(work.user.feedback())
            await self._later(FEEDBACK_S)
        handle.publish_feedback(work.user.feedback())
        if work.result.error_code == Calibrate.Result.NONE:
            handle.succeed()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return work.result

    def _later(self, seconds: float) -> Future:
        future = Future(executor=self.executor)
        timer = self.create_timer(
            seconds, lambda: (future.set_result(None), timer.cancel()),
            clock=Clock(clock_type=ClockType.STEADY_TIME))
        future.add_done_callback(lambda _: self.destroy_timer(timer))
        return future


def _plan(goal: Calibrate.Goal) -> Plan:
    return Plan(
        port=goal.port, arm=goal.arm, role=goal.role, robot_id=goal.robot_id,
        calibration_file=goal.calibration_file, baud=goal.baud or DEFAULT_BAUDRATE,
        mode=Mode(goal.mode), joints=tuple(goal.joints), accept=tuple(goal.accept),
        check_directions=goal.check_directions)


def _result(outcome: Outcome) -> Calibrate.Result:
    joints = outcome.joints.values()
    return Calibrate.Result(
        error_code=Calibrate.Result.DIFFERENT if outcome.different else Calibrate.Result.NONE,
        error_msg='file and servos differ' if outcome.different else '',
        path=str(outcome.path), joints=list(outcome.joints),
        verdicts=[outcome.verdicts[name] for name in outcome.joints],
        homing_offset=[joint.homing_offset for joint in joints],
        range_min=[joint.range_min for joint in joints],
        range_max=[joint.range_max for joint in joints])


def _failure(error: Exception) -> Calibrate.Result:
    code = Calibrate.Result.UNKNOWN
    verdicts: dict[str, str] = {}
    if isinstance(error, (PlanError, CalibrationError)):
        code = Calibrate.Result.BAD_GOAL
    elif isinstance(error, Refused):
        code, verdicts = Calibrate.Result.REFUSED, error.verdicts
    elif isinstance(error, Interrupted):
        code = Calibrate.Result.STOPPED
    elif isinstance(error, BusError):
        code = Calibrate.Result.UNREACHABLE
    return Calibrate.Result(error_code=code, error_msg=str(error), joints=list(verdicts),
                            verdicts=list(verdicts.values()))
