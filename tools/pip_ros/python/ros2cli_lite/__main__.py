# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run `python -m ros2cli_lite`."""
from __future__ import annotations

import sys

from ros2cli_lite.main import main

sys.exit(main())
