# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Share what every node needs: strict parameters, lifecycle, signals, diagnostics, priority."""
