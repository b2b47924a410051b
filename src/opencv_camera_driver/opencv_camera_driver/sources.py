# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Choose the source for what index_or_path names."""
from __future__ import annotations

import os
from pathlib import Path
import re
import stat
from urllib.parse import unquote
from urllib.parse import urlsplit

from opencv_camera_driver.counters import Counters
from opencv_camera_driver.http_source import HttpSource
from opencv_camera_driver.parameters import CameraConfig
from opencv_camera_driver.source import Source
from opencv_camera_driver.v4l2_source import V4l2Source
from opencv_camera_driver.video_source import FileSource
from opencv_camera_driver.video_source import LiveSource


def make_source(config: CameraConfig, counters: Counters) -> Source:
    """Return the source; nothing is opened yet."""
    spec = config.index_or_path
    wanted, rotation = config.wanted, config.rotation
    scheme = spec.partition('://')[0].lower() if re.match(r'\w+://', spec) else ''
    if scheme in ('http', 'https'):
        return HttpSource(spec, wanted, rotation, counters)
    if scheme == 'file':
        spec = unquote(urlsplit(spec).path)
    elif scheme:
        return LiveSource(spec, wanted, rotation, counters, config.timeout_s)
    if scheme == 'file' or is_file(spec):
        return FileSource(Path(spec).expanduser(), wanted, rotation, counters, config.loop)
    return V4l2Source(spec, wanted, config.settings, rotation, counters)


def is_file(spec: str) -> bool:
    """Tell whether a name means a file rather than a device."""
    if spec.isdigit() or spec.startswith('/dev/'):
        return False
    path = os.path.expanduser(spec)
    if os.path.exists(path):
        return not stat.S_ISCHR(os.stat(path).st_mode)
    # What is not there: a path, or a name with an ending, can only have been meant as a file.
    return '/' in spec or bool(re.search(r'\.\w{2,4}$', spec))
