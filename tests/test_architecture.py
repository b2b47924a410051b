# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold the code to the floors of docs/architecture.md and to what each package never imports."""
from __future__ import annotations

from collections.abc import Iterator
import re
import sys

import pytest
from repository import Import
from repository import imports
from repository import Package
from repository import packages
from repository import relative
from repository import ROOT

ROW = re.compile(r'^\| *(\d|-) *\|([^|]*)\|', re.MULTILINE)
DRIVERS = {'feetech_driver', 'dynamixel_driver', 'damiao_driver', 'opencv_camera_driver'}
LEARNING = {'torch', 'lerobot'}
DATA = {'apprentice_dataset', 'datasets', 'pyarrow', 'av'}
# What a package never imports, beside what its floor forbids.
NEVER = {
    'apprentice_recorder': LEARNING,
    'apprentice_doctor': LEARNING | {'apprentice_sim', 'mujoco'},
    'apprentice_policy_runner': DRIVERS,
    'apprentice_training': {'rclpy'},
    'apprentice_teleop': LEARNING | DATA,
    # It records what its demonstrator does, through the library alone.
    'apprentice_sim': LEARNING | DATA - {'apprentice_dataset'} | DRIVERS | {'scservo_sdk'},
    'apprentice_node': LEARNING | DATA,
    'apprentice_contract': {'rclpy', *LEARNING},
    'apprentice_policies': {'rclpy'},
    'apprentice_dataset': {'rclpy', *LEARNING},
    'apprentice_control': {'rclpy', 'numpy', *LEARNING, *DATA},
    **{driver: LEARNING | DATA | {'mujoco', 'apprentice_sim'} for driver in DRIVERS},
    # It decodes what network cameras send.
    'opencv_camera_driver': LEARNING | DATA - {'av'} | {'mujoco', 'apprentice_sim'},
}
# Where a rule has a hole.
EXCEPT = {'apprentice_dataset': ('apprentice_dataset/torch/', 'torch')}
# A bring-up package starts things; all it does itself is to read its configuration.
LAUNCHING = {'launch', 'launch_ros', 'ament_index_python', 'yaml'}
STANDARD = sys.stdlib_module_names


def floors() -> dict[str, int | None]:
    """Read the table of floors; None for the metapackage, which has none."""
    found: dict[str, int | None] = {}
    for floor, names in ROW.findall((ROOT / 'docs' / 'architecture.md').read_text()):
        for name in re.findall(r'`(\w+)`', names):
            found[name] = None if floor == '-' else int(floor)
    return found


FLOORS = floors()


def _foreign(package: Package) -> Iterator[Import]:
    for path in package.code():
        yield from (found for found in imports(path) if found.top != package.name)


def test_the_table_names_every_package() -> None:
    """Each package of src/ stands on a floor, and the table names no other."""
    assert sorted(FLOORS) == sorted(packages())


@pytest.mark.parametrize('name', sorted(packages()))
def test_imports_go_down(name: str) -> None:
    """A package imports our packages from floors below its own only."""
    floor = FLOORS.get(name)
    wrong = [f'{found.place}: {found.module}' for found in _foreign(packages()[name])
             if found.top in FLOORS and not _below(FLOORS[found.top], floor)]
    assert not wrong, f'{name} (floor {floor}) imports from its own floor or above: {wrong}'


def _below(lower: int | None, upper: int | None) -> bool:
    return lower is not None and upper is not None and lower < upper


@pytest.mark.parametrize('name', sorted(NEVER.keys() & packages().keys()))
def test_never_imports(name: str) -> None:
    """A package does not import what its room keeps out, not even lazily."""
    path, allowed = EXCEPT.get(name, ('', ''))
    wrong = [f'{found.place}: {found.module}' for found in _foreign(packages()[name])
             if found.top in NEVER[name]
             and not (path and path in found.place and found.top == allowed)]
    assert not wrong, f'{name} must not import these: {wrong}'


@pytest.mark.parametrize('name', sorted(n for n in packages() if n.endswith('_bringup')))
def test_bring_up_only_launches(name: str) -> None:
    """A bring-up package imports launch, YAML and the standard library, nothing else."""
    wrong = [f'{found.place}: {found.module}' for found in _foreign(packages()[name])
             if found.top not in LAUNCHING | STANDARD]
    assert not wrong, f'{name} imports more than launch: {wrong}'


@pytest.mark.parametrize('name', sorted(packages()))
def test_imports_are_declared(name: str) -> None:
    """What a package imports of ours stands in its manifest, for the code and for the tests."""
    package = packages()[name]
    needed = {found.top for found in _foreign(package)} & packages().keys()
    declared = package.depends('depend', 'exec_depend')
    assert needed <= declared, f'{name}: package.xml lacks exec_depend {needed - declared}'
    tested = {found.top for path in package.tests() for found in imports(path)}
    tested = tested & packages().keys() - {name}
    declared |= package.depends('test_depend')
    assert tested <= declared, f'{name}: package.xml lacks test_depend {tested - declared}'


@pytest.mark.parametrize('name', sorted(
    name for name in packages() if FLOORS.get(name) is not None and not name.endswith('_bringup')))
def test_dependencies_go_down(name: str) -> None:
    """A manifest's dependencies on our packages obey the floors; bring-up may start any."""
    wrong = {other for other in packages()[name].depends('depend', 'exec_depend', 'build_depend')
             if other in FLOORS and not _below(FLOORS[other], FLOORS[name])}
    assert not wrong, f'{name}: package.xml depends on its own floor or above: {wrong}'


def test_no_package_is_at_the_root() -> None:
    """A manifest at the root would hide src/ from colcon."""
    assert not (ROOT / 'package.xml').exists()


def test_only_messages_are_built_by_cmake() -> None:
    """One CMake package, so that a build needs a compiler for nothing else."""
    cmake = [name for name, package in packages().items()
             if (package.folder / 'CMakeLists.txt').exists()]
    assert cmake == ['apprentice_msgs']


def test_imports_are_found() -> None:
    """The reader of imports sees plain, late, aliased and dynamic ones."""
    path = ROOT / 'tests' / 'repository.py'
    modules = {found.module for found in imports(path)}
    assert {'ast', 'pathlib.Path', 'xml.etree.ElementTree'} <= modules
    assert relative(path) == 'tests/repository.py'
