# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Where things lie in the workspace."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / '.venv'
# Not named setup.bash: another workspace would take .venv for a distribution.
SETUP = VENV / 'apprentice.bash'
LOCKS = ROOT / 'locks'
PIP_ROS = ROOT / 'tools' / 'pip_ros'
BUILD = ROOT / 'build'
INSTALL = ROOT / 'install'
LOG = ROOT / 'log'
