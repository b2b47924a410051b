# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The choice of an OpenGL."""
from __future__ import annotations

import os

from apprentice_sim.opengl import BACKENDS
from apprentice_sim.opengl import choose_backend
from apprentice_sim.opengl import OpenGLError
import pytest

pytestmark = pytest.mark.timeout(90)


def environment(**changes: str) -> dict[str, str]:
    """Return this process' environment without a choice, changed."""
    kept = {
        key: value for key, value in os.environ.items()
        if key not in ('MUJOCO_GL', 'PYOPENGL_PLATFORM', 'LP_NUM_THREADS')}
    return {**kept, **changes}


def test_the_first_backend_that_renders_is_set(opengl: str) -> None:
    """Without a wish the choice is one of the screenless backends and is left for MuJoCo."""
    variables = environment()
    assert choose_backend(variables) in BACKENDS
    assert variables['MUJOCO_GL'] in BACKENDS
    assert variables['LP_NUM_THREADS'] == '0'


def test_a_wish_is_kept(opengl: str) -> None:
    """A backend that the user set and that works stays, with the user's other settings."""
    variables = environment(MUJOCO_GL=opengl, LP_NUM_THREADS='2')
    assert choose_backend(variables) == opengl
    assert variables['LP_NUM_THREADS'] == '2'


def test_a_wish_that_fails_says_what_to_install() -> None:
    """A backend that cannot render is an error with the cause and the packages."""
    with pytest.raises(OpenGLError, match='(?s)MUJOCO_GL=nonsense.*apt install.*nonsense:'):
        choose_backend(environment(MUJOCO_GL='nonsense'))
