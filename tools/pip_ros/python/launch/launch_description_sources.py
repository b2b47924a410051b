# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Where an included launch description comes from."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from ._missing import refuse_missing
from .launch_description import LaunchDescription
from .substitution import describe
from .substitution import normalize_to_list_of_substitutions
from .substitution import perform_substitutions
from .substitution import SomeSubstitutionsType

if TYPE_CHECKING:
    from .launch_context import LaunchContext

ENTRY = 'generate_launch_description'


class InvalidPythonLaunchFileError(RuntimeError):
    """A Python launch file lacks its entry function."""


def get_launch_description_from_python_launch_file(path: str | os.PathLike) -> LaunchDescription:
    """Run the entry function of a Python launch file and return its description."""
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"launch file '{file}' does not exist")
    # Two files of one name in different packages are two modules.
    name = f'launch_file_{abs(hash(str(file)))}'
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InvalidPythonLaunchFileError(
            f"launch file '{file}': expected a Python file with a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    # Found there by dataclasses and by inspect while the file runs.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RuntimeError(
            f"launch file '{file}' cannot be loaded: {type(error).__name__}: {error}") from error
    entry = getattr(module, ENTRY, None)
    if entry is None:
        raise InvalidPythonLaunchFileError(
            f"launch file at '{file}' does not contain the required function "
            f"'{ENTRY}()'")
    description = entry()
    if not isinstance(description, LaunchDescription):
        raise InvalidPythonLaunchFileError(
            f"launch file '{file}': {ENTRY}() returned {description!r}, expected a "
            'LaunchDescription')
    return description


class LaunchDescriptionSource:
    """A launch description that is made anew, or was made before."""

    def __init__(self, launch_description: LaunchDescription | None = None,
                 location: SomeSubstitutionsType = '') -> None:
        self._description = launch_description
        self._parts = normalize_to_list_of_substitutions(location)
        self.location = describe(self._parts)

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        """Return the launch description; afterwards `location` is its path."""
        if self._description is None:
            self.location = perform_substitutions(context, self._parts)
            self._description = self._load(self.location)
        return self._description

    def _load(self, path: str) -> LaunchDescription:
        raise NotImplementedError


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """The launch description of a Python launch file."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        super().__init__(None, launch_file_path)

    def _load(self, path: str) -> LaunchDescription:
        return get_launch_description_from_python_launch_file(path)


__all__ = [
    'InvalidPythonLaunchFileError', 'LaunchDescriptionSource', 'PythonLaunchDescriptionSource',
    'get_launch_description_from_python_launch_file']
__getattr__ = refuse_missing(__name__)
