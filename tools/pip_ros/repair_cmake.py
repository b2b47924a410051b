# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Point the CMake targets of the ROS wheels at this interpreter's headers.

The wheels export the include folders of the container they were built in, under /opt/python; with
those CMake's generate step fails. The environment's own Python runs it; twice is harmless.
"""

from __future__ import annotations

from pathlib import Path
import re
import sys
import sysconfig

import numpy

_NUMPY = re.compile(
    r'/opt/python/cp3\d+-cp3\d+/lib/python3\.\d+/site-packages/numpy/_core/include')
_PYTHON = re.compile(r'/opt/python/cp3\d+-cp3\d+/include/python3\.\d+')


def repair(prefix: Path) -> int:
    """Rewrite the files below share/*/cmake of `prefix`; return how many changed."""
    include = sysconfig.get_paths()['include']
    changed = 0
    for path in prefix.glob('share/*/cmake/*'):
        if not path.is_file():
            continue
        text = path.read_text(errors='surrogateescape')
        new = _NUMPY.sub(lambda _: numpy.get_include(), text)
        new = _PYTHON.sub(lambda _: include, new)
        if new != text:
            path.write_text(new, errors='surrogateescape')
            changed += 1
    return changed


if __name__ == '__main__':
    repair(Path(sys.prefix))
