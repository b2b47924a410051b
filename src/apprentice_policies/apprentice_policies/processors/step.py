# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The interface of a step, and how its configuration is read."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import ClassVar
from typing import Self

from apprentice_policies.errors import PolicyError
from torch import Tensor

Batch = dict[str, Any]
OBSERVATION = 'observation.'


@dataclass
class Step:
    """
    Turn a batch into another; the one that comes in is not changed.

    A subclass is a dataclass whose fields are what LeRobot saves as the step's `config`.
    """

    NAME: ClassVar[str]
    """LeRobot's registry name."""
    ARTIFACTS: ClassVar[tuple[str, ...]] = ()
    """The fields that may stand for a folder inside the checkpoint."""
    artifacts: dict[str, Path] = field(default_factory=dict, init=False, repr=False)
    """Those folders, which are used instead of the fields and saved again."""

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch after this step."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return what is saved of the fields, as JSON has it."""
        values = asdict(self)
        return {item.name: values[item.name] for item in fields(self) if item.init}

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that are saved, on the CPU."""
        return {}

    def load_state(self, tensors: Mapping[str, Tensor], where: str) -> None:
        """Take the tensors of a state file."""
        raise PolicyError(f'{where}: found a state file, expected none: {self.NAME} has no state')

    def prepare(self) -> None:
        """Load what the step needs from elsewhere, so that the first batch does not wait."""

    @classmethod
    def from_config(cls, values: Mapping[str, Any], where: str,
                    overrides: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """
        Make the step from a file's configuration; PolicyError names a field that it lacks.

        :param overrides: arguments of the class, which win.
        """
        known = [item.name for item in fields(cls) if item.init]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise PolicyError(f'{where}: {cls.NAME}: found {", ".join(unknown)}, expected '
                              f'{" or ".join(known) if known else "an empty configuration"}')
        try:
            return cls(**{**values, **overrides})
        except (TypeError, ValueError, AttributeError) as error:
            raise PolicyError(f'{where}: {cls.NAME}: {error}; the configuration is '
                              f'{json.dumps(values, default=str)[:400]}') from None


def map_tensors(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """Return the batch with every tensor changed."""
    return {key: change(value) if isinstance(value, Tensor) else value
            for key, value in batch.items()}


def tasks(batch: Batch) -> list[str]:
    """Return the batch's tasks; PolicyError where it has none."""
    found = batch.get('task')
    if isinstance(found, str):
        return [found]
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, str) for one in found):
        raise PolicyError(f'task: found {found!r}, expected the task in words: this policy reads '
                          'it')
    return list(found)
