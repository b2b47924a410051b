# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Raises when it is loaded."""

raise ValueError('loaded in vain')
