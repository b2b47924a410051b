# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put into words what is trained, and which samples a batch had."""

from __future__ import annotations

from apprentice_training.feed import Feed
from apprentice_training.session import Session
import torch
from torch import Tensor

_LISTED = 10


def describe(session: Session, per_step: int) -> str:
    """Return what is trained on what, in a few lines."""
    config = session.config
    assert config.policy is not None
    weights = sum(one.numel() for one in session.policy.parameters() if one.requires_grad)
    data = ', '.join(f'{source.repo_id} ({len(source.training)} episodes, {length} samples)'
                     for source, length in zip(session.sources, session.data.lengths))
    held = f', {len(session.held_out)} samples held out' if session.held_out else ''
    where = f'on {session.world.size} x {session.world.device}, {per_step} samples a step'
    begin = f'go on after step {session.step}' if session.step else 'begin'
    return (f'{config.policy.type}: {weights:,} weights, {where}, seed {config.seed}\n'
            f'data: {data}{held}\nrun: {session.folder.root}; {begin}, {config.steps} steps')


def name_batch(session: Session, feed: Feed, per_step: int) -> str:
    """Return episodes and frames of the step that was about to be taken, line by line."""
    by_episode: dict[tuple[str, int], list[int]] = {}
    for sample in session.order.samples(session.samples, per_step).tolist():
        name, episode, frame = session.data.where(sample)
        by_episode.setdefault((name, episode), []).append(frame)
    lines = [f'\n  {name}: episode {episode}, frame {", ".join(map(str, sorted(frames)))}'
             for (name, episode), frames in sorted(by_episode.items())]
    if len(lines) > _LISTED:
        lines[_LISTED:] = [f'\n  and {len(lines) - _LISTED} more episodes']
    wrong = [key for key, value in feed.batch.items()
             if isinstance(value, Tensor) and value.is_floating_point()
             and not bool(torch.isfinite(value).all())]
    found = f'\n  no numbers in {", ".join(wrong)} after normalisation' if wrong else ''
    return f' The batch:{"".join(lines)}{found}'
