# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Look at pages with a headless Chromium, over the pipe that its developer tools speak."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import select
import shutil
import subprocess
import time
from typing import Any

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
# Nothing but the page: no network, no first-run page, no profile of the user's.
_FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
          '--disable-background-networking', '--disable-component-update', '--disable-sync',
          '--disable-dev-shm-usage', '--remote-debugging-pipe')
_PATIENCE_S = 60.0


def find_browser() -> str | None:
    """Return a browser that this host has."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """Look at one page."""

    def __init__(self, commands: int, answers: int) -> None:
        """Take both ends of the pipe and attach to a new page."""
        self._commands, self._answers = commands, answers
        self._session: str | None = None
        self._number, self._rest = 0, b''
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self._session = self.call(
            'Target.attachToTarget', targetId=target, flatten=True)['sessionId']

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        message = {'id': self._number, 'method': method, 'params': params}
        if self._session:
            message['sessionId'] = self._session
        os.write(self._commands, json.dumps(message).encode() + b'\0')
        end = time.monotonic() + _PATIENCE_S
        while True:
            answer = self._next(end)
            if answer.get('id') == self._number:
                assert 'error' not in answer, answer
                return answer['result']

    def _next(self, end: float) -> dict[str, Any]:
        while b'\0' not in self._rest:
            ready = select.select([self._answers], [], [], max(0.0, end - time.monotonic()))[0]
            data = os.read(self._answers, 1 << 16) if ready else b''
            assert data, 'the browser ended' if ready else 'the browser does not answer'
            self._rest += data
        message, _, self._rest = self._rest.partition(b'\0')
        return json.loads(message)

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        address = path.resolve().as_uri()
        self.call('Page.navigate', url=address)
        self.wait(f'location.href === {json.dumps(address)} && document.readyState === "complete"')

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of the page's."""
        result = self.call('Runtime.evaluate', expression=expression, returnByValue=True)
        assert 'exceptionDetails' not in result, result['exceptionDetails']
        return result['result'].get('value')

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + _PATIENCE_S
        while not self.evaluate(expression):
            text = '' if time.monotonic() < end else self.evaluate('document.body.outerHTML')
            assert not text, f'{expression} did not become true: {text}'
            time.sleep(0.05)

    def click(self, x: float, y: float) -> None:
        """Press and release the mouse's button."""
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', buttons=1,
                      clickCount=1)

    def close_browser(self) -> None:
        """Ask it to end."""
        self._session = None
        self.call('Browser.close')


@contextmanager
def browsing(program: str, folder: Path) -> Iterator[Page]:
    """Start a browser with a profile in an empty folder, and end it."""
    command_end, commands = os.pipe()
    answers, answer_end = os.pipe()
    # It reads at descriptor 3 and writes at 4, whatever numbers the pipes have here.
    script = f'exec "$0" "$@" 3<&{command_end} 4>&{answer_end}'
    process = subprocess.Popen(
        ['bash', '-c', script, program, *_FLAGS, f'--user-data-dir={folder}/profile'],
        pass_fds=(command_end, answer_end), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, 'HOME': str(folder)})
    os.close(command_end)
    os.close(answer_end)
    try:
        page = Page(commands, answers)
        yield page
        page.close_browser()
    finally:
        for end in (commands, answers):
            os.close(end)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
