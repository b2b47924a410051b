# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Run a capture thread in a process of its own and say what happens, one JSON object a line.

The shim must be loaded before the process begins; so what it answers is looked at from here.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
import json
import os
import subprocess
import sys
import threading
import time
from typing import Any

from opencv_camera_driver.capture import Capture
from opencv_camera_driver.capture import Reports
from opencv_camera_driver.counters import Counters
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.parameters import parse_config
from opencv_camera_driver.parameters import SPECS
from opencv_camera_driver.sources import make_source
from pictures import number


def configured(**parameters: object) -> Any:
    """Return the configuration of these parameters, the others at their defaults."""
    by_name = {spec.name: spec for spec in SPECS}
    values = {spec.name: spec.default for spec in SPECS}
    return parse_config(
        {**values, **{name: by_name[name].parse(value) for name, value in parameters.items()}})


class Probe:
    """The process, seen from a test."""

    def __init__(self, environment: dict[str, str], **parameters: object) -> None:
        """Start it on index_or_path and whatever other parameters are given."""
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(parameters)], env={**os.environ, **environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def all(self, kind: str) -> list[Any]:
        """Return what was told of a kind."""
        return [event[kind] for event in list(self.events) if kind in event]

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
        """Wait until the condition holds."""
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end and self._thread.is_alive() or condition(), (
                what, self.events[-5:])
            time.sleep(0.01)

    def frames(self, count: int, begin: int = 0) -> list[dict[str, Any]]:
        """Wait for so many pictures after the first `begin`."""
        self.wait(lambda: len(self.all('frame')) >= begin + count or self.all('error'),
                  f'{count} pictures')
        assert not self.all('error'), self.all('error')
        return self.all('frame')[begin:begin + count]

    def error(self) -> str:
        """Wait for it to fail at the opening and return the error."""
        self.wait(lambda: self.all('error') or self.all('frame'), 'an error')
        assert self.all('error'), 'it opened'
        return self.all('error')[0]

    def end(self) -> dict[str, Any]:
        """End it and return its counters, readings and kind of stamps."""
        self.process.stdin.close()
        self._thread.join(30.0)
        assert self.process.wait(30.0) == 0
        return self.all('end')[0]

    def close(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


def _say(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + '\n')
    sys.stdout.flush()


def main() -> None:
    """Capture until standard input ends."""
    config = configured(**json.loads(sys.argv[1]))
    counters = Counters()
    source = make_source(config, counters)
    capture = Capture(source, counters, config.timeout_s, config.reconnect_period_s, Reports(
        lambda text: _say(lost=text), lambda text: _say(back=text),
        lambda text: _say(refused=text), lambda error: _say(crashed=repr(error))))
    ended = threading.Event()

    def show() -> None:
        trouble = ''
        while not ended.is_set():
            frame = capture.take(0.1)
            if capture.trouble != trouble:
                trouble = capture.trouble
                _say(trouble=trouble)
            if frame is not None:
                pixels = frame.picture.rgb()
                height, width = pixels.shape[:2]
                _say(frame={'stamp': frame.stamp_ns, 'now': time.monotonic_ns(),
                            'number': int(number(pixels)), 'shape': pixels.shape,
                            'left': pixels[height * 3 // 4, width // 4].tolist(),
                            'right': pixels[height * 3 // 4, width * 5 // 8].tolist()})

    try:
        _say(format=str(capture.start()))
        shower = threading.Thread(target=show)
        shower.start()
        sys.stdin.read()
        ended.set()
        shower.join()
        _say(end={**asdict(counters), **capture.readings, 'stamps': source.stamps,
                  'trouble': capture.trouble})
    except CameraError as error:
        _say(error=str(error))
        sys.stdin.read()
    finally:
        capture.stop()


if __name__ == '__main__':
    main()
