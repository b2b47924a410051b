# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""How policies are tried: trials, their independence, counting, videos."""

from __future__ import annotations

from dataclasses import dataclass
import json
from math import sin
from pathlib import Path

import pytest

pytest.importorskip('torch')
gymnasium = pytest.importorskip('gymnasium')

from apprentice_policies.config import PolicyConfig  # noqa: E402, I100
from apprentice_policies.errors import PolicyError  # noqa: E402
from apprentice_policies.features import FeatureType  # noqa: E402
from apprentice_policies.features import PolicyFeature  # noqa: E402
from apprentice_policies.inference import LoadedPolicy  # noqa: E402
from apprentice_policies.policy import Policy  # noqa: E402
from apprentice_training.environments.config import EnvConfig  # noqa: E402
from apprentice_training.errors import TrainingError  # noqa: E402
from apprentice_training.evaluation.config import EvalOptions  # noqa: E402
from apprentice_training.evaluation.results import Evaluation  # noqa: E402
from apprentice_training.evaluation.results import Trial  # noqa: E402
from apprentice_training.evaluation.results import wilson  # noqa: E402
from apprentice_training.evaluation.trials import evaluate  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

SIZE = 32


class Drift(gymnasium.Env):
    """A value that remembers every action; trials end at different times."""

    metadata = {'render_modes': ['rgb_array'], 'render_fps': 10}
    observation_space = gymnasium.spaces.Dict(
        {'agent_pos': gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)})
    action_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)
    render_mode = 'rgb_array'

    def __init__(self, tells: bool = True) -> None:
        self._tells = tells

    def reset(self, *, seed: int | None = None, options: object = None) -> tuple[dict, dict]:
        super().reset(seed=seed)
        self._value = float(self.np_random.uniform(-1, 1))
        self._steps, self._length = 0, int(self.np_random.integers(5, 15))
        return self._observe(), {}

    def step(self, action: np.ndarray) -> tuple[dict, float, bool, bool, dict]:
        self._steps += 1
        self._value = sin(3 * self._value + float(action[0]))
        over = self._steps >= self._length
        info = {'is_success': over and self._value > 0} if self._tells else {}
        return self._observe(), self._value, over, False, info

    def render(self) -> np.ndarray:
        return np.full((SIZE, SIZE, 3), 10 * self._steps, np.uint8)

    def _observe(self) -> dict:
        return {'agent_pos': np.array([self._value, self._steps], np.float32)}


@EnvConfig.register_subclass('drift')
@dataclass
class DriftConfig(EnvConfig):
    """For these tests."""

    task: str | None = 'one, two'
    fps: int = 10
    tells: bool = True

    def make(self, task: str, render: bool) -> gymnasium.Env:
        """Return one."""
        return Drift(self.tells)


@PolicyConfig.register_subclass('noisy_test_policy')
@dataclass
class NoisyConfig(PolicyConfig):
    """History of 3, chunks of 2, noise."""

    n_obs_steps: int = 3
    n_action_steps: int = 2

    @property
    def observation_delta_indices(self) -> list[int]:
        """Return that there is a history."""
        return [-2, -1, 0]


class NoisyPolicy(Policy):
    """An action that depends on weights, the whole history and fresh noise."""

    def __init__(self, config: NoisyConfig) -> None:
        super().__init__(config)
        torch.manual_seed(0)
        self.net = torch.nn.Linear(2 * 3, 2)

    def predict_chunk(
        self, observation: dict, generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return (B, 2, 1)."""
        chunk = self.net(observation['observation.state'].flatten(1))
        noise = torch.randn(chunk.shape, generator=generator)
        return (chunk + noise)[..., None]


def noisy(actions: int = 1, state: str = 'observation.state') -> LoadedPolicy:
    """Return the policy without processors."""
    config = NoisyConfig(
        input_features={state: PolicyFeature(FeatureType.STATE, (2,))},
        output_features={'action': PolicyFeature(FeatureType.ACTION, (1,))})
    return LoadedPolicy(
        NoisyPolicy(config).eval(), lambda batch: batch,
        lambda action: action.expand(-1, actions))


def tried(seed: int = 3, loaded: LoadedPolicy | None = None, **options: object) -> Evaluation:
    """Evaluate without videos."""
    options = {'n_episodes': 11, **options}
    return evaluate(loaded or noisy(), DriftConfig(), EvalOptions(**options), seed)


def test_a_batch_of_trials_equals_the_trials_one_by_one() -> None:
    """History, queue and noise of a trial are its own, to the last bit."""
    alone = tried(batch_size=1).trials
    assert len(alone) == 22 and len({trial.steps for trial in alone}) > 3
    assert 0 < sum(trial.success for trial in alone) < 22
    for size in (4, 11, 50):
        assert tried(batch_size=size).trials == alone


def test_processes_give_the_same() -> None:
    """The asynchronous vector changes the time it takes, nothing else."""
    here, there = (
        evaluate(noisy(), DriftConfig(task='one'), EvalOptions(3, 2, asynchronous), 3)
        for asynchronous in (False, True))
    assert there.trials == here.trials


def test_seeds_fix_the_result() -> None:
    """The same seed repeats every number; trial i of seed s is trial 0 of seed s + i."""
    assert tried().trials == tried().trials
    assert tried(3).trials[5:11] == tried(8).trials[:6]
    assert tried(3).trials != tried(4).trials


def test_the_policy_may_be_asked_once_a_batch() -> None:
    """The worlds stay the same, and so do actions where no noise is drawn."""
    loaded = noisy()
    loaded.policy.predict_chunk = lambda observation, generator=None: \
        loaded.policy.net(observation['observation.state'].flatten(1))[..., None]
    one = tried(loaded=loaded, batch_size=1).trials
    together = tried(loaded=loaded, batch_size=4, batch_policy=True).trials
    assert [trial.steps for trial in together] == [trial.steps for trial in one]
    assert [trial.sum_reward for trial in together] == pytest.approx(
        [trial.sum_reward for trial in one], abs=1e-4)


def test_videos_have_a_frame_a_step(tmp_path: Path) -> None:
    """Only as many trials as asked for are filmed, from the first observation on."""
    av = pytest.importorskip('av')
    options = EvalOptions(n_episodes=5, batch_size=3, max_videos=2)
    found = evaluate(noisy(), DriftConfig(task='one'), options, 0, tmp_path)
    assert [trial.video is not None for trial in found.trials] == [True, True, False, False, False]
    trial = found.trials[1]
    with av.open(str(tmp_path / trial.video)) as container:
        frames = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    assert len(frames) == trial.steps and frames[0].shape == (SIZE, SIZE, 3)
    assert abs(float(frames[-1].mean()) - 10 * (trial.steps - 1)) < 4


def test_the_results_page_counts_by_task(tmp_path: Path) -> None:
    """The table and `eval_info.json` agree with the trials."""
    found = tried()
    info = json.loads(found.write(tmp_path).read_text())
    assert [part['task'] for part in info['per_task']] == ['one', 'two']
    successes = sum(trial.success for trial in found.trials)
    assert info['overall']['pc_success'] == pytest.approx(100 * successes / 22)
    assert info['overall']['n_episodes'] == len(info['per_episode']) == 22
    lines = found.table().splitlines()
    assert len(lines) == 4 and lines[-1].startswith('all') and f'{successes} (' in lines[-1]
    assert not list(tmp_path.glob('.*'))


@pytest.mark.parametrize(('successes', 'trials', 'low', 'high'), [
    (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (48, 50, 0.8654, 0.9890),
])
def test_wilsons_interval(successes: int, trials: int, low: float, high: float) -> None:
    """Known values of the interval."""
    assert wilson(successes, trials) == pytest.approx((low, high), abs=1e-4)


def test_an_environment_without_success_is_refused() -> None:
    """Nothing is counted as failure that only was not told."""
    with pytest.raises(TrainingError, match='found no is_success'):
        evaluate(noisy(), DriftConfig(tells=False), EvalOptions(2), 0)


def test_a_policy_of_another_robot_is_refused() -> None:
    """Numbers of actions and names of observations are compared."""
    with pytest.raises(TrainingError, match=r'found actions \[2\] of the policy, expected \[1\]'):
        evaluate(noisy(actions=2), DriftConfig(), EvalOptions(2), 0)
    with pytest.raises(PolicyError, match='lacks observation.joints'):
        evaluate(noisy(state='observation.joints'), DriftConfig(), EvalOptions(2), 0)


def test_numbers_that_cannot_be_are_refused() -> None:
    """The field is named."""
    with pytest.raises(TrainingError, match='eval.batch_size: found 0'):
        tried(batch_size=0)


def test_no_trials_have_no_certainty() -> None:
    """The rate of nothing is anything."""
    assert wilson(0, 0) == (0.0, 1.0)
    assert Evaluation([Trial('a', 0, True, 1.0, 1.0, 5)], 1.0).success_rate == 1.0
