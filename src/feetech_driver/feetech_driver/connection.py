# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Open a bus and meet its motors, patient with what appears late."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import os
from pathlib import Path
import time
from typing import TypeVar

from apprentice_control.calibration import JointCalibration
from apprentice_control.calibration import load_calibration
from apprentice_control.calibration import plausibility_warnings
from apprentice_control.calibration import refuse_inverted
from apprentice_control.calibration import search_calibration
from feetech_driver import devices
from feetech_driver.bus import FeetechBus
from feetech_driver.calibration_journal import refuse_interrupted
from feetech_driver.errors import BusError
from feetech_driver.errors import HandshakeError
from feetech_driver.errors import PortError
from feetech_driver.errors import TransactionError
from feetech_driver.motors import BusInfo
from feetech_driver.motors import Motor
from feetech_driver.parameters import DriverConfig

# Long enough for one look at every motor, short enough that a signal ends the waiting soon.
_SLICE_S = 0.3
_RETRY_S = 0.05
Result = TypeVar('Result')


class Interrupted(BusError):
    """Report that the process was asked to stop while it waited."""


def calibration_file(config: DriverConfig, warn: Callable[[str], None]) -> Path:
    """Return the calibration file to use; CalibrationError where LeRobot's folders have none."""
    if config.calibration_file:
        return Path(config.calibration_file).expanduser()
    found = search_calibration(config.robot_id, config.role.value)
    if found.notice:
        warn(found.notice)
    return found.path


def read_calibration(
    path: Path, config: DriverConfig, warn: Callable[[str], None],
) -> dict[str, JointCalibration]:
    """
    Return the calibration of every joint in bus order.

    CalibrationError for a file that is wrong, or whose arm was left in the middle of one.
    """
    refuse_interrupted(path)
    calibration = load_calibration(path, dict(zip(config.joints, config.ids)))
    refuse_inverted(path, calibration)
    for text in plausibility_warnings(calibration):
        warn(text)
    return calibration


def make_bus(config: DriverConfig) -> FeetechBus:
    """Return the configured bus, not yet open."""
    motors: Mapping[str, Motor] = {
        name: Motor(ident, config.model) for name, ident in zip(config.joints, config.ids)}
    return FeetechBus(config.port, motors, baudrate=config.baud)


def connect(
    bus: FeetechBus, timeout_s: float, stopped: Callable[[], bool], say: Callable[[str], None],
) -> BusInfo:
    """
    Open the port and check the motors, waiting for either to appear.

    Raises PortError or HandshakeError when the time is up, Interrupted when `stopped()`.
    """
    give_up = time.monotonic() + timeout_s
    _open(bus, give_up, stopped, say)
    try:
        return _meet(bus, give_up, stopped, say)
    except BusError:
        bus.close()
        raise


def persist(
    action: Callable[[], Result], timeout_s: float, stopped: Callable[[], bool],
    say: Callable[[str], None],
) -> Result:
    """
    Do something on the bus, again from its start while a transaction in it fails.

    One stall of the host longer than a transaction's deadline must not fail a start. Raises the
    last TransactionError when the time is up, Interrupted when `stopped()`.
    """
    give_up = time.monotonic() + timeout_s
    told = False
    while True:
        try:
            return action()
        except TransactionError as error:
            if time.monotonic() >= give_up:
                raise
            if not told:
                say(f'trying again: {error}')
                told = True
        _pause(stopped)


def _open(
    bus: FeetechBus, give_up: float, stopped: Callable[[], bool], say: Callable[[str], None],
) -> None:
    told = False
    while True:
        # Asked before, for a port may appear between the attempt and the question.
        absent = _may_appear(bus.port.port_name)
        try:
            bus.open()
            return
        except PortError as error:
            if time.monotonic() >= give_up or not absent:
                raise
            if not told:
                say(f'waiting for the port: {error}')
                told = True
        _pause(stopped)


def _meet(
    bus: FeetechBus, give_up: float, stopped: Callable[[], bool], say: Callable[[str], None],
) -> BusInfo:
    told = False
    while True:
        left_s = give_up - time.monotonic()
        try:
            return bus.handshake(min(max(left_s, 0.0), _SLICE_S))
        except HandshakeError as error:
            # Only a silent motor may still be booting.
            if left_s <= 0.0 or error.wrong_model or error.duplicated:
                raise
            if not told:
                say(f'waiting for motors: {error}')
                told = True
        _pause(stopped)


def _may_appear(spec: str) -> bool:
    if not spec:
        return False
    try:
        return not os.path.exists(devices.resolve(spec))
    except PortError:
        return True


def _pause(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise Interrupted('asked to stop while waiting for the arm')
    time.sleep(_RETRY_S)
