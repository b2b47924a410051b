# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What TD-MPC learns from a batch of trajectories, and the actions that it plans."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
from apprentice_policies.tdmpc.config import TDMPCConfig
from apprentice_policies.tdmpc.loss import Trajectories
from apprentice_policies.tdmpc.loss import trajectory_loss
from apprentice_policies.tdmpc.model import WorldModel
from apprentice_policies.tdmpc.planner import plan
import torch
from torch import nn
from torch import Tensor


class TDMPCPolicy(Policy):
    """A model of the task, a slow copy of it, and plans made in it."""

    config: TDMPCConfig

    def __init__(self, config: TDMPCConfig) -> None:
        """Build the model and its copy."""
        super().__init__(config)
        self.model = WorldModel(config)
        self.model_target = deepcopy(self.model).requires_grad_(False)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """
        Return the loss of trajectories: H steps, H + 1 observations, on axis 1.

        The batch holds `next.reward` (B, H) and may hold `next.terminated` (B, H), after which
        nothing is earned, and `<key>_is_pad` for what lies outside an episode.
        """
        return trajectory_loss(self.config, self.model, self.model_target,
                               Trajectories.of(self.config, batch))

    @torch.no_grad()
    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the plan (B, horizon, A), or one action (B, 1, A) where it does not plan."""
        latent = self.model.encode(observation)
        if self.config.use_mpc:
            actions, self._plan = plan(self.config, self.model, latent, self._plan, generator)
        else:
            actions = self.model.act(latent)[None]
        return actions.clamp(-1, 1).transpose(0, 1)

    @torch.no_grad()
    def select_action(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the next action, (B, A); the first of a plan is repeated where so configured."""
        if self._actions or self.config.n_action_repeats == 1:
            return super().select_action(observation, generator)
        self.eval()
        first = self.predict_chunk(observation, generator)[:, 0]
        self._actions.extend([first] * self.config.n_action_repeats)
        return self._actions.popleft()

    def explore(self, observation: Batch, std: float,
                generator: torch.Generator | None = None) -> Tensor:
        """Return the next action, (B, A), with Gaussian noise, within -1 and 1."""
        action = self.select_action(observation, generator)
        noise = torch.randn(action.shape, generator=generator, device=action.device)
        return (action + std * noise).clamp(-1, 1)

    def reset(self) -> None:
        """Forget the plan, from which the next one of an episode begins."""
        super().reset()
        self._plan: Tensor | None = None

    @torch.no_grad()
    def after_step(self) -> None:
        """Let the copy follow the model."""
        for slow, fast in zip(self.model_target.parameters(), self.model.parameters()):
            slow.lerp_(fast, 1 - self.config.target_model_momentum)

    def optimizer_parameters(self) -> Iterable[nn.Parameter]:
        """Return all parameters: LeRobot's optimiser state counts the copy's, which never move."""
        return list(self.parameters())


POLICY = TDMPCPolicy
