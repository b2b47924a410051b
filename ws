#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Set up, build, test and run the apprentice workspace. Needs Python 3.11 to 3.13 alone."""

from pathlib import Path
import sys

if sys.version_info < (3, 8):
    sys.exit('ws: this is Python %d.%d; ws itself needs 3.8 or newer: try python3.11 ws'
             % sys.version_info[:2])

sys.path.insert(0, str(Path(__file__).resolve().parent / 'tools'))

from workspace.main import main  # noqa: E402  (the path above must come first)

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
