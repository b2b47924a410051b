# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Command line: let the scripted demonstrator fill a dataset, without ROS."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys

from apprentice_sim.graphics import prepare_graphics
from apprentice_sim.opengl import OpenGLError

CAMERAS = ('front', 'wrist')
_BAD_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Demonstrate until enough episodes are kept; return the exit code."""
    arguments = _arguments(argv)
    cameras = arguments.camera if arguments.cameras else ()
    try:
        if cameras:
            prepare_graphics()
    except OpenGLError as error:
        sys.stderr.write(f'demonstrate: {error}\n')
        return _BAD_INPUT
    # Only now: MuJoCo reads the choice of OpenGL when it is imported, and help needs none of it.
    from apprentice_sim.demonstration import DatasetError
    from apprentice_sim.demonstration import Demonstrations
    try:
        demonstrations = Demonstrations(
            arguments.root, arguments.arm, cameras, arguments.cameras or 0,
            arguments.environment_state)
    except DatasetError as error:
        sys.stderr.write(f'demonstrate: {error}\n')
        return _BAD_INPUT
    try:
        return _fill(demonstrations, arguments.episodes, arguments.seed)
    except KeyboardInterrupt:
        return 130
    finally:
        demonstrations.close()


def _fill(demonstrations: object, episodes: int, seed: int) -> int:
    tried = failed = kept = 0
    while kept < episodes:
        attempt = demonstrations.demonstrate(seed + tried)
        tried += 1
        if attempt.failure:
            failed += 1
            sys.stdout.write(f'seed {attempt.seed}: not kept: {attempt.failure}\n')
            if failed > episodes + 5:
                sys.stderr.write(f'demonstrate: {failed} of {tried} demonstrations failed\n')
                return 1
            continue
        kept += 1
        sys.stdout.write(f'seed {attempt.seed}: {attempt.length} rows, {kept} of {episodes}\n')
        sys.stdout.flush()
    sys.stdout.write(f'kept {kept} of {tried} demonstrations; the dataset has '
                     f'{demonstrations.kept} episodes\n')
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='demonstrate', description=__doc__)
    parser.add_argument('--root', type=Path, required=True,
                        help='folder of the dataset; episodes are added to one that is there')
    parser.add_argument('--episodes', type=int, default=50,
                        help='how many to keep; only those with the cube in the bin are kept '
                             '(default: 50)')
    parser.add_argument('--seed', type=int, default=0,
                        help="seed of the first demonstration's world; the next take the next "
                             '(default: 0)')
    parser.add_argument('--arm', choices=('so100', 'so101'), default='so100')
    parser.add_argument('--cameras', type=int, metavar='SIZE',
                        help='record pictures of SIZE x SIZE pixels (default: none)')
    parser.add_argument('--camera', choices=CAMERAS, nargs='+', default=CAMERAS,
                        help='which cameras (default: both)')
    parser.add_argument('--environment-state', action=argparse.BooleanOptionalAction,
                        default=True,
                        help="record the cube's pose, which only a simulation knows "
                             '(default: yes)')
    arguments = parser.parse_args(argv)
    if arguments.episodes < 1:
        parser.error(f'--episodes {arguments.episodes}: expected 1 or more')
    if arguments.seed < 0:
        parser.error(f'--seed {arguments.seed}: expected 0 or more')
    if arguments.cameras is not None and not (
            16 <= arguments.cameras <= 1024 and arguments.cameras % 2 == 0):
        parser.error(f'--cameras {arguments.cameras}: expected an even number, 16 to 1024')
    return arguments


if __name__ == '__main__':
    sys.exit(main())
