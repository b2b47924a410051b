# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The events of a launch."""

from __future__ import annotations

from . import process
from .shutdown import Shutdown
from .._missing import refuse_missing

__all__ = ['Shutdown', 'process']
__getattr__ = refuse_missing(__name__)
