# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Record golden.json from upstream's `ros2`: source the setup file of an upstream build first."""
from __future__ import annotations

from collections.abc import Mapping
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time

from runner import Case
from runner import fixture_graph
from runner import HERE
from runner import load_cases
from runner import masked
from runner import run


def main(prefixes: list[str]) -> int:
    """Run every case whose name begins with one of `prefixes` (all by default); merge the file."""
    ros2 = shutil.which('ros2')
    if ros2 is None or '.venv' in ros2:
        print(f'ros2 on PATH is {ros2}: expected an upstream build', file=sys.stderr)
        return 1
    path = HERE / 'golden.json'
    golden = json.loads(path.read_text()) if path.exists() else {}
    environment = dict(os.environ, PYTHONUNBUFFERED='1')
    # Upstream's own discovery wait is short; its daemon knows the whole graph.
    subprocess.run([ros2, 'daemon', 'stop'], check=True, env=environment)
    with tempfile.TemporaryDirectory() as folder:
        tmp = Path(folder)
        groups = load_cases(tmp)
        for cases in groups.values():
            wanted = [case for case in cases
                      if not prefixes or any(case.name.startswith(p) for p in prefixes)]
            if not wanted:
                continue
            with fixture_graph(environment):
                subprocess.run([ros2, 'daemon', 'start'], check=True, env=environment)
                time.sleep(4)
                for case in wanted:
                    golden[case.name] = _record(case, ros2, environment, tmp)
    subprocess.run([ros2, 'daemon', 'stop'], check=True, env=environment)
    known = {case.name for cases in groups.values() for case in cases}
    golden = {name: golden[name] for name in sorted(known & golden.keys())}
    path.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + '\n')
    return 0


def _record(case: Case, ros2: str, environment: Mapping[str, str], tmp: Path) -> dict:
    outcome = run(case, [ros2], environment)
    print(case.name, outcome.rc, f'{outcome.wall_s:.1f} s', flush=True)
    # Errors are worded by each side in its own way; only that there is one is compared.
    return {'rc': outcome.rc, 'stdout': masked(case, outcome.stdout, tmp)}


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
