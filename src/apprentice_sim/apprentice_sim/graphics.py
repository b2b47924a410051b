# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make sure that MuJoCo can render before it is imported, where pictures are wanted."""
from __future__ import annotations

import os
import sys

from apprentice_sim.opengl import choose_backend
from apprentice_sim.opengl import OpenGLError

_CHOSEN = 'APPRENTICE_SIM_GL'


def prepare_graphics() -> None:
    """
    Choose an OpenGL, once for this process and those that it starts.

    :raises OpenGLError: none renders, or MuJoCo was imported before one was chosen.
    """
    chosen = os.environ.get('MUJOCO_GL', '')
    if chosen and os.environ.get(_CHOSEN) == chosen:
        return
    if 'mujoco' in sys.modules:
        if not chosen:
            raise OpenGLError(
                'found MuJoCo imported without MUJOCO_GL, expected it to be set first: set '
                'MUJOCO_GL=egl (or osmesa), or make the environment with cameras before others')
        return
    os.environ[_CHOSEN] = choose_backend()
