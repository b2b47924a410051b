# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Which joints of an arm are set up, kept in a file while the set-up is not finished."""

from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import re

from feetech_driver.setup_arms import JOINTS


class Progress:
    """
    The joints that are done, on disk before `add` returns.

    A file that cannot be read is told of and begins anew; one that cannot be written is told
    of once, and the set-up goes on without it.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        """Take over what an earlier run left."""
        self.path = path
        self._say = say
        self.done: tuple[str, ...] = self._read()

    def add(self, joint: str) -> None:
        """Note that a joint is set up."""
        if joint not in self.done:
            self.done = (*self.done, joint)
            self._write()

    def clear(self) -> None:
        """Forget everything."""
        self.done = ()
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            self._say(f'{self.path} cannot be removed ({error.strerror})')

    def summary(self) -> str:
        """Say which motors are set up, and what holds of the others."""
        left = [joint for joint in reversed(JOINTS) if joint not in self.done]
        if not left:
            return 'Set up and checked: all six motors.'
        return (
            f'Set up and checked: {", ".join(self.done) or "none"}. Not yet: {", ".join(left)}; '
            'one of these that was connected may hold a part of its settings, which the same '
            'command completes.')

    def _read(self) -> tuple[str, ...]:
        try:
            content = json.loads(self.path.read_text(encoding='utf-8'))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            self._say(f'{self.path} cannot be read ({error}): beginning with the first motor')
            return ()
        done = content.get('done') if isinstance(content, dict) else None
        if not isinstance(done, list) or not all(joint in JOINTS for joint in done):
            self._say(
                f"{self.path}: expected 'done', a list of joints, found {done!r}: beginning "
                'with the first motor')
            return ()
        return tuple(done)

    def _write(self) -> None:
        staged = self.path.with_name(f'{self.path.name}.{os.getpid()}')
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with staged.open('w', encoding='utf-8') as file:
                json.dump({'done': list(self.done)}, file)
                file.flush()
                os.fsync(file.fileno())
            staged.replace(self.path)
        except OSError as error:
            self._say(
                f'{self.path} cannot be written ({error.strerror}): an interrupted set-up will '
                'begin again with the first motor')


def progress_path(arm: str, port: str, state: Path | None = None) -> Path:
    """Return where the progress of an arm on a port is kept, by default in the user's state."""
    if state is None:
        state = Path(os.environ.get('XDG_STATE_HOME') or '~/.local/state').expanduser()
    name = re.sub(r'\W+', '_', port).strip('_')
    return state / 'apprentice' / 'setup' / f'{arm}.{name}.json'
