# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A change of the environment."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from ..launch_description_entity import Action
from ..substitution import perform_text
from ..substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class SetEnvironmentVariable(Action):
    """Set a variable for the processes started from here to the end of the scope."""

    def __init__(self, name: SomeSubstitutionsType, value: SomeSubstitutionsType,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._name = name
        self._value = value

    def execute(self, context: LaunchContext) -> None:
        """Set the variable."""
        context.environment[perform_text(context, self._name)] = perform_text(
            context, self._value)
