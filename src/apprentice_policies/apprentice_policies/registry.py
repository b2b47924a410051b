# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Find policies by name, those of other packages too.

A package adds a policy by an entry point in the group `apprentice_policies.policies`: the name is
the policy's type, the value a package with two modules: `config`, which registers a
`PolicyConfig` and imports no torch, and `policy`, whose `POLICY` is the `Policy` class.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from apprentice_policies.errors import PolicyError

if TYPE_CHECKING:
    from apprentice_policies.policy import Policy

GROUP = 'apprentice_policies.policies'


@cache
def load_entry_points() -> dict[str, str]:
    """Import every policy's `config`; return the packages by type."""
    packages = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    for package in packages.values():
        import_module(f'{package}.config')
    return packages


def policy_class(kind: str) -> type[Policy]:
    """Return the class of a type; a file can only choose among the installed ones."""
    packages = load_entry_points()
    if kind not in packages:
        raise PolicyError(f'policy type: found {kind!r}, expected one of '
                          f'{", ".join(sorted(packages))}')
    return import_module(f'{packages[kind]}.policy').POLICY
