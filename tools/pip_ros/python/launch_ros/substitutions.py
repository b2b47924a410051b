# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Substitutions that ask the ament index."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ament_index_python.packages import get_package_prefix
from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import PackageNotFoundError
from launch._missing import refuse_missing
from launch.substitution import describe
from launch.substitution import perform_text
from launch.substitution import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitution import SubstitutionFailure

if TYPE_CHECKING:
    from launch import LaunchContext


class FindPackageShare(Substitution):
    """Stand for a package's share folder."""

    def __init__(self, package: SomeSubstitutionsType) -> None:
        self.package = package

    def perform(self, context: LaunchContext) -> str:
        """Return the folder; raises PackageNotFoundError naming where it was sought."""
        return get_package_share_directory(perform_text(context, self.package))

    def describe(self) -> str:
        """Return the package."""
        return f'FindPackageShare(pkg={describe(self.package)})'


class ExecutableInPackage(Substitution):
    """Stand for the path of a package's executable."""

    def __init__(self, executable: SomeSubstitutionsType,
                 package: SomeSubstitutionsType) -> None:
        self.executable = executable
        self.package = package

    def perform(self, context: LaunchContext) -> str:
        """Return the path; raises SubstitutionFailure naming the folder that was searched."""
        executable = perform_text(context, self.executable)
        package = perform_text(context, self.package)
        folder = Path(get_package_prefix(package)) / 'lib' / package
        path = folder / executable
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise SubstitutionFailure(
                f"executable '{executable}' not found on the libexec directory '{folder}' ")
        return str(path)

    def describe(self) -> str:
        """Return package and executable."""
        return f'ExecInPkg(pkg={describe(self.package)}, exec={describe(self.executable)})'


__all__ = ['ExecutableInPackage', 'FindPackageShare', 'PackageNotFoundError']
__getattr__ = refuse_missing(__name__)
