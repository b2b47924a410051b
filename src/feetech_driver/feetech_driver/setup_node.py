# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Scan and set-up of motors as services: `~/scan_bus` and `~/assign_id`."""
from __future__ import annotations

from collections.abc import Callable
import math
import threading
from typing import TypeVar

from apprentice_msgs.msg import FoundMotor as FoundMotorMessage
from apprentice_msgs.srv import AssignId
from apprentice_msgs.srv import ScanBus
from apprentice_node.managed_node import ManagedNode
from feetech_driver.errors import BusError
from feetech_driver.registers import MODELS
from feetech_driver.scan import describe
from feetech_driver.scan import FoundMotor
from feetech_driver.scan import scan_port
from feetech_driver.setup_arms import JOINTS
from feetech_driver.setup_motor import SetupError
from feetech_driver.setup_motor import Wish
from feetech_driver.setup_run import assign_only
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future

Result = TypeVar('Result')

# A motor that is being written to is finished with; the driver's release takes no longer.
_STOP_S = 4.0
_HIGHEST_ID = 253
_DEFAULT_MODEL = 'sts3215'


class SetupNode(ManagedNode):
    """Find motors and give them their ids, one request at a time; a port is open for it alone."""

    def __init__(self) -> None:
        """Wait to be configured."""
        super().__init__('feetech_setup')
        self._offered: list = []
        self._busy = threading.Lock()
        self._worker: threading.Thread | None = None

    def configure(self) -> None:
        """Offer the services; answers are awaited, and meanwhile others must run."""
        group = ReentrantCallbackGroup()
        self._offered = [
            self.create_service(ScanBus, '~/scan_bus', self._on_scan, callback_group=group),
            self.create_service(AssignId, '~/assign_id', self._on_assign, callback_group=group)]

    def release(self) -> None:
        """Take the services away and wait for a request under way."""
        for service in self._offered:
            self.destroy_service(service)
        self._offered = []
        if self._worker is not None:
            self._worker.join(_STOP_S)

    async def _on_scan(
        self, request: ScanBus.Request, response: ScanBus.Response,
    ) -> ScanBus.Response:
        try:
            result = await self._ask(lambda: scan_port(request.port, request.thorough))
        except BusError as error:
            response.message = str(error)
            return response
        response.success = True
        response.motors = [_message(motor) for motor in result.motors]
        response.message = '\n'.join(map(str, result.motors)) or describe(result)
        return response

    async def _on_assign(
        self, request: AssignId.Request, response: AssignId.Response,
    ) -> AssignId.Response:
        try:
            wish = _wish(request)
            assigned = await self._ask(lambda: assign_only(request.port, wish))
        except BusError as error:
            response.message = str(error)
            return response
        response.success = True
        response.before, response.after = map(_message, (assigned.before, assigned.after))
        response.changes = list(assigned.changes)
        response.message = '; '.join(assigned.changes) or 'nothing to write: it is set up already'
        self.get_logger().info(f'{request.port}: {assigned.after}: {response.message}')
        return response

    def _ask(self, function: Callable[[], Result]) -> Future:
        """Run a function in a thread, for the executor must go on; a coroutine awaits it."""
        if not self._busy.acquire(blocking=False):
            raise SetupError('another request is under way; ask again when it is answered')
        future = Future(executor=self.executor)
        self._worker = threading.Thread(
            target=self._work, args=(function, future), name='setup', daemon=True)
        self._worker.start()
        return future

    def _work(self, function: Callable[[], Result], future: Future) -> None:
        try:
            future.set_result(function())
        except Exception as error:
            future.set_exception(error)
        finally:
            self._busy.release()


def _wish(request: AssignId.Request) -> Wish:
    model = request.model or _DEFAULT_MODEL
    if model not in MODELS:
        raise SetupError(f'model: found {model!r}, expected one of {", ".join(MODELS)}')
    if request.joint and request.joint not in JOINTS:
        raise SetupError(f'joint: found {request.joint!r}, expected one of {", ".join(JOINTS)}')
    if request.joint and request.id:
        raise SetupError('joint and id: found both, expected one of them')
    ident = JOINTS.index(request.joint) + 1 if request.joint else request.id
    if not 1 <= ident <= _HIGHEST_ID:
        raise SetupError(f'id: found {ident}, expected 1 to {_HIGHEST_ID}, or a joint')
    what = f'the motor of {request.joint}' if request.joint else f'the motor for id {ident}'
    return Wish(ident, what, model)


def _message(motor: FoundMotor) -> FoundMotorMessage:
    return FoundMotorMessage(
        id=motor.id, model=motor.model, baud=motor.baud,
        firmware='' if motor.duplicated else '%d.%d' % motor.firmware,
        voltage=math.nan if motor.voltage is None else motor.voltage,
        temperature=math.nan if motor.temperature is None else float(motor.temperature),
        duplicated=motor.duplicated, errors=list(motor.errors))
