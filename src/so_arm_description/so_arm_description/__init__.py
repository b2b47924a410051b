# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Geometry of the SO arms, read from their URDF files."""
from __future__ import annotations

from so_arm_description.model import ArmDescription
from so_arm_description.model import ARMS
from so_arm_description.model import Joint
from so_arm_description.model import Link
from so_arm_description.model import Shape
from so_arm_description.model import ShapeKind
from so_arm_description.model import urdf_path
from so_arm_description.urdf import DescriptionError
from so_arm_description.urdf import load_arm
from so_arm_description.urdf import read_urdf

__all__ = [
    'ARMS',
    'ArmDescription',
    'DescriptionError',
    'Joint',
    'Link',
    'Shape',
    'ShapeKind',
    'load_arm',
    'read_urdf',
    'urdf_path',
]
