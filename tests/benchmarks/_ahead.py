# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run a Python program as on a host whose clock is ahead: milliseconds, program, its arguments."""
from __future__ import annotations

import runpy
import sys
import time

AHEAD_NS = int(float(sys.argv[1]) * 1e6)
_true_ns = time.time_ns


def main() -> None:
    """Run it."""
    time.time_ns = lambda: _true_ns() + AHEAD_NS
    del sys.argv[:2]
    runpy.run_path(sys.argv[0], run_name='__main__')


if __name__ == '__main__':
    main()
