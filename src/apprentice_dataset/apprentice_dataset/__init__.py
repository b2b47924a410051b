# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""LeRobotDataset v3.0: write while recording, read, validate, repair."""
