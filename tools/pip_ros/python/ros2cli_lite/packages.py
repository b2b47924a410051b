# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find packages and their executables in the sourced prefixes."""
from __future__ import annotations

import os
from pathlib import Path

from ament_index_python import get_package_prefix
from ament_index_python import get_packages_with_prefixes
from ament_index_python import PackageNotFoundError

from ros2cli_lite.common import CommandError
from ros2cli_lite.common import suggestion


def package_names() -> list[str]:
    """List the packages of every sourced prefix, sorted."""
    return sorted(get_packages_with_prefixes())


def prefix_of(package: str) -> Path:
    """Find the prefix a package is installed to."""
    try:
        return Path(get_package_prefix(package))
    except (PackageNotFoundError, ValueError) as error:
        hint = suggestion(package, package_names(), 'ros2 pkg list')
        raise CommandError(f"Package '{package}' not found: {hint}") from error


def executables(package: str) -> list[Path]:
    """List the executable files under `lib/<package>` of the package's prefix, sorted."""
    found = []
    for root, folders, names in os.walk(prefix_of(package) / 'lib' / package):
        folders[:] = [f for f in folders if not f.startswith('.') and f != '__pycache__']
        found += [Path(root, name) for name in names]
    return sorted(path for path in found if path.is_file() and os.access(path, os.X_OK))
