# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The type of a value that may hold substitutions."""

from __future__ import annotations

from .substitution import SomeSubstitutionsType

__all__ = ['SomeSubstitutionsType']
