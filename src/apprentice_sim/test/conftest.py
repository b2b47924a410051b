# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Choose an OpenGL for the whole test process before any test imports MuJoCo."""
from __future__ import annotations

import os

from apprentice_sim.opengl import choose_backend
from apprentice_sim.opengl import OpenGLError
import pytest

try:
    choose_backend(os.environ)
    NO_OPENGL = ''
except OpenGLError as error:
    NO_OPENGL = str(error)


@pytest.fixture
def opengl() -> str:
    """Name the backend that renders here, or skip the test with the reason."""
    if NO_OPENGL:
        pytest.skip(NO_OPENGL)
    return os.environ['MUJOCO_GL']
