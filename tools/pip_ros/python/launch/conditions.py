# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Conditions under which an action is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .substitution import describe
from .substitution import normalize_to_list_of_substitutions
from .substitution import perform_substitutions
from .substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from .launch_context import LaunchContext

TRUE_WORDS = ('true', '1')
FALSE_WORDS = ('false', '0')


class InvalidConditionExpressionError(RuntimeError):
    """A condition's text is neither true nor false."""


class Condition:
    """Decide whether an action is executed."""

    def evaluate(self, context: LaunchContext) -> bool:
        """Return the decision in this context."""
        raise NotImplementedError


class IfCondition(Condition):
    """Hold if the predicate's text is true or 1."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        self._predicate = normalize_to_list_of_substitutions(predicate_expression)

    def evaluate(self, context: LaunchContext) -> bool:
        """Return whether the text says true."""
        text = perform_substitutions(context, self._predicate)
        word = text.strip().lower()
        if word not in TRUE_WORDS + FALSE_WORDS:
            raise InvalidConditionExpressionError(
                'invalid condition expression, expected one of '
                f"[{', '.join(TRUE_WORDS + FALSE_WORDS)}] but got '{text}', expanded from "
                f'{describe(self._predicate)}')
        return word in TRUE_WORDS


class UnlessCondition(IfCondition):
    """Hold if the predicate's text is false or 0."""

    def evaluate(self, context: LaunchContext) -> bool:
        """Return whether the text says false."""
        return not super().evaluate(context)
