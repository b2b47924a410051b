# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Guard against the death of the driver: a child process that releases the motors then.

Feetech servos have no watchdog; a killed driver would leave them powered for ever. The child
holds the port's descriptor and one end of a pipe, in a session of its own and deaf to signals,
so that neither Ctrl-C nor killing the driver's process group reaches it.
"""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys

from feetech_driver import keeper_process

_EXIT_S = 5.0
_DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)
_START = 'import sys; sys.path.insert(0, sys.argv.pop(1)); from {0} import main; main()'


class Keeper:
    """
    The driver's handle on its keeper process.

    It starts disarmed. Armed, it releases the motors when this process ends in any way or
    close_unreleased is called. After a reconnect call reopen with the new descriptor.
    """

    def __init__(
        self, fd: int, ids: tuple[int, ...], *, order: str = 'little', ramp: bool = True,
        report: Path | None = None,
    ) -> None:
        """
        Start the process on the open port fd.

        order and ramp are those of feetech_driver.release.Release. After a release the process
        writes what it did to the file report, when given.
        """
        self._ids = tuple(ids)
        self._order = order
        self._ramp = ramp
        self._report = report
        self._armed = False
        self._start(fd)

    @property
    def pid(self) -> int:
        """Process id of the keeper."""
        return self._process.pid

    @property
    def armed(self) -> bool:
        """Whether the death of this process would release the motors."""
        return self._armed

    @property
    def alive(self) -> bool:
        """Whether the process runs; when not, reopen starts another one."""
        return self._process.poll() is None

    def arm(self) -> None:
        """Release the motors if this process dies from now on; BrokenPipeError when it is dead."""
        os.write(self._control, keeper_process.ARM)
        self._armed = True

    def disarm(self) -> None:
        """Do nothing if this process dies from now on."""
        self._armed = False
        try:
            os.write(self._control, keeper_process.DISARM)
        except BrokenPipeError:
            # A dead keeper does nothing, which is what was asked for.
            return

    def reopen(self, fd: int) -> None:
        """Watch over another descriptor, the port after a reconnect; stays armed if it was."""
        armed = self._armed
        self.close()
        self._start(fd)
        if armed:
            self.arm()

    def close(self) -> None:
        """Disarm and end the process, so that it no longer holds the port."""
        if self._control < 0:
            return
        self.disarm()
        self._end()

    def close_unreleased(self) -> None:
        """End the process as if this one died; waits for the release if it is armed."""
        self._armed = False
        self._end()

    def _end(self) -> None:
        control, self._control = self._control, -1
        os.close(control)
        try:
            self._process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self, fd: int) -> None:
        root = str(Path(__file__).resolve().parent.parent)
        reader, self._control = os.pipe()
        # The signal mask is inherited, unlike handlers, and costs the child no import.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _DEAF_TO)
        try:
            self._process = subprocess.Popen(
                [sys.executable, '-I', '-S', '-c', _START.format(keeper_process.__name__), root,
                 str(reader), str(fd), self._order, str(int(self._ramp)),
                 ','.join(str(ident) for ident in self._ids), str(self._report or '')],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(reader, fd), start_new_session=True, cwd='/')
        except BaseException:
            os.close(self._control)
            self._control = -1
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(reader)


def main() -> None:
    """Run the keeper process by hand; its arguments are those of keeper_process.main."""
    keeper_process.main()
