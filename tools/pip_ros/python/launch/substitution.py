# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Text that is only known while a launch description runs."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Union

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class SubstitutionFailure(RuntimeError):
    """A substitution has no value."""


class Substitution:
    """Yield a text once a launch context is there."""

    def perform(self, context: LaunchContext) -> str:
        """Return the text in this context."""
        raise NotImplementedError

    def describe(self) -> str:
        """Return a short text that identifies the substitution in messages."""
        return f'{type(self).__name__}()'


class TextSubstitution(Substitution):
    """Stand for a fixed text."""

    def __init__(self, *, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f'TextSubstitution takes a str as text, not {text!r}')
        self.text = text

    def perform(self, context: LaunchContext) -> str:
        """Return the text itself."""
        return self.text

    def describe(self) -> str:
        """Return the text in quotes."""
        return f"'{self.text}'"


SomeSubstitutionsType = Union[str, Substitution, Iterable[Union[str, Substitution]]]


def normalize_to_list_of_substitutions(value: SomeSubstitutionsType) -> list[Substitution]:
    """Return the substitutions whose texts, joined, make up the value."""
    if isinstance(value, Substitution):
        return [value]
    if isinstance(value, str):
        return [TextSubstitution(text=value)]
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return [_as_substitution(item) for item in value]
    raise TypeError(f'expected a str, a substitution or a flat list of these, found {value!r}')


def _as_substitution(item: object) -> Substitution:
    if isinstance(item, Substitution):
        return item
    if isinstance(item, str):
        return TextSubstitution(text=item)
    # Upstream takes no paths and no lists inside lists either.
    raise TypeError(
        f'expected a str or a substitution, found {item!r} of type {type(item).__name__}')


def perform_substitutions(context: LaunchContext, parts: Iterable[Substitution]) -> str:
    """Return the joined text of all parts."""
    return ''.join(part.perform(context) for part in parts)


def perform_text(context: LaunchContext, value: SomeSubstitutionsType) -> str:
    """Return the text of a value that has not been normalized yet."""
    return perform_substitutions(context, normalize_to_list_of_substitutions(value))


def describe(value: SomeSubstitutionsType) -> str:
    """Return a text for messages: the parts joined by plus signs."""
    return ' + '.join(part.describe() for part in normalize_to_list_of_substitutions(value))
