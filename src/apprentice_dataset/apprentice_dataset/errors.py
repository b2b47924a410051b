# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Say what is wrong with a dataset: where, what was found, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Hold one thing that is wrong: place, what was found, what was expected, the cure."""

    where: str
    found: str
    expected: str
    cure: str = ''

    def __str__(self) -> str:
        """Return it as one line."""
        tail = f'; {self.cure}' if self.cure else ''
        return f'{self.where}: found {self.found}, expected {self.expected}{tail}'


class DatasetError(ValueError):
    """Report a dataset, a row or a picture that cannot be used; root of all errors here."""


class DatasetBroken(DatasetError):
    """Report files that contradict the format or each other."""

    def __init__(self, where: str, found: str, expected: str, cure: str = '') -> None:
        """Hold the problem as `problem`."""
        self.problem = Problem(where, found, expected, cure)
        super().__init__(str(self.problem))


class DatasetBusy(DatasetError):
    """Report that another process writes the dataset."""


class DatasetFull(DatasetError):
    """Report that disk, quota or file size limit is exhausted; accepted episodes are intact."""


class DatasetReadOnly(DatasetError):
    """Report a folder that may not be written."""


class HubError(DatasetError):
    """Report what the Hub, the way to it or the right to it lacks; no token stands in it."""


class SchemaMismatch(DatasetError):
    """Report that a dataset cannot take rows of this kind; `differences` names every field."""

    def __init__(self, root: str, differences: Sequence[Problem]) -> None:
        """Hold every difference."""
        self.differences = tuple(differences)
        lines = ''.join(f'\n  {difference}' for difference in differences)
        super().__init__(f'{root}: {len(differences)} field(s) differ; record into another '
                         f'folder or change the contract:{lines}')


class BadRow(DatasetError):
    """Report a row that does not fit the features; it was not taken."""


class BadPicture(DatasetError):
    """Report a picture that cannot be decoded or has another size."""


class EpisodeFailed(DatasetError):
    """Report that the open episode cannot go on; it can be discarded."""
