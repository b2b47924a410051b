# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What was lived through comes back as trajectories of one episode, padded where it ends."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from apprentice_training.errors import TrainingError  # noqa: E402, I100
from apprentice_training.replay import Episode  # noqa: E402
from apprentice_training.replay import Replay  # noqa: E402

STATE = 'observation.state'


def episode(number: int, steps: int, terminated: bool = False) -> Episode:
    """Observe 100 times the episode plus the step; the action and the reward are the same."""
    rows = 100.0 * number + np.arange(steps + 1)
    return Episode({STATE: rows[:, None]}, rows[:-1, None], rows[:-1], terminated)


def replay(capacity: int, *episodes: Episode) -> Replay:
    found = Replay(capacity, {STATE: (1,)}, (1,))
    for one in episodes:
        found.add(one)
    return found


def test_trajectories_stay_within_an_episode() -> None:
    """Steps behind the end repeat the last one and are marked as padding."""
    found = replay(50, episode(0, 4), episode(1, 6)).sample(500, 3, np.random.default_rng(0))
    state, action = found[STATE][..., 0], found['action'][..., 0]
    assert state.shape == (500, 4) and action.shape == (500, 3)
    assert set(state[:, 0].tolist()) == {*range(4), *range(100, 106)}
    for number, steps in ((0, 4), (1, 6)):
        mine = state[:, 0] // 100 == number
        first = state[mine, :1] - 100 * number
        past = first + torch.arange(4) > steps
        assert found[f'{STATE}_is_pad'][mine].equal(past)
        assert found['action_is_pad'][mine].equal(first + torch.arange(3) >= steps)
        assert (state[mine] - 100 * number).equal((first + torch.arange(4)).clamp(max=steps))
        assert action[mine].equal(found['next.reward'][mine])
        assert action[mine].equal(
            100 * number + (first + torch.arange(3)).clamp(max=steps - 1))


def test_only_the_last_step_is_terminal() -> None:
    """It is, in an episode that was terminated, and none in one that was not."""
    found = replay(50, episode(0, 3, terminated=True), episode(1, 3))
    batch = found.sample(300, 1, np.random.default_rng(0))
    assert set(batch['action'][..., 0][batch['next.terminated']].tolist()) == {2.0}


def test_old_episodes_make_room() -> None:
    """The oldest rows go first, and what is left is still sampled rightly."""
    found = replay(10, *(episode(number, 3) for number in range(9)))
    # Rows 26 to 35 are left: the last two of episode 6, of which one has an action.
    assert len(found) == 7
    begins = found.sample(300, 2, np.random.default_rng(0))[STATE][:, 0, 0]
    assert set(begins.tolist()) == {602, 700, 701, 702, 800, 801, 802}


def test_same_seed_gives_the_same_batch() -> None:
    """Sampling draws from the given generator alone."""
    found = replay(50, episode(0, 9))
    one, two = (found.sample(8, 2, np.random.default_rng(4)) for _ in range(2))
    assert all(one[key].equal(two[key]) for key in one)


def test_episode_without_room_is_refused() -> None:
    """The error says how many steps there is room for."""
    with pytest.raises(TrainingError, match='at most 4'):
        replay(5, episode(0, 5))


def test_statistics_are_of_what_was_observed() -> None:
    """A value that never changes has a standard deviation of one."""
    found = Replay(50, {STATE: (2,)}, (1,))
    seen = np.array([[0.0, 5], [2, 5], [4, 5]])
    found.add(Episode({STATE: seen}, np.zeros((2, 1)), np.zeros(2), False))
    found = found.statistics()[STATE]
    assert found['min'].tolist() == [0, 5] and found['max'].tolist() == [4, 5]
    assert found['mean'].tolist() == [2, 5]
    assert found['std'].tolist() == pytest.approx([np.std([0, 2, 4]), 1])
