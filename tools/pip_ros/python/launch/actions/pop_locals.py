# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The end of what context.locals held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..launch_description_entity import Action

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class PopLocals(Action):
    """Take the newest locals away: what pushed them has been visited."""

    def execute(self, context: LaunchContext) -> None:
        """Take them away."""
        context.locals.pop()
