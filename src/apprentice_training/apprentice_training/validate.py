# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The loss on episodes that are held out of training."""

from __future__ import annotations

from contextlib import nullcontext

from apprentice_training.data import loader
from apprentice_training.feed import Feed
from apprentice_training.session import seed_all
from apprentice_training.session import Session
from apprentice_training.state import rng_state
from apprentice_training.state import set_rng_state
from apprentice_training.step import autocast
import numpy as np
import torch


class Validation:
    """Held-out samples, at most `max_eval_samples`, evenly spaced, always in the same batches."""

    def __init__(self, session: Session) -> None:
        """Take a session that holds some out; workers that load them stay."""
        config = session.config
        assert session.held_out is not None
        self._session, count = session, len(session.held_out)
        chosen = min(count, config.max_eval_samples or count)
        samples = np.linspace(0, count - 1, chosen).round().astype(int).tolist()
        self._batches = [samples[begin:begin + config.batch_size]
                         for begin in range(0, chosen, config.batch_size)]
        self._loader = loader(session.held_out, self._batches, config,
                              session.world.device.type == 'cuda')

    @torch.no_grad()
    def loss(self) -> float:
        """
        Return the mean loss over the samples.

        The running mean of the weights is tried where there is one. Random numbers are the same
        each time, and training goes on as if none had been drawn.
        """
        session, config = self._session, self._session.config
        assert config.seed is not None and config.policy is not None
        before = rng_state()
        seed_all(config.seed)
        session.policy.eval()
        total = 0.0
        feed = Feed(self._loader, session.pre, session.world.device)
        with session.ema.applied() if session.ema else nullcontext():
            for ids, batch in zip(self._batches, feed):
                with autocast(session.world.device, config.policy.use_amp):
                    loss, _ = session.policy(batch)
                total += loss.item() * len(ids)
        set_rng_state(before)
        return total / sum(map(len, self._batches))
