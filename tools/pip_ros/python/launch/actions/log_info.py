# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A message to the user."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from .._console import Level
from ..launch_description_entity import Action
from ..substitution import describe
from ..substitution import normalize_to_list_of_substitutions
from ..substitution import perform_substitutions
from ..substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class LogInfo(Action):
    """Write a line at level INFO."""

    def __init__(self, *, msg: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.msg = normalize_to_list_of_substitutions(msg)

    def execute(self, context: LaunchContext) -> None:
        """Write the line."""
        assert context.supervisor is not None
        context.supervisor.console.log(
            Level.INFO, 'launch.user', perform_substitutions(context, self.msg))

    def describe(self) -> str:
        """Return the message with its substitutions."""
        return f'LogInfo({describe(self.msg)})'
