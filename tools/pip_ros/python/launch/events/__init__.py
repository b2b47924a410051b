# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The events of a launch."""

from __future__ import annotations

from . import process
from .._missing import refuse_missing
from .shutdown import Shutdown

__all__ = ['Shutdown', 'process']
__getattr__ = refuse_missing(__name__)
