# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The robot's recorder, seen from the demo."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from apprentice_msgs.msg import RecorderStatus
from apprentice_msgs.srv import SaveEpisode
from apprentice_msgs.srv import StartEpisode
from apprentice_node.polling import PolledSubscription
import rclpy
from rclpy.node import Node
from std_srvs.srv import Trigger

ANSWER_S = 30.0


class RecorderError(RuntimeError):
    """The recorder refused or did not answer; the text is its own."""


class RecorderClient:
    """Start, save and discard episodes; `poll` takes the status."""

    def __init__(self, node: Node) -> None:
        """Connect."""
        self.status: RecorderStatus | None = None
        self._node = node
        self._statuses = PolledSubscription(node, RecorderStatus, 'recorder/status', 1)
        self._start = node.create_client(StartEpisode, 'recorder/start')
        self._save = node.create_client(SaveEpisode, 'recorder/save')
        self._discard = node.create_client(Trigger, 'recorder/discard')

    def poll(self) -> None:
        """Take the newest status."""
        while (status := self._statuses.take()) is not None:
            self.status = status

    def start(self, task: str) -> None:
        """Begin an episode; RecorderError if that is refused."""
        self._call(self._start, StartEpisode.Request(task=task))

    def save(self, success: bool) -> str:
        """Accept the episode whatever its marks, and return what the recorder says."""
        label = SaveEpisode.Request.SUCCESS if success else SaveEpisode.Request.FAILURE
        return self._call(self._save, SaveEpisode.Request(label=label, force=True)).message

    def discard(self) -> None:
        """Drop the open episode."""
        self._call(self._discard, Trigger.Request())

    def _call(self, client: Any, request: Any) -> Any:
        if not client.wait_for_service(ANSWER_S):
            raise RecorderError(f'{client.srv_name} is not there')
        future = client.call_async(request)
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=ANSWER_S)
        answer = future.result()
        if answer is None:
            raise RecorderError(f'{client.srv_name} did not answer within {ANSWER_S:g} s')
        if not answer.success:
            raise RecorderError(answer.message)
        return answer


def free_folder(folder: Path) -> Path:
    """Return the folder, or the next numbered one that is not there: nothing is overwritten."""
    return next(path for path in _numbered(folder) if not path.exists())


def _numbered(folder: Path) -> Iterator[Path]:
    yield folder
    yield from (folder.with_name(f'{folder.name}-{number}') for number in count(2))
