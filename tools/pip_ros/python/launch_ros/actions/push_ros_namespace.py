# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A namespace for the nodes that follow."""

from __future__ import annotations

from typing import Any
from typing import TYPE_CHECKING

from launch.launch_description_entity import Action
from launch.substitution import perform_text
from launch.substitution import SomeSubstitutionsType

from .._names import join_namespace

if TYPE_CHECKING:
    from launch import LaunchContext

CONFIGURATION = 'ros_namespace'


class PushRosNamespace(Action):
    """Put the nodes from here to the end of the scope into a namespace."""

    def __init__(self, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._namespace = namespace

    def execute(self, context: LaunchContext) -> None:
        """Extend the current namespace, or replace it if the new one is absolute."""
        namespace = perform_text(context, self._namespace)
        if namespace:
            configurations = context.launch_configurations
            configurations[CONFIGURATION] = join_namespace(
                configurations.get(CONFIGURATION), namespace)
