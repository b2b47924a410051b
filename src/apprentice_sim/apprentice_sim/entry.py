# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Entry points of the nodes: imports come late, so that Ctrl-C during them ends quietly."""
from __future__ import annotations

import sys

from apprentice_node.signals import exit_quietly_until_run


def world() -> int:
    """Run the world."""
    exit_quietly_until_run()
    from apprentice_sim.world_node import main
    return main()


def cameras() -> int:
    """Run the cameras, with an OpenGL that works on this machine."""
    exit_quietly_until_run()
    from apprentice_sim.opengl import choose_backend
    from apprentice_sim.opengl import OpenGLError
    try:
        # MuJoCo reads the choice once, when it is first imported.
        choose_backend()
    except OpenGLError as error:
        sys.stderr.write(f'cameras: {error}\n')
        return 1
    from apprentice_sim.cameras_node import main
    return main()


def demonstrator() -> int:
    """Run the scripted operator."""
    exit_quietly_until_run()
    from apprentice_sim.demonstrator_node import main
    return main()
