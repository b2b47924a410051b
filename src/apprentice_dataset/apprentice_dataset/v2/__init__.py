# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read and convert datasets of the formats v2.0 and v2.1."""
