# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The event that ends a launch."""

from __future__ import annotations

from ..event import Event


class Shutdown(Event):
    """The launch begins to end."""

    name = 'launch.events.Shutdown'

    def __init__(self, *, reason: str = 'reason not given', due_to_sigint: bool = False) -> None:
        self.reason = reason
        self.due_to_sigint = due_to_sigint
