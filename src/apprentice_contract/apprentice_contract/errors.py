# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What this package raises."""
from __future__ import annotations

from collections.abc import Sequence


class ContractError(ValueError):
    """
    A contract cannot be used.

    `problems` holds one sentence a fault: where it is, what was found, what was expected.
    """

    def __init__(self, where: str, problems: Sequence[str] = ()) -> None:
        """Take the file (or the whole message, without problems) and what is wrong in it."""
        self.problems = tuple(problems)
        lines = ''.join(f'\n  {problem}' for problem in self.problems)
        super().__init__(f'contract {where}:{lines}' if self.problems else where)


class CodecError(ValueError):
    """A message does not fit the contract: the text names topic, found and expected."""
