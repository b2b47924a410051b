# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Try the policy in the environment while it is being trained."""

from __future__ import annotations

from contextlib import nullcontext

from apprentice_policies.inference import LoadedPolicy
from apprentice_training.evaluation.config import EvalOptions
from apprentice_training.session import Session
from apprentice_training.state import rng_state
from apprentice_training.state import set_rng_state


def success_rate(session: Session) -> float:
    """
    Return the share of successes, 0 to 1; results and videos go to `eval/STEP/` of the run.

    The running mean of the weights is tried where there is one. Training goes on as if no random
    number had been drawn.
    """
    from apprentice_training.evaluation.trials import evaluate
    config = session.config
    assert config.env is not None and config.seed is not None
    loaded = LoadedPolicy(session.policy, session.pre, session.post.action, config.rename_map)
    options = EvalOptions(config.eval.n_episodes, config.eval.batch_size,
                          config.eval.use_async_envs)
    folder = session.folder.root / 'eval' / session.folder.place(session.step).name
    before = rng_state()
    session.policy.eval()
    with session.ema.applied() if session.ema else nullcontext():
        found = evaluate(loaded, config.env, options, config.seed, folder)
    session.policy.reset()
    set_rng_state(before)
    found.write(folder)
    return found.success_rate
