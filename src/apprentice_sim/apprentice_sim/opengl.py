# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find an OpenGL that renders without a screen on this machine."""
from __future__ import annotations

from collections.abc import MutableMapping
import os
import subprocess
import sys

BACKENDS = ('egl', 'osmesa')
"""MuJoCo's names, in the order of trial: EGL uses a graphics card where there is one."""

_VARIABLE = 'MUJOCO_GL'
_TIMEOUT_S = 30.0
# A context that cannot be made may end the process, so another process tries.
_TRIAL = """
import mujoco
spec = mujoco.MjSpec()
spec.worldbody.add_geom(size=(1, 0, 0))
model = spec.compile()
context = mujoco.GLContext(16, 16)
context.make_current()
mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
print('renders', flush=True)
import os
os._exit(0)
"""


class OpenGLError(RuntimeError):
    """No OpenGL renders here; the message says what to install."""


def choose_backend(environment: MutableMapping[str, str] = os.environ) -> str:
    """
    Set MUJOCO_GL to the first backend that renders, or check the one that is set; return it.

    Call it before MuJoCo is imported.

    :raises OpenGLError: if none renders.
    """
    wished = environment.get(_VARIABLE, '')
    # On the processor, threads of the renderer would only fight the bus loops for two cores.
    environment.setdefault('LP_NUM_THREADS', '0')
    reasons = []
    for backend in (wished,) if wished else BACKENDS:
        reason = why_not(backend, environment)
        if not reason:
            environment[_VARIABLE] = backend
            return backend
        reasons.append(f'{backend}: {reason}')
    asked = f' (asked for by {_VARIABLE}={wished})' if wished else ''
    raise OpenGLError(
        f'no OpenGL renders without a screen{asked}; on Debian and Ubuntu: '
        'sudo apt install libegl1 libgl1-mesa-dri libopengl0 (or libosmesa6 alone)\n  '
        + '\n  '.join(reasons))


def why_not(backend: str, environment: MutableMapping[str, str]) -> str:
    """Return why a backend does not render here, in a line; empty if it does."""
    variables = {**environment, _VARIABLE: backend}
    variables.pop('PYOPENGL_PLATFORM', None)
    try:
        trial = subprocess.run(
            [sys.executable, '-c', _TRIAL], env=variables, capture_output=True, text=True,
            timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f'no picture within {_TIMEOUT_S:.0f} s'
    if 'renders' in trial.stdout:
        return ''
    lines = trial.stderr.strip().splitlines()
    return lines[-1] if lines else f'exit code {trial.returncode}'
