# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Know the files, packages and imports of the repository."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
import subprocess
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]


@lru_cache(maxsize=None)
def files(*patterns: str) -> tuple[Path, ...]:
    """List the files that git tracks or would track, by patterns such as `*.py`."""
    listing = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', *patterns]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(ROOT / name for name in sorted(set(names.split('\0')))
                 if name and (ROOT / name).is_file())


def relative(path: Path) -> str:
    """Return a path as seen from the root."""
    return path.relative_to(ROOT).as_posix()


def python_files() -> list[Path]:
    """List every Python file, `ws` too."""
    return [*files('*.py'), ROOT / 'ws']


@lru_cache(maxsize=None)
def syntax(path: Path) -> ast.Module:
    """Parse a Python file."""
    return ast.parse(path.read_text(), str(path))


@dataclass(frozen=True)
class Import:
    """Hold one imported module and where it is imported."""

    module: str
    place: str

    @property
    def top(self) -> str:
        """Return the package that the module belongs to."""
        return self.module.partition('.')[0]


def imports(path: Path) -> Iterator[Import]:
    """Yield what a file imports, by statement or by `importlib.import_module('name')`."""
    for node in ast.walk(syntax(path)):
        place = f'{relative(path)}:{getattr(node, "lineno", 0)}'
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, place) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (Import(f'{node.module}.{alias.name}', place) for alias in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) in ('import_module', '__import__'):
            yield from (Import(argument.value, place) for argument in node.args[:1]
                        if isinstance(argument, ast.Constant))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, 'id', '')


@dataclass(frozen=True)
class Package:
    """Hold a ROS package: its folder and what its manifest says."""

    name: str
    folder: Path
    manifest: ElementTree.Element

    def depends(self, *tags: str) -> set[str]:
        """Return the names in the given tags of the manifest."""
        return {element.text.strip() for tag in tags for element in self.manifest.findall(tag)}

    def code(self) -> list[Path]:
        """List the Python files that are installed: all but the tests and setup.py."""
        return [path for path in self._python() if 'test' not in path.relative_to(
            self.folder).parts[:1] and path.name != 'setup.py']

    def tests(self) -> list[Path]:
        """List the Python files below test/."""
        return [path for path in self._python()
                if path.relative_to(self.folder).parts[0] == 'test']

    def _python(self) -> list[Path]:
        return [path for path in files('*.py') if path.is_relative_to(self.folder)]


@lru_cache(maxsize=None)
def packages() -> dict[str, Package]:
    """Find the packages below src/ by their manifests."""
    found = {}
    for path in files('src/*/package.xml'):
        manifest = ElementTree.parse(path).getroot()
        name = manifest.findtext('name', '').strip()
        found[name] = Package(name, path.parent, manifest)
    return found
