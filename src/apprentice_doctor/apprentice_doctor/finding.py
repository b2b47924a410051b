# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a check found."""
from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad it is."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """
    One thing found, good or bad.

    `name` is a word for machines, the others are for people. Lines of `cure` that begin with two
    spaces are to be pasted, and are shown as they are.
    """

    level: Level
    name: str
    what: str
    where: str = ''
    found: str = ''
    expected: str = ''
    cure: str = ''


def fine(name: str, what: str, where: str = '') -> Finding:
    """Return a finding that asks for nothing."""
    return Finding(Level.OK, name, what, where)
