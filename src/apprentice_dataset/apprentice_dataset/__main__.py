# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run the command line: `python -m apprentice_dataset`."""

import sys

from apprentice_dataset.command_line import main

sys.exit(main())
