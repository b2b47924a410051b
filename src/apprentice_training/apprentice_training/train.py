# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Train a policy on a dataset, from the command line."""

from __future__ import annotations

from collections.abc import Sequence
import sys

from apprentice_dataset.errors import DatasetError
from apprentice_policies.errors import PolicyError
from apprentice_training.errors import TrainingError
from apprentice_training.flags import parse

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Train; return 0 when all steps are done.

    What a user can mend is told in one message and gives 1, Ctrl-C 130, wrong usage exits with 2.
    """
    try:
        start = parse(sys.argv[1:] if arguments is None else arguments)
        # Only now is torch imported, so that help is there at once.
        from apprentice_training.loop import run
        run(start)
    except (TrainingError, PolicyError, DatasetError) as error:
        print(f'train: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print(f'train: interrupted; {error}', file=sys.stderr)
        return _INTERRUPTED
    return 0


if __name__ == '__main__':
    sys.exit(main())
