# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A policy of another package, as small as one can be."""
