# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A launch beside a test."""

from __future__ import annotations

import asyncio
import threading

from launch import Event
from launch import EventHandler
from launch import LaunchDescription
from launch import LaunchService

from .actions import TestsMayBegin

READY_LIMIT_S = 60.0


class LaunchFailed(Exception):
    """A launch did not become ready, or ended with an error."""


class Runner:
    """Run a launch description in a thread."""

    def __init__(self, name: str, description: LaunchDescription) -> None:
        self.service = LaunchService()
        self._name = name
        self._returncode: int | None = None
        # Set when the tests may begin and when the launch has ended.
        self._changed = threading.Event()
        self.service.context.register_event_handler(EventHandler(
            matcher=lambda event: isinstance(event, TestsMayBegin), entities=self._begin))
        self.service.include_launch_description(description)
        self._thread = threading.Thread(target=self._run, name=f'launch {name}')

    def start(self) -> None:
        """Wait until the launch is ready for its tests; raises LaunchFailed."""
        self._thread.start()
        if not self._changed.wait(READY_LIMIT_S):
            self.stop()
            raise LaunchFailed(
                f"the launch of fixture '{self._name}' did not come to its ReadyToTest within "
                f'{READY_LIMIT_S:.0f} s')
        if self._returncode:
            raise self._failure()

    def stop(self) -> None:
        """End the launch and wait until nothing of it is left; raises LaunchFailed."""
        self.service.shutdown()
        self._thread.join()
        if self._returncode:
            raise self._failure()

    def _begin(self, event: Event, context: object) -> None:
        self._changed.set()

    def _run(self) -> None:
        try:
            self._returncode = asyncio.run(self.service.run_async())
        finally:
            self._changed.set()

    def _failure(self) -> LaunchFailed:
        return LaunchFailed(
            f"the launch of fixture '{self._name}' ended with exit code {self._returncode}; its "
            'output says why')
