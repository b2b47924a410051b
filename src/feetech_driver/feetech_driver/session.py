# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Everything the driver holds between configure and release."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import time
from typing import TypeVar

from apprentice_control.guard import CommandGuard
from apprentice_node.arm.health import arm_health
from apprentice_node.arm.parameters import guard_config
from apprentice_node.diagnostics import Health
from apprentice_node.loop import Loop
from apprentice_node.loop import LoopError
from apprentice_node.managed_node import ManagedNode
from feetech_driver import health
from feetech_driver import settings
from feetech_driver.arm import Arm
from feetech_driver.arm_limits import arm_limits
from feetech_driver.connection import calibration_file
from feetech_driver.connection import connect
from feetech_driver.connection import make_bus
from feetech_driver.connection import persist
from feetech_driver.connection import read_calibration
from feetech_driver.errors import BusError
from feetech_driver.keeper import Keeper
from feetech_driver.motors import BusInfo
from feetech_driver.outlets import Outlets
from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import Role
from feetech_driver.rest import REST

STAND_DOWN_S = 2.0
LOOP_STOP_S = 1.0
_WAIT_S = 0.005
Result = TypeVar('Result')
# Where in the period of the host's clock a cycle begins. What a leader reads is with its follower
# 2.5 to 3.5 ms later; a follower that began at any moment could leave it waiting for a period.
PHASES = {Role.LEADER: 0.0, Role.FOLLOWER: 0.75}


class Session:
    """One arm from the opening of its bus to its release. Used by the executor's thread."""

    def __init__(self, node: ManagedNode, config: DriverConfig) -> None:
        """Hold nothing yet."""
        self._node = node
        self._config = config
        self._logger = node.get_logger()
        self._bus = make_bus(config)
        self._outlets: Outlets | None = None
        self._keeper: Keeper | None = None
        self._guard: CommandGuard | None = None
        self._arm: Arm | None = None
        self._loop: Loop | None = None
        self._energised = False
        self._error_rate = health.ErrorRate()

    def open(self) -> None:
        """Open and check the bus, bring the servos to their settings and start the loop."""
        config = self._config
        file = calibration_file(config, self._logger.warning)
        calibration = read_calibration(file, config, self._logger.warning)
        limits = arm_limits(config, file, calibration, self._logger.warning)
        info = connect(self._bus, config.connect_timeout_s, self._node.stop_requested.is_set,
                       self._logger.info)
        self._tell(info)
        changes = self._persist(lambda: settings.prepare(self._bus, config, calibration))
        for change in changes:
            self._logger.info(f'wrote {change.joint} {change.register}: {change.found} -> '
                              f'{change.value}')
        joints = tuple(calibration.values())
        if config.role is Role.FOLLOWER:
            self._guard = CommandGuard(guard_config(
                config.guard, limits, {REST: max(config.sources.values()) + 1}))
            ramp = 'torque_limit' in settings.control_table(config)
            self._keeper = Keeper(
                self._bus.fd, self._bus.ids, order=self._bus.protocol.order, ramp=ramp)
        self._outlets = Outlets(
            self._node, joints, config.rate_hz, self._guard, tuple(config.sources))
        self._arm = Arm(
            self._bus, calibration, config, self._guard, self._keeper, self._outlets)
        self._loop = Loop(
            config.period_ns, self._arm.cycle, self._node.thread_failed, PHASES[config.role])
        self._loop.start()
        priority = self._loop.call(lambda: self._loop.priority)
        self._logger.info(f'bus thread at {config.rate_hz:g} Hz, {priority}')

    def activate(self) -> None:
        """Begin to drive a follower; let go of a leader that holds itself."""
        arm, loop = self._arm, self._loop
        if self._guard is None:
            loop.call(self._loosen)
            return
        self._persist(lambda: loop.call(lambda: arm.activate(time.monotonic_ns())))
        self._energised = True
        self._outlets.expect_commands(self._config.rate_hz)
        self._logger.info('torque is on; the arm holds the pose in which it stood')

    def deactivate(self) -> None:
        """Decelerate and hold; torque stays on."""
        if self._guard is None:
            return
        arm = self._arm
        self._loop.call(lambda: arm.stand_down(time.monotonic_ns()))
        give_up = time.monotonic() + STAND_DOWN_S
        while arm.driving:
            if time.monotonic() > give_up:
                raise BusError('the arm did not come to a stop')
            time.sleep(_WAIT_S)
        self._outlets.expect_commands(0.0)
        self._logger.info('the arm holds its pose with torque on; clean up to release it')

    def release(self) -> None:
        """Go to the rest pose if there is one, let go of the arm and close everything."""
        try:
            self._end_loop()
            self._let_go()
        finally:
            if self._keeper is not None:
                self._keeper.close()
            self._bus.close()
            if self._outlets is not None:
                self._outlets.destroy()

    def health(self) -> Iterable[Health]:
        """Return the health of bus, loop, guard and motors."""
        if self._loop is None:
            return
        bus, arm = self._bus, self._arm
        yield health.bus_health(
            bus.port.path, bus.port.low_latency, bus.counters,
            self._error_rate.read(bus.counters), arm.trouble)
        yield from arm_health(self._loop, self._guard)
        yield from health.motors_health(
            dict(arm.states), bus.motor_counters, self._config.thresholds, time.monotonic_ns())

    def _persist(self, action: Callable[[], Result]) -> Result:
        return persist(action, self._config.connect_timeout_s,
                       self._node.stop_requested.is_set, self._logger.warning)

    def _tell(self, info: BusInfo) -> None:
        for name, motor in info.motors.items():
            voltage = '' if motor.voltage is None else f', {motor.voltage:.1f} V'
            self._logger.info(
                f'{name}: id {motor.id}, {motor.model}, firmware '
                f'{motor.firmware[0]}.{motor.firmware[1]}{voltage}')
        for warning in info.warnings:
            self._logger.warning(warning)

    def _loosen(self) -> None:
        if any(self._bus.read_many('torque_enable').values()):
            self._logger.warning('the leader holds itself with torque on: letting go')
            self._bus.release()

    def _end_loop(self) -> None:
        loop, arm = self._loop, self._arm
        if loop is None:
            return
        try:
            if self._guard is not None and loop.running:
                time.sleep(loop.call(lambda: arm.go_to_rest(time.monotonic_ns())))
            loop.stop(LOOP_STOP_S)
        except LoopError as error:
            # The release must not wait for a thread that hangs.
            self._logger.error(str(error))

    def _let_go(self) -> None:
        if self._guard is None:
            return
        if not self._bus.is_open:
            if self._energised:
                raise BusError(
                    f'the port {self._bus.port.path} is gone, so torque could not be switched '
                    'off: the arm holds until its supply is switched off')
            return
        torque = self._bus.read_many('torque_enable')
        if len(torque) == len(self._bus.motors) and not any(torque.values()):
            return
        failed = self._bus.release()
        if failed:
            raise BusError(
                f"{', '.join(failed)} did not confirm that torque is off; the others are off. "
                'Switch the supply of the motors off.')
        self._logger.info('torque is off')
