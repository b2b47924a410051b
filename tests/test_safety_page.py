# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The safety page against the code."""
from __future__ import annotations

from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tools'))

from workspace import reasons_table  # noqa: E402


def test_every_reason_of_the_guard_is_explained() -> None:
    """The table of reasons on the page is the one that the code gives."""
    page = (ROOT / 'docs' / 'safety.md').read_text()
    assert reasons_table.with_table(page) == page, 'run python tools/workspace/reasons_table.py'
