# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Record what upstream's `ros2 launch` does with every case into cases/*.json.

Run it inside an environment where `ros2` is the real one:

    python3 tools/pip_ros/conformance/record.py [CASE ...]
"""

from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import sys
import tempfile

from harness import Case
from harness import HERE
from harness import observe


def main(names: list[str]) -> int:
    """Record the named cases, or all."""
    ros2 = shutil.which('ros2')
    if ros2 is None:
        sys.exit('record.py: there is no ros2 on PATH')
    files = sorted((HERE / 'cases').glob('*.json'))
    for file in files:
        if names and file.stem not in names:
            continue
        case = Case.load(file)
        with tempfile.TemporaryDirectory(prefix='conformance_') as folder:
            seen = observe(case, [ros2], os.environ, Path(folder))
        data = json.loads(file.read_text())
        data['recorded'] = seen
        file.write_text(json.dumps(data, indent=2) + '\n')
        sys.stdout.write(f'{file.stem}: exit code {seen["exit_code"]}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
