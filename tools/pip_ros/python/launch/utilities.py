# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Helpers for authors of actions and substitutions."""

from __future__ import annotations

from .substitution import normalize_to_list_of_substitutions
from .substitution import perform_substitutions

__all__ = ['normalize_to_list_of_substitutions', 'perform_substitutions']
