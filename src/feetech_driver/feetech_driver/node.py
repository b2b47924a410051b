# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The driver node: transitions to a session with the arm."""
from __future__ import annotations

from collections.abc import Iterable

from apprentice_control.calibration import CalibrationError
from apprentice_control.limits import DescriptionError
from apprentice_node.diagnostics import Health
from apprentice_node.loop import LoopError
from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import ParameterError
from feetech_driver.errors import BusError
from feetech_driver.parameters import parse_config
from feetech_driver.parameters import SPECS
from feetech_driver.session import Session


class FeetechDriver(ManagedNode):
    """Drive, or read, an arm on a Feetech bus."""

    expected_errors = (
        BusError, CalibrationError, DescriptionError, LoopError, ParameterError)

    def __init__(self) -> None:
        """Check the parameters; ParameterError says what is wrong with them."""
        super().__init__('feetech_driver', SPECS)
        self._session: Session | None = None
        try:
            parse_config(self.values)
        except ParameterError as error:
            raise ParameterError(f'{self.get_fully_qualified_name()}: {error}') from None

    def configure(self) -> None:
        """Open the bus and publish states; torque stays as it was."""
        self._session = Session(self, parse_config(self.values))
        self._session.open()

    def activate(self) -> None:
        """Take over the measured pose, then switch torque on."""
        self._session.activate()

    def deactivate(self) -> None:
        """Decelerate and hold with torque on."""
        self._session.deactivate()

    def release(self) -> None:
        """Let go of the arm and close its port."""
        session, self._session = self._session, None
        if session is not None:
            session.release()

    def health(self) -> Iterable[Health]:
        """Return the health of bus, loop, guard and motors."""
        return () if self._session is None else self._session.health()
