# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The folder that holds the simulated serial ports of one launch."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from pathlib import Path
import re
import shutil
import tempfile


def make_link_folder(namespace: str, environment: Mapping[str, str]) -> Path:
    """
    Make a folder of this launch's own, removed when the launch process ends.

    Two launches never share it, whatever their domain and namespace.
    """
    base = Path(environment.get('XDG_RUNTIME_DIR') or '/tmp')
    if not base.is_dir():
        base = Path('/tmp')
    domain = environment.get('ROS_DOMAIN_ID') or '0'
    name = re.sub(r'\W+', '_', namespace).strip('_') or 'root'
    folder = Path(tempfile.mkdtemp(prefix=f'apprentice-{domain}-{name}-', dir=base))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
