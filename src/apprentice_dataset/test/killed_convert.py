# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert again and again, each time in a child that is killed at another instant."""
from __future__ import annotations

import os
from pathlib import Path
import signal
import sys
import time

from apprentice_dataset.v2.convert import convert


def child(source: Path, output: Path, end_s: float | None = None) -> int:
    """Convert in a child that is killed after `end_s` (None: never); return its status."""
    pid = os.fork()
    if not pid:
        convert(source, output)
        os._exit(0)
    if end_s is not None:
        time.sleep(end_s)
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Print, for every kill, the status and what lay in the folder afterwards."""
    source, folder, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    begin = time.monotonic()
    child(source, folder / 'whole')
    whole_s = time.monotonic() - begin
    for number in range(kills):
        status = child(source, folder / 'killed', whole_s * (number + 0.5) / kills)
        left = sorted(path.name for path in folder.iterdir() if path.name != 'whole')
        print(status, *left, file=sys.stdout, flush=True)
        if 'killed' in left:
            os.rename(folder / 'killed', folder / f'done-{number}')
    child(source, folder / 'killed')


if __name__ == '__main__':
    main()
