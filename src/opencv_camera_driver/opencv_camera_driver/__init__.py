# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Drive cameras that LeRobot calls OpenCV cameras: USB devices, files and network streams."""
