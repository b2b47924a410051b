# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Leave out what needs torch where it is not installed, and find the Hub of the data's tests."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
import sys

HERE = Path(__file__).resolve().parent
WITHOUT_TORCH = 'test_optimization.py'

sys.path.append(str(HERE.parents[1] / 'apprentice_dataset' / 'test'))
if find_spec('torch') is None:
    collect_ignore = [path.name for path in HERE.glob('test_*.py')
                      if path.name != WITHOUT_TORCH]


def pytest_report_header() -> str | None:
    """Say so."""
    return None if find_spec('torch') else f'torch is not installed: only {WITHOUT_TORCH} runs'
