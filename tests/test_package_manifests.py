# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Every manifest names what its package needs, nothing else, and by keys that rosdep resolves.

tests/rosdep_keys.yaml says what the keys resolve to. test_style.py holds manifests to version,
licence, maintainer, marker and layout; test_architecture.py to the floors.
"""

from __future__ import annotations

import ast
import re
import sys

from catkin_pkg.package import parse_package
import pytest
from repository import files
from repository import imports
from repository import Package
from repository import packages
from repository import ROOT
from repository import syntax
import yaml

KEYS = yaml.safe_load((ROOT / 'tests' / 'rosdep_keys.yaml').read_text())
KNOWN = {*KEYS['ros'], *KEYS['apt'], *KEYS['pip']}
TAGS = ('depend', 'build_depend', 'build_export_depend', 'buildtool_depend',
        'buildtool_export_depend', 'exec_depend', 'test_depend')
# What every package with tests needs: `./ws test` gives each of them a time limit.
TESTED = {'python3-pytest', 'python3-pytest-timeout'}
# Needed without being named: the command that an operator starts a launch file with.
LAUNCHED = 'ros2launch'


def own_modules(package: Package) -> set[str]:
    """Return the modules of a package and those that lie beside its tests."""
    return {package.name, *(path.stem for path in package.tests()),
            *(path.parent.name for path in package.tests())}


def key_of(module: str) -> str:
    """Return the key of a module, or its package on PyPI where there is no key."""
    return KEYS['modules'].get(module, module)


def needed(package: Package, tests: bool) -> set[str]:
    """Return the keys of what a package's code, or its tests, import."""
    paths = package.tests() if tests else package.code()
    modules = {found.top for path in paths for found in imports(path)}
    return {key_of(module) for module in modules - own_modules(package) - sys.stdlib_module_names}


def mentions(package: Package, word: str, tests: bool) -> bool:
    """Tell whether a text of the package names another one: a node to start, a message type."""
    whole = re.compile(rf'\b{re.escape(word)}\b')
    for path in files(f'src/{package.folder.name}/*'):
        parts = path.relative_to(package.folder).parts
        if parts[0] in ('package.xml', 'README.md') or (parts[0] == 'test') != tests:
            continue
        if whole.search(path.read_text(errors='replace')):
            return True
    return False


@pytest.mark.parametrize('name', sorted(packages()))
def test_the_manifest_is_valid(name: str) -> None:
    """What colcon and rosdep parse it with has nothing to complain about, nor to fetch."""
    warnings: list[str] = []
    parse_package(str(packages()[name].folder / 'package.xml'), warnings=warnings)
    assert not warnings
    # ament_xmllint would fetch the schema that such a line names; a robot may have no network.
    assert '<?xml-model' not in (packages()[name].folder / 'package.xml').read_text()


@pytest.mark.parametrize('name', sorted(packages()))
def test_rosdep_resolves_every_key(name: str) -> None:
    """A key that rosdep does not know stops `rosdep install` for everybody."""
    unknown = packages()[name].depends(*TAGS) - KNOWN - packages().keys()
    assert not unknown, f'{name}: not in tests/rosdep_keys.yaml: {sorted(unknown)}'


@pytest.mark.parametrize('name', sorted(packages()))
def test_every_import_is_declared(name: str) -> None:
    """Code may import what is there when it runs, tests may import more."""
    package = packages()[name]
    without = {*KEYS['without_key'], *KEYS['optional']}
    lacking = needed(package, tests=False) - package.depends('depend', 'exec_depend') - without
    assert not lacking, f'{name}: package.xml lacks exec_depend {sorted(lacking)}'
    lacking = needed(package, tests=True) - package.depends(*TAGS) - without
    lacking |= TESTED - package.depends('test_depend') if package.tests() else set()
    assert not lacking, f'{name}: package.xml lacks test_depend {sorted(lacking)}'


@pytest.mark.parametrize('name', sorted(packages().keys() - {'apprentice'}))
def test_no_dependency_is_unused(name: str) -> None:
    """What is declared is imported, started, or named as a type."""
    package = packages()[name]
    reverse = {key: module for module, key in KEYS['modules'].items()}
    for tests in (False, True):
        declared = package.depends(*((TAGS[-1],) if tests else TAGS[:-1]))
        unused = {key for key in declared - needed(package, tests)
                  if not mentions(package, reverse.get(key, key), tests)}
        launches = {LAUNCHED} if (package.folder / 'launch').exists() else set()
        unused -= TESTED if tests else launches
        assert not unused, f'{name}: package.xml declares, and nothing uses, {sorted(unused)}'


def test_the_metapackage_brings_every_package() -> None:
    """Who installs `apprentice` gets all of it."""
    assert packages()['apprentice'].depends('exec_depend') >= packages().keys() - {'apprentice'}


@pytest.mark.parametrize('name', sorted(packages()))
def test_a_dependency_is_declared_once(name: str) -> None:
    """What code needs, its tests have."""
    manifest = packages()[name].manifest
    keys = [element.text for tag in TAGS for element in manifest.findall(tag)]
    twice = {key for key in keys if keys.count(key) > 1}
    assert not twice, f'{name}: package.xml declares twice: {sorted(twice)}'


def test_what_has_no_key_is_brought_by_ws() -> None:
    """The locks name it, and the page tells who does without `./ws`."""
    asked = ' '.join((ROOT / 'locks' / f'{group}.in').read_text()
                     for group in ('base', 'data', 'sim', 'learn'))
    page = (ROOT / 'docs' / 'upstream.md').read_text()
    for name in [*KEYS['without_key'], *KEYS['pip'].values()]:
        assert re.search(rf'^{name}\b', asked.replace(' ', '\n'), re.MULTILINE), name
        assert f'`{name}`' in page, name
    for name in KEYS['optional']:
        assert f'`{name}`' in page and name not in asked.split(), name


@pytest.mark.parametrize('name', sorted(
    name for name, package in packages().items() if (package.folder / 'setup.py').exists()))
def test_setup_says_what_the_manifest_says(name: str) -> None:
    """Version, maintainer, licence and the name are told to pip as to ROS."""
    package = packages()[name]
    given = setup_arguments(package)
    maintainer = package.manifest.find('maintainer')
    assert given['version'] == package.manifest.findtext('version')
    assert given['license'] == package.manifest.findtext('license')
    assert (given['maintainer'], given['maintainer_email']) == (
        maintainer.text, maintainer.get('email'))


def setup_arguments(package: Package) -> dict[str, str]:
    """Return the arguments of `setup()` that are plain texts."""
    for node in ast.walk(syntax(package.folder / 'setup.py')):
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'setup':
            return {keyword.arg: keyword.value.value for keyword in node.keywords
                    if isinstance(keyword.value, ast.Constant)}
    raise AssertionError(f'{package.name}: setup.py calls no setup()')


def test_the_table_of_keys_is_no_longer_than_needed() -> None:
    """A key that no manifest has is not listed."""
    used = set().union(*(package.depends(*TAGS) for package in packages().values()))
    assert not (unused := KNOWN - used), f'nobody uses {sorted(unused)}'
