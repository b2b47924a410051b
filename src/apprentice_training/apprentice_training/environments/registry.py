# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Find environments by name, those of other packages too.

A package adds environments by an entry point in the group `apprentice_training.environments`:
its value is a module that registers subclasses of `EnvConfig`, and imports neither torch nor
gymnasium at its top.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

GROUP = 'apprentice_training.environments'
_OURS = ('aloha', 'hub', 'pusht', 'so100')


@cache
def load_environments() -> None:
    """Register every `--env.type`."""
    for name in _OURS:
        import_module(f'apprentice_training.environments.{name}')
    for entry in entry_points(group=GROUP):
        import_module(entry.value)
