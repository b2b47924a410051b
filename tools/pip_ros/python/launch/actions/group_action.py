# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Actions that share a scope."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import TYPE_CHECKING

from ..launch_description_entity import Action
from ..launch_description_entity import as_entities
from ..launch_description_entity import LaunchDescriptionEntity
from ..substitution import perform_text
from ..substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class GroupAction(Action):
    """Visit actions whose settings end with the group, unless it is not scoped."""

    def __init__(self, actions: Iterable[LaunchDescriptionEntity], *, scoped: bool = True,
                 forwarding: bool = True,
                 launch_configurations: Mapping[str, SomeSubstitutionsType] | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._actions = as_entities(actions)
        self._scoped = scoped
        self._forwarding = forwarding
        self._configurations = dict(launch_configurations or {})

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Return the actions, between the beginning and the end of their scope."""
        values = {name: perform_text(context, value)
                  for name, value in self._configurations.items()}
        if not self._scoped:
            context.launch_configurations.update(values)
            return self._actions
        context.push_configurations()
        context.push_environment()
        if not self._forwarding:
            context.launch_configurations.clear()
        context.launch_configurations.update(values)
        return [*self._actions, EndScope()]

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the actions."""
        return self._actions


class EndScope(Action):
    """Go back to the settings from before the group."""

    def execute(self, context: LaunchContext) -> None:
        """Restore launch configurations and environment."""
        context.pop_environment()
        context.pop_configurations()
