# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Command line: try a policy in environments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
import sys
from typing import Any
from typing import TYPE_CHECKING

from apprentice_policies.errors import PolicyError
from apprentice_training.errors import TrainingError
from apprentice_training.evaluation.config import EvaluateConfig
import draccus

if TYPE_CHECKING:
    from apprentice_policies.inference import LoadedPolicy

_POLICY = '--policy.'
_OWN = ('path', 'device')
_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate and return the exit code."""
    own, changes = _split(sys.argv[1:] if arguments is None else arguments)
    try:
        config = draccus.parse(EvaluateConfig, args=own, prog='evaluate')
        return _evaluate(config, changes)
    except (TrainingError, PolicyError) as error:
        sys.stderr.write(f'evaluate: {error}\n')
        return _FAILED
    except KeyboardInterrupt:
        sys.stderr.write('evaluate: interrupted; nothing is written\n')
        return 130


def _evaluate(config: EvaluateConfig, changes: dict[str, str]) -> int:
    config.eval.check()
    # First of all: MuJoCo reads the choice of OpenGL when it is imported.
    config.env.prepare(config.eval.max_videos > 0)
    from apprentice_training.evaluation.trials import evaluate
    folder = Path(config.output_dir or _folder(config)).expanduser()
    found = evaluate(load_policy(config.policy.path, config.policy.device, changes), config.env,
                     config.eval, config.seed, folder, _say)
    _say(found.table())
    _say(f'{found.write(folder)}: written, {found.seconds:.0f} s')
    return 0


def load_policy(path: str, device: str | None, changes: dict[str, Any]) -> LoadedPolicy:
    """
    Return the policy of a checkpoint with some fields of its configuration changed.

    :raises PolicyError: a field that it does not have or that its weights do not allow.
    """
    from apprentice_policies import checkpoint
    from apprentice_policies.config import PolicyConfig
    from apprentice_policies.inference import load
    loaded = load(path, device)
    if not changes:
        return loaded
    values = {**loaded.policy.config.to_dict(), **changes}
    changed = PolicyConfig.from_dict(values, 'command line')
    policy = checkpoint.build(changed)
    checkpoint.fill(policy, checkpoint.weights(loaded.policy), path)
    loaded.policy = policy.to(changed.device).eval()
    return loaded


def _split(arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Take out the flags that change fields of the policy, whose type only its file tells."""
    from yaml import safe_load
    own, changes = [], {}
    for argument in arguments:
        name, equals, value = argument.partition('=')
        if name.startswith(_POLICY) and equals and name.removeprefix(_POLICY) not in _OWN:
            changes[name.removeprefix(_POLICY)] = safe_load(value)
        else:
            own.append(argument)
    return own, changes


def _folder(config: EvaluateConfig) -> str:
    return f'outputs/eval/{datetime.now():%Y-%m-%d/%H-%M-%S}_{config.env.type}'


def _say(line: str) -> None:
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


if __name__ == '__main__':
    sys.exit(main())
