# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find what the tests share; without lerobot's Python none of them is collected."""
from __future__ import annotations

import os
from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'src/apprentice_dataset/test'),
                str(ROOT / 'src/apprentice_policies/test'),
                str(ROOT / 'src/apprentice_training/test'), str(Path(__file__).parent)]
# `./ws test --reference` sets it.
if not os.environ.get('APPRENTICE_REFERENCE_PYTHON'):
    collect_ignore_glob = ['test_*.py']
