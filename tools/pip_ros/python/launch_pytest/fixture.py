# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The decorator that makes a launch description a fixture."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import inspect
from typing import Any

from launch import LaunchDescription
import pytest

from .runner import Runner

# The launches that run now, by the name of their fixture.
RUNNING: dict[str, Runner] = {}
# The definitions are kept so that their ids stay theirs.
_DEFINED: dict[int, tuple[str, object]] = {}


def fixture(function: Callable[..., Any] | None = None, *, scope: str = 'function',
            **options: Any) -> Any:
    """
    Make a fixture of a function that returns or yields a launch description.

    The description may come first in a tuple. It runs from before the first test of the scope
    that is marked `launch(fixture=...)` until after the last one. What the function returns is
    the fixture's value.
    """
    def decorate(function: Callable[..., Any]) -> Any:
        name = function.__name__
        parameters = list(inspect.signature(function).parameters)

        def run(request: pytest.FixtureRequest) -> Iterator[Any]:
            yield from _run(name, function(**{
                each: request.getfixturevalue(each) for each in parameters}))

        run.__doc__ = function.__doc__
        definition = pytest.fixture(scope=scope, name=name, **options)(run)
        _DEFINED[id(definition)] = name, definition
        return definition
    return decorate if function is None else decorate(function)


def name_of(definition: object) -> str:
    """Return the name of a launch fixture; raises LookupError if it is none."""
    try:
        return _DEFINED[id(definition)][0]
    except KeyError:
        raise LookupError(
            f'{definition!r} was not made by @launch_pytest.fixture') from None


def _run(name: str, made: Any) -> Iterator[Any]:
    generator = made if inspect.isgenerator(made) else iter([made])
    value = next(generator)
    description = value if isinstance(value, LaunchDescription) else value[0]
    runner = RUNNING[name] = Runner(name, description)
    try:
        runner.start()
        yield value
        runner.stop()
    finally:
        del RUNNING[name]
        for _ in generator:
            raise ValueError(f"the fixture '{name}' yields more than once")
