# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Errors of a camera."""
from __future__ import annotations


class CameraError(Exception):
    """Report that a camera cannot do what was asked of it, why, and what to do."""


class SourceEnded(CameraError):
    """Report that a file that is not repeated has come to its end."""
