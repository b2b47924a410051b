# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Errors of a servo bus."""

from __future__ import annotations


class BusError(Exception):
    """Report that a servo bus cannot do what was asked of it."""


class PortError(BusError):
    """Report that a serial port cannot be opened, and why."""


class PortLost(PortError):
    """Report that an open port went away: unplugged, or its far end closed."""


class HandshakeError(BusError):
    """Report that the motors on a bus are not the expected ones."""

    def __init__(
        self, message: str, *, missing: tuple[int, ...] = (),
        duplicated: tuple[int, ...] = (), wrong_model: tuple[int, ...] = (),
    ) -> None:
        """Keep the ids at fault beside the text for the user."""
        super().__init__(message)
        self.missing = missing
        self.duplicated = duplicated
        self.wrong_model = wrong_model


class TransactionError(BusError):
    """Report that motors did not answer, or answered wrongly, within the deadline."""

    def __init__(self, message: str, ids: tuple[int, ...] = ()) -> None:
        """Keep the ids that failed beside the text for the user."""
        super().__init__(message)
        self.ids = ids
