# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What belongs to the workspace as a whole."""
