# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Reader of the part of URDF that the SO arms use."""
from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from so_arm_description.model import ArmDescription
from so_arm_description.model import Joint
from so_arm_description.model import Link
from so_arm_description.model import pose_from_xyz_rpy
from so_arm_description.model import Shape
from so_arm_description.model import ShapeKind
from so_arm_description.model import urdf_path

_SIZE_ATTRIBUTES = {
    ShapeKind.BOX: ('size',),
    ShapeKind.CYLINDER: ('radius', 'length'),
}


class DescriptionError(ValueError):
    """A URDF file that cannot be used; the message names the file, the element and the fault."""


def load_arm(arm: str) -> ArmDescription:
    """Return the description of `so100` or `so101`."""
    return read_urdf(urdf_path(arm))


def read_urdf(path: Path) -> ArmDescription:
    """
    Read a URDF file of primitive shapes.

    :raises DescriptionError: if it is no URDF, is no single tree, or uses what is not supported.
    """
    try:
        root = ElementTree.parse(path).getroot()
        if root.tag != 'robot':
            raise DescriptionError(f'the root element is <{root.tag}>, expected <robot>')
        links = {link.name: link for link in map(_link, root.findall('link'))}
        joints = _in_chain_order([_joint(element) for element in root.findall('joint')], links)
        materials = {
            _attribute(element, 'name'): _numbers(_child(element, 'color'), 'rgba', 4)
            for element in root.findall('material')}
        _check_materials(links, materials)
        return ArmDescription(_attribute(root, 'name'), links, joints, materials)
    except (DescriptionError, ElementTree.ParseError) as error:
        raise DescriptionError(f'{path}: {error}') from None


def _link(element: ElementTree.Element) -> Link:
    name = _attribute(element, 'name')
    mass, centre, inertia = 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    inertial = element.find('inertial')
    if inertial is not None:
        mass = _number(_child(inertial, 'mass'), 'value')
        centre = _numbers(_child(inertial, 'origin'), 'xyz', 3)
        tensor = _child(inertial, 'inertia')
        inertia = tuple(_number(tensor, key) for key in ('ixx', 'iyy', 'izz'))
    visuals = tuple(_shape(visual, name) for visual in element.findall('visual'))
    collisions = tuple(_shape(collision, name) for collision in element.findall('collision'))
    return Link(name, mass, centre, inertia, visuals, collisions)


def _shape(element: ElementTree.Element, link: str) -> Shape:
    geometry = _child(element, 'geometry')
    if len(geometry) != 1 or geometry[0].tag not in {kind.value for kind in ShapeKind}:
        raise DescriptionError(
            f'link {link!r}: geometry of <{element.tag}> must be one box or cylinder, '
            f'found {[child.tag for child in geometry]}')
    kind = ShapeKind(geometry[0].tag)
    if kind is ShapeKind.BOX:
        size = _numbers(geometry[0], 'size', 3)
    else:
        size = tuple(_number(geometry[0], key) for key in _SIZE_ATTRIBUTES[kind])
    material = element.find('material')
    return Shape(
        name=element.get('name', ''), kind=kind, size=size, origin=_origin(element),
        material='' if material is None else _attribute(material, 'name'))


def _joint(element: ElementTree.Element) -> Joint:
    name = _attribute(element, 'name')
    kind = _attribute(element, 'type')
    if kind not in ('fixed', 'revolute'):
        raise DescriptionError(f'joint {name!r} is {kind!r}, expected fixed or revolute')
    fixed = kind == 'fixed'
    lower = upper = 0.0
    axis = (0.0, 0.0, 1.0)
    if not fixed:
        limit = _child(element, 'limit')
        lower, upper = _number(limit, 'lower'), _number(limit, 'upper')
        axis = _numbers(_child(element, 'axis'), 'xyz', 3)
        if not lower < upper:
            raise DescriptionError(f'joint {name!r}: lower limit {lower} is not below {upper}')
        if not math.isclose(math.hypot(*axis), 1.0, abs_tol=1e-6):
            raise DescriptionError(f'joint {name!r}: axis {axis} is no unit vector')
    return Joint(
        name=name, parent=_attribute(_child(element, 'parent'), 'link'),
        child=_attribute(_child(element, 'child'), 'link'), origin=_origin(element),
        axis=axis, fixed=fixed, lower=lower, upper=upper)


def _in_chain_order(joints: list[Joint], links: dict[str, Link]) -> tuple[Joint, ...]:
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in links:
                raise DescriptionError(f'joint {joint.name!r} names the unknown link {link!r}')
    children = [joint.child for joint in joints]
    if len(set(children)) != len(children) or len(children) != len(links) - 1:
        raise DescriptionError('links and joints form no single tree')
    placed = set(links) - set(children)
    ordered: list[Joint] = []
    while len(ordered) < len(joints):
        ready = [j for j in joints if j.parent in placed and j.child not in placed]
        if not ready:
            raise DescriptionError('links and joints form no single tree')
        ordered += ready
        placed.update(joint.child for joint in ready)
    return tuple(ordered)


def _check_materials(links: dict[str, Link], materials: dict[str, tuple[float, ...]]) -> None:
    for link in links.values():
        for shape in link.visuals:
            if shape.material not in materials:
                raise DescriptionError(
                    f'link {link.name!r} uses the undefined material {shape.material!r}')


def _origin(element: ElementTree.Element) -> np.ndarray:
    origin = element.find('origin')
    if origin is None:
        return pose_from_xyz_rpy((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    xyz = _numbers(origin, 'xyz', 3) if 'xyz' in origin.attrib else (0.0, 0.0, 0.0)
    rpy = _numbers(origin, 'rpy', 3) if 'rpy' in origin.attrib else (0.0, 0.0, 0.0)
    return pose_from_xyz_rpy(xyz, rpy)


def _child(element: ElementTree.Element, tag: str) -> ElementTree.Element:
    child = element.find(tag)
    if child is None:
        raise DescriptionError(f'<{element.tag} name={element.get("name")!r}> lacks <{tag}>')
    return child


def _attribute(element: ElementTree.Element, key: str) -> str:
    if key not in element.attrib:
        raise DescriptionError(f'<{element.tag}> lacks the attribute {key!r}')
    return element.attrib[key]


def _numbers(element: ElementTree.Element, key: str, count: int) -> tuple[float, ...]:
    text = _attribute(element, key)
    try:
        values = tuple(float(word) for word in text.split())
    except ValueError:
        values = ()
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise DescriptionError(
            f'<{element.tag} {key}="{text}"> must hold {count} finite number(s)')
    return values


def _number(element: ElementTree.Element, key: str) -> float:
    return _numbers(element, key, 1)[0]
