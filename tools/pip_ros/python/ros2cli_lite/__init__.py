# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Stand in for the parts of the `ros2` command line that this workspace uses."""
