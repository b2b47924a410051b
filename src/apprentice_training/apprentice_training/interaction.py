# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Learn by trying: act, remember, learn from what is remembered, and act better.

After Hansen et al. 2022: a few random episodes, then the policy acts with noise that falls, and
after every episode the weights are updated as often as steps were taken.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
import time
from typing import Any

from apprentice_policies.config import PolicyConfig
from apprentice_policies.features import ACTION
from apprentice_policies.features import ENVIRONMENT
from apprentice_policies.features import FeatureType
from apprentice_policies.features import PolicyFeature
from apprentice_policies.inference import LoadedPolicy
from apprentice_policies.policy import Policy
from apprentice_policies.processors import make_processors
from apprentice_policies.processors import Pipeline
from apprentice_policies.registry import policy_class
from apprentice_training.errors import TrainingError
from apprentice_training.online import OnlineOptions
from apprentice_training.replay import Episode
from apprentice_training.replay import Replay
import gymnasium
import numpy as np
import torch
from torch import nn

Observe = Callable[[Any], dict[str, Any]]
"""Turns what an environment shows into features by the policies' names."""
Act = Callable[[Mapping[str, Any]], np.ndarray]
TRIALS = 1_000_000
"""The seed of the first trial of an evaluation, far from those of the episodes learned from."""


@dataclass(frozen=True)
class Point:
    """How the policy did in trials without noise, after so many steps in the environment."""

    step: int
    mean_return: float
    success_rate: float
    seconds: float
    """Time since the start, trials not counted."""


class Interaction:
    """A policy, its environment, and what it has lived through; `run` does it all."""

    def __init__(self, config: PolicyConfig, make: Callable[[], gymnasium.Env], observe: Observe,
                 options: OnlineOptions, say: Callable[[str], None] = print) -> None:
        """
        Let a policy live in an environment through random episodes.

        :param config: which inputs and outputs it has is taken from the environment.
        :param make: returns an environment with an end; called twice, for learning and trials.
        :raises TrainingError: the environment or the policy does not suit.
        """
        options.check()
        self.options, self._observe, self._say = options, observe, say
        self._env, self._trials = make(), make()
        self.config = _with_features(config, self._env, observe)
        torch.manual_seed(options.seed)
        # The policy's loss draws from numpy's own numbers.
        np.random.seed(options.seed)
        self._rng = np.random.default_rng(options.seed)
        self._generator = torch.Generator(self.config.device or 'cpu').manual_seed(options.seed)
        self.policy = _learner(self.config)
        assert self.config.input_features is not None and self.config.action is not None
        self.replay = Replay(options.capacity, {
            key: feature.shape for key, feature in self.config.input_features.items()},
            self.config.action.shape)
        preset = self.config.preset().optimizer
        self._clip = preset.grad_clip_norm
        self._optimizer = preset.build(self.policy.optimizer_parameters())
        self._step = self._episodes = 0
        self._begin, self._tried = time.monotonic(), 0.0
        self.points: list[Point] = []
        for _ in range(options.random_episodes):
            self._live(self._random())
        self.pre, self.post = self._processors()
        self._loaded = LoadedPolicy(self.policy, self.pre, self.post.action)

    def run(self) -> list[Point]:
        """Live and learn until the steps are used up; return the curve, which begins at random."""
        self._learn(self._step)
        self._try()
        while self._step < self.options.steps:
            before = self._step
            self.policy.reset()
            self._live(self._explore)
            self._learn(self._step - before)
            if self._step // self.options.eval_freq > before // self.options.eval_freq \
                    or self._step >= self.options.steps:
                self._try()
        return self.points

    def close(self) -> None:
        """Close the environments."""
        self._env.close()
        self._trials.close()

    def _live(self, act: Act) -> None:
        """Go through one episode and remember it."""
        seed = self.options.seed + self._episodes
        episode, _ = play(self._env, self._observe, act, seed)
        self.replay.add(episode)
        self._episodes += 1
        self._step += len(episode.action)

    def _random(self) -> Act:
        """Return what takes random actions and keeps each for a while, so that it gets far."""
        space, kept = self._env.action_space, [None, 0]

        def act(_: Mapping[str, Any]) -> np.ndarray:
            if kept[1] == 0:
                kept[:] = [self._rng.uniform(space.low, space.high).astype(np.float32),
                           self.options.random_hold]
            kept[1] -= 1
            return kept[0]
        return act

    def _explore(self, observation: Mapping[str, Any]) -> np.ndarray:
        batch, _ = self._loaded.batch(observation)
        action = self.policy.explore(self.pre(batch), self._noise(), self._generator)
        return self.post.action(action)[0].cpu().numpy()

    def _noise(self) -> float:
        """Return the standard deviation, which falls along a line and then stays."""
        options = self.options
        done = min(1.0, self._step / max(1, options.noise_steps))
        return options.noise_begin + done * (options.noise_end - options.noise_begin)

    def _learn(self, steps: int) -> None:
        """Update the weights as often as the ratio asks for so many steps."""
        options, horizon = self.options, len(self.config.action_delta_indices)
        self.policy.train()
        for _ in range(round(steps * options.updates_per_step)):
            batch = self.pre(self.replay.sample(options.batch_size, horizon, self._rng))
            loss, _ = self.policy(batch)
            if not torch.isfinite(loss):
                raise TrainingError(f'step {self._step}: the loss is {loss.item():g}; lower '
                                    '--policy.optimizer_lr')
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.policy.parameters(), self._clip)
            self._optimizer.step()
            self.policy.after_step()

    def _try(self) -> None:
        """Note how the policy does without noise, each time in the same trials."""
        begin = time.monotonic()
        returns, successes = trials(self._loaded, self._trials, self._observe,
                                    self.options.eval_episodes)
        self._tried += time.monotonic() - begin
        point = Point(self._step, float(np.mean(returns)), float(np.mean(successes)),
                      time.monotonic() - self._begin - self._tried)
        self.points.append(point)
        self._say(f'step {point.step}/{self.options.steps}  return {point.mean_return:.2f}  '
                  f'success {point.success_rate:.0%}  {point.seconds:.0f} s')

    def _processors(self) -> tuple[Pipeline, Pipeline]:
        """Return pipelines with statistics of the random episodes, and the actions' bounds."""
        space = self._env.action_space
        return make_processors(self.config, {
            **self.replay.statistics(), ACTION: {'min': space.low, 'max': space.high}})


def play(env: gymnasium.Env, observe: Observe, act: Act, seed: int) -> tuple[Episode, bool]:
    """Go through one episode; return it and whether it ended in success."""
    raw, info = env.reset(seed=seed)
    seen, actions, rewards = [observe(raw)], [], []
    terminated = truncated = False
    while not (terminated or truncated):
        action = act(seen[-1])
        raw, reward, terminated, truncated, info = env.step(action)
        seen.append(observe(raw))
        actions.append(action)
        rewards.append(reward)
    observation = {key: np.stack([one[key] for one in seen]) for key in seen[0]}
    return (Episode(observation, np.stack(actions), np.array(rewards, np.float32), terminated),
            bool(info.get('is_success', False)))


def trials(loaded: LoadedPolicy, env: gymnasium.Env, observe: Observe, count: int
           ) -> tuple[list[float], list[bool]]:
    """Return what trials earn and whether they succeed; fixed seeds give worlds and noise."""
    device = next(loaded.policy.parameters()).device
    returns, successes = [], []
    for seed in range(TRIALS, TRIALS + count):
        loaded.reset()
        generator = torch.Generator(device).manual_seed(seed)
        episode, success = play(env, observe, lambda seen: loaded.act(seen, generator), seed)
        returns.append(float(episode.reward.sum()))
        successes.append(success)
    return returns, successes


def _with_features(config: PolicyConfig, env: gymnasium.Env, observe: Observe) -> PolicyConfig:
    """Return the configuration with the environment's inputs and outputs."""
    space = env.action_space
    if not isinstance(space, gymnasium.spaces.Box) or space.shape is None \
            or not np.isfinite([space.low, space.high]).all():
        raise TrainingError(f'environment: found the actions {space}, expected a Box with bounds')
    inputs = {}
    for key, value in observe(env.reset(seed=0)[0]).items():
        if np.ndim(value) != 1:
            raise TrainingError(f'environment: {key}: found the shape {np.shape(value)}, expected '
                                'a vector; leave out pictures')
        kind = FeatureType.ENV if key == ENVIRONMENT else FeatureType.STATE
        inputs[key] = PolicyFeature(kind, np.shape(value))
    return replace(config, input_features=inputs, output_features={
        ACTION: PolicyFeature(FeatureType.ACTION, space.shape)})


def _learner(config: PolicyConfig) -> Policy:
    kind = policy_class(config.type)
    if not hasattr(kind, 'explore'):
        raise TrainingError(f'--policy.type: found {config.type}, expected a policy that learns '
                            'from rewards: tdmpc')
    return kind(config).to(config.device or 'cpu')
