# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Motion on its way to the motors: guard, interpolation, calibration and units."""
