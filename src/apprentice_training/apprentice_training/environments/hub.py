# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Environments in a local folder of LeRobot's EnvHub: a Python file `env.py` with `make_env`.

Such a file is a program. It runs only where the user has given the hash of the whole folder,
and then from a copy of exactly the files that were hashed.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
from importlib.util import module_from_spec
from importlib.util import spec_from_file_location
from pathlib import Path
import shutil
import sys
import tempfile
from types import ModuleType
from typing import Any
from typing import TYPE_CHECKING

from apprentice_training.environments.config import EnvConfig
from apprentice_training.environments.config import require
from apprentice_training.errors import TrainingError

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

ENTRY = 'env.py'
_PASSED_OVER = ('.git', '__pycache__', '.cache')


@EnvConfig.register_subclass('hub')
@dataclass
class HubConfig(EnvConfig):
    """
    A folder fetched from the Hub beforehand.

    `trust_hash`: the hash that the refusal prints; giving it runs the folder's code with your
    rights.
    """

    path: str = ''
    trust_hash: str = ''

    def vectors(
        self, count: int, use_async: bool, render: bool,
    ) -> Iterator[tuple[str, VectorEnv]]:
        """Yield what the folder's `make_env(n_envs, use_async_envs)` returns, task by task."""
        module = load_trusted(Path(self.path).expanduser(), self.trust_hash)
        require('gymnasium', 'pip install gymnasium')
        if not callable(getattr(module, 'make_env', None)):
            raise TrainingError(f'{self.path}/{ENTRY}: found no function make_env, expected '
                                'make_env(n_envs, use_async_envs)')
        made = module.make_env(n_envs=count, use_async_envs=use_async)
        wanted = self.tasks()
        for name, vector in _flat(made, count):
            if wanted and name not in wanted:
                vector.close()
            else:
                yield name, vector


def folder_hash(folder: Path) -> str:
    """
    Return the SHA-256 over names and contents of all files below a folder.

    :raises TrainingError: no folder, or a link in it.
    """
    digest = hashlib.sha256()
    for path in _files(folder):
        for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, 'big') + part)
    return digest.hexdigest()


def load_trusted(folder: Path, trusted: str) -> ModuleType:
    """
    Import `env.py` of a folder whose hash is `trusted`.

    :raises TrainingError: it is not; the text has the hash to give.
    """
    if not (folder / ENTRY).is_file():
        raise TrainingError(f'env.path: found no {ENTRY} in {str(folder)!r}, expected a folder '
                            'of EnvHub, fetched beforehand')
    copy = Path(tempfile.mkdtemp(prefix='apprentice_env_'))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for path in _files(folder):
        place = copy / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    found = folder_hash(copy)
    if trusted.strip().lower() != found:
        told = f'--env.trust_hash={trusted}' if trusted else 'no --env.trust_hash'
        raise TrainingError(
            f'{folder}: found {told}, expected the hash of this folder: its {ENTRY} is a program '
            'that would run with your rights. Read it; if you trust all of it, give '
            f'--env.trust_hash={found}')
    sys.path.insert(0, str(copy))
    spec = spec_from_file_location(f'apprentice_envhub_{found[:16]}', copy / ENTRY)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _files(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.rglob('*')):
        if any(part in _PASSED_OVER for part in path.relative_to(folder).parts):
            continue
        if path.is_symlink():
            raise TrainingError(f'{path}: found a link, expected files: what it leads to could '
                                'change after it was trusted')
        if path.is_file():
            found.append(path)
    return found


def _flat(made: Any, count: int) -> Iterator[tuple[str, VectorEnv]]:
    import gymnasium
    from gymnasium.vector import SyncVectorEnv
    from gymnasium.vector import VectorEnv
    if isinstance(made, VectorEnv):
        yield 'env', made
    elif isinstance(made, gymnasium.Env):
        if count != 1:
            raise TrainingError('make_env: found one environment, expected a vector of '
                                f'{count}; try --eval.batch_size=1')
        yield 'env', SyncVectorEnv([lambda: made])
    elif isinstance(made, Mapping):
        for name, part in made.items():
            for below, vector in _flat(part, count):
                yield f'{name}/{below}' if below != 'env' else str(name), vector
    else:
        raise TrainingError(f'make_env: found {type(made).__name__}, expected an environment, a '
                            'vector of them, or dictionaries of these')
