# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The folder of the simulated ports."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

from so100_bringup.links import make_link_folder

SCRIPT = """
import sys
from so100_bringup.links import make_link_folder
folder = make_link_folder('/robot/left', {'XDG_RUNTIME_DIR': sys.argv[1], 'ROS_DOMAIN_ID': '42'})
(folder / 'leader').touch()
print(folder)
"""


def test_the_folder_names_domain_and_namespace_and_goes_with_the_launch(tmp_path: Path) -> None:
    """It is removed when the process ends, with what the world left in it."""
    result = subprocess.run(
        [sys.executable, '-c', SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=20)
    folder = Path(result.stdout.strip())
    assert folder.parent == tmp_path
    assert folder.name.startswith('apprentice-42-robot_left-')
    assert not folder.exists()


def test_two_launches_never_share_a_folder(tmp_path: Path) -> None:
    """Not even in the same domain and namespace."""
    environment = {'XDG_RUNTIME_DIR': str(tmp_path)}
    first, second = (make_link_folder('', environment) for _ in range(2))
    assert first != second
    assert first.name.startswith('apprentice-0-root-')


def test_a_runtime_folder_that_is_gone_is_replaced() -> None:
    """A session variable that outlived its folder does not stop the launch."""
    folder = make_link_folder('', {'XDG_RUNTIME_DIR': '/nonexistent'})
    assert folder.parent == Path('/tmp')
