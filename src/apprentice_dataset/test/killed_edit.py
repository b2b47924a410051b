# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Edit copies of a dataset, each in a child that is killed at another instant."""
from __future__ import annotations

import os
from pathlib import Path
import random
import shutil
import signal
import sys
import time

from apprentice_dataset.edit.features import modify_tasks


def child(root: Path, output: Path | None, end_s: float | None = None) -> int:
    """Edit in a child that is killed after `end_s` (None: never); return its status."""
    pid = os.fork()
    if not pid:
        modify_tasks(root, output, new_task='another')
        os._exit(0)
    if end_s is not None:
        time.sleep(end_s)
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Print for every kill, half of them in place, the status and what lay in the folder."""
    source, folder, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    moments = random.Random(5)
    begin = time.monotonic()
    child(source, folder / 'whole')
    whole_s = time.monotonic() - begin
    for number in range(kills):
        home = folder / str(number)
        shutil.copytree(source, home / 'data')
        output = home / 'out' if number % 2 else None
        status = child(home / 'data', output, moments.uniform(0.0, 1.1 * whole_s))
        left = sorted(path.name for path in home.iterdir())
        print(number, status, *left, file=sys.stdout, flush=True)
        if number % 10 == 0:
            # The next one finds what was left and clears it away.
            child(home / 'data', None)


if __name__ == '__main__':
    main()
