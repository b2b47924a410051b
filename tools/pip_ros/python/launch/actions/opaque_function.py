# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A function that is called while the launch runs."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import TYPE_CHECKING

from ..launch_description_entity import Action
from ..launch_description_entity import as_entities
from ..launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class OpaqueFunction(Action):
    """Call a function with the context; visit the entities that it returns."""

    def __init__(self, *, function: Callable[..., Any], args: Iterable[Any] | None = None,
                 kwargs: Mapping[str, Any] | None = None, **left_over: Any) -> None:
        super().__init__(**left_over)
        if not callable(function):
            raise TypeError(f'OpaqueFunction takes a function, not {function!r}')
        self._function = function
        self._args = tuple(args or ())
        self._kwargs = dict(kwargs or {})

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Call the function."""
        return as_entities(self._function(context, *self._args, **self._kwargs))
