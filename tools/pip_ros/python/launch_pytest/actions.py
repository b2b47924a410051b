# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Actions for the launch descriptions of tests."""

from __future__ import annotations

from launch import Action
from launch import Event
from launch import LaunchContext


class TestsMayBegin(Event):
    """The launch is ready for its tests."""

    name = 'launch_pytest.TestsMayBegin'


class ReadyToTest(Action):
    """Let the tests of the launch begin."""

    def execute(self, context: LaunchContext) -> None:
        """Tell the fixture."""
        context.emit_event_sync(TestsMayBegin())


__all__ = ['ReadyToTest']
