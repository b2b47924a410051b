# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What every kind of environment is told, and how it becomes a vector of them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
import traceback
from typing import Any
from typing import TYPE_CHECKING

from apprentice_training.environments.registry import load_environments
from apprentice_training.errors import TrainingError
import draccus

if TYPE_CHECKING:
    import gymnasium

# LeRobot's environments give these; the policies' names stand beside.
_NAMES = {'agent_pos': 'observation.state', 'environment_state': 'observation.environment_state',
          'pixels': 'observation.image'}


@dataclass
class EnvConfig(draccus.ChoiceRegistry):
    """
    Base of all environments: a choice by `type`; imports neither torch nor gymnasium.

    A subclass is a dataclass registered by `@EnvConfig.register_subclass(name)` that has `make`.
    `task`: one name, or several between commas. `instruction`: the task in words, for policies
    that read it.
    """

    task: str | None = None
    fps: int = 30
    instruction: str | None = None

    @property
    def type(self) -> str:
        """Return the registered name."""
        return self.get_choice_name(type(self))

    @classmethod
    def get_known_choices(cls) -> dict[str, Any]:
        """Return all kinds by name, those of other packages too."""
        load_environments()
        return super().get_known_choices()

    @classmethod
    def get_choice_class(cls, name: str) -> Any:
        """Return the class of a kind; KeyError where there is none."""
        load_environments()
        return super().get_choice_class(name)

    def tasks(self) -> list[str]:
        """Return the names in `task`."""
        return [name.strip() for name in (self.task or '').split(',') if name.strip()]

    def make(self, task: str, render: bool) -> gymnasium.Env:
        """Return one environment of a task, its length limited; `render`: it must give frames."""
        raise NotImplementedError

    def words(self, task: str) -> str:
        """Return what the policy is told to do."""
        return self.instruction or ''

    def prepare(self, render: bool) -> None:
        """Do once, before any environment is made, what must come first in the process."""

    def vectors(
        self, count: int, use_async: bool, render: bool,
    ) -> Iterator[tuple[str, gymnasium.vector.VectorEnv]]:
        """Yield each task with `count` environments; the one who takes them closes them."""
        require('gymnasium', 'pip install gymnasium')
        from apprentice_training.environments.vector import make_vector
        if not self.tasks():
            raise TrainingError(f'env.task: found {self.task!r}, expected the name of a task')
        self.prepare(render)
        for task in self.tasks():
            yield task, asked(task, make_vector, partial(self.make, task, render), count,
                              use_async)

    def observation(self, raw: Any) -> dict[str, Any]:
        """
        Return an observation, batched or not, under the policies' names.

        Dictionaries of pictures become `observation.images.<name>`; what begins with
        `observation` stays.
        """
        if not isinstance(raw, Mapping):
            return {'observation.state': raw}
        found = {}
        for key, value in raw.items():
            if isinstance(value, Mapping):
                found |= {f'observation.images.{name}': part for name, part in value.items()}
            else:
                found[_NAMES.get(key, key)] = value
        return found


def asked(task: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call what belongs to an environment, which may be anybody's; tell its failure in a line."""
    try:
        return call(*arguments, **options)
    except TrainingError:
        raise
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        raise TrainingError(
            f'{task}: found {type(error).__name__}: {error} within the environment '
            f'({at.filename}, line {at.lineno}), expected that it goes on') from error


def require(module: str, cure: str) -> None:
    """Raise `TrainingError` that says how to install a package, unless it is there."""
    from importlib.util import find_spec
    if find_spec(module) is None:
        raise TrainingError(f'{module}: found no such package in this Python, expected it for '
                            f'this environment; install it: {cure}')
