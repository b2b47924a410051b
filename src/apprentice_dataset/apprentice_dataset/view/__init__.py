# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Show episodes: as pages for a browser, or as a file for Rerun."""
