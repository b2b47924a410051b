# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Record one episode on the host on which this runs, and print as JSON how it went.

Arguments: a folder with `contract.yaml`, into whose `data` it records; the seconds to record; and
if the recorder is to refuse, words of what it should say.
"""
from __future__ import annotations

import json
import os
from pathlib import Path
import sys
from typing import Any

from _common import StayedOut
from _recorder import Operator
from _recorder import Recorder
import rclpy

TASK = 'seen from another host'
_READY_S = 60.0


def record(operator: Operator, seconds: float) -> dict[str, Any]:
    """Record; return begin and end, the ages that the status showed, and what was lost."""
    ages: dict[str, list[float]] = {}
    seen: list[object] = []

    def look() -> None:
        if operator.status is not (seen[-1] if seen else None):
            seen.append(operator.status)
            for stream in operator.status.streams:
                ages.setdefault(stream.name, []).append(stream.age_s)
    operator.spin_until(lambda: operator.status, _READY_S, 'the recorder is up')
    operator.await_ready()
    begun_ns = operator.start()
    operator.spin(seconds, look)
    gaps = operator.gaps()
    asked_ns, _ = operator.save()
    return {'begun_ns': begun_ns, 'asked_ns': asked_ns, 'ages': ages, 'gaps': gaps}


def be_refused(operator: Operator, words: str) -> dict[str, Any]:
    """Wait until the words are among what is in the way; try, and return the answer."""
    operator.spin_until(
        lambda: operator.status and any(words in text for text in operator.status.blocks),
        _READY_S, f"the recorder says '{words}'")
    try:
        operator.start()
    except StayedOut as error:
        return {'refusal': str(error)}
    return {'refusal': ''}


def main() -> int:
    """Record, or be refused."""
    folder, seconds, words = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    rclpy.init()
    recorder = Recorder(os.environ, folder, folder / 'data', TASK)
    operator = Operator(folder / 'data')
    try:
        found = be_refused(operator, words[0]) if words else record(operator, seconds)
    except StayedOut as error:
        print(f'{error}\n{recorder.log()}', file=sys.stderr)
        return 1
    finally:
        operator.close()
        code = recorder.end()
        rclpy.try_shutdown()
    print(json.dumps({**found, 'code': code}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
