# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A bus that waits for its port to come back, so that a pulled plug costs no calibration."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import time
from typing import TypeVar

from feetech_driver.bus import FeetechBus
from feetech_driver.calibration_plan import Front
from feetech_driver.connection import Interrupted
from feetech_driver.errors import BusError
from feetech_driver.errors import PortLost
from feetech_driver.motors import Motor
from feetech_driver.motors import MotorState

_RETRY_S = 0.1
_HANDSHAKE_S = 0.3
Result = TypeVar('Result')


class PatientBus:
    """A CalibrationBus over a port that may go away for a while."""

    def __init__(self, bus: FeetechBus, front: Front, patience_s: float) -> None:
        """Take an open bus; wait so long whenever its port goes away."""
        self._bus = bus
        self._front = front
        self._patience_s = patience_s
        self._given_up = False

    @property
    def motors(self) -> Mapping[str, Motor]:
        """Return the motors by name."""
        return self._bus.motors

    @property
    def is_open(self) -> bool:
        """Whether the motors can be reached, perhaps after a wait."""
        return self._bus.is_open or not self._given_up

    def read(self, name: str, register: str) -> int:
        """Return a register's value."""
        return self._patient(lambda: self._bus.read(name, register))

    def write(self, name: str, register: str, value: int, verify: bool = True) -> bool:
        """Write a register and read it back; done again where the port was lost meanwhile."""
        return self._patient(lambda: self._bus.write(name, register, value, verify))

    def read_state(self) -> dict[str, MotorState]:
        """Return the state of every motor that answers."""
        return self._patient(self._bus.read_state)

    def release(self, ramp_s: float = 1.0) -> tuple[str, ...]:
        """Let go of every motor; return those that did not confirm."""
        return self._bus.release(ramp_s)

    def _patient(self, action: Callable[[], Result]) -> Result:
        while True:
            try:
                return action()
            except PortLost as error:
                if self._given_up:
                    raise
                self._wait(error)

    def _wait(self, lost: PortLost) -> None:
        port = self._bus.port.port_name
        self._front.warn(
            f'{lost} Plug it in again: it goes on where it was if {port} is back within '
            f'{self._patience_s:g} s; Ctrl-C stops')
        give_up = time.monotonic() + self._patience_s
        last: BusError = lost
        while time.monotonic() < give_up and not self._front.stopped():
            try:
                self._bus.reopen()
                self._bus.handshake(_HANDSHAKE_S)
            except BusError as error:
                last = error
                self._bus.close()
            else:
                self._front.tell(f'{port} is back; going on')
                return
            time.sleep(_RETRY_S)
        self._given_up = True
        self._bus.close()
        if self._front.stopped():
            raise Interrupted('stopped by the user')
        raise PortLost(f'{lost} It did not come back within {self._patience_s:g} s: {last}')
