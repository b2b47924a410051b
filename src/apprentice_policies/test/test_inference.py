# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Act on raw observations, whatever form they come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any
import warnings

import apprentice_policies
from apprentice_policies.checkpoint import save_pretrained
from apprentice_policies.errors import PolicyError
from apprentice_policies.inference import LoadedPolicy
from apprentice_policies.processors import make_processors
from apprentice_policies.processors.steps import Rename
import numpy as np
import pytest
from tiny import FRONT
from tiny import policy
from tiny import STATS
import torch

pytest_plugins = ['tiny_fixtures']


@pytest.fixture
def loaded(checkpoint: Path) -> LoadedPolicy:
    """Load the tiny policy."""
    return apprentice_policies.load(checkpoint)


def observation(rng: np.random.Generator) -> dict[str, Any]:
    """Return one as a camera and an arm give it."""
    return {FRONT: rng.integers(0, 256, (4, 6, 3), dtype=np.uint8),
            'observation.state': rng.normal(size=3), 'note': object()}


def expected(values: dict[str, Any]) -> np.ndarray:
    """Work out the chunk by hand, (4, 2)."""
    made = policy()
    state = (values['observation.state'] - [1, 2, 3]) / (np.array([2, 4, 0]) + 1e-8)
    colours = (values[FRONT].mean((0, 1)) / 255 - 0.5) / 0.25
    seen = torch.tensor(np.concatenate([state, colours]), dtype=torch.float32)
    chunk = made.net(seen).detach().numpy().reshape(4, 2)
    return (chunk + 1) / 2 * [20, 1e-8] + [-10, 5]


def test_actions_are_in_raw_units(loaded: LoadedPolicy) -> None:
    """Two actions of a chunk are used, then another is predicted; a reset begins anew."""
    rng = np.random.default_rng(0)
    seen = [observation(rng) for _ in range(4)]
    found = [loaded.act(one) for one in seen]
    assert all(action.shape == (2,) and action.dtype == np.float32 for action in found)
    chunks = [expected(seen[0]), expected(seen[2])]
    np.testing.assert_allclose(found, [chunks[0][0], chunks[0][1], chunks[1][0], chunks[1][1]],
                               rtol=1e-4)
    loaded.act(seen[0])
    loaded.reset()
    np.testing.assert_allclose(loaded.act(seen[2]), chunks[1][0], rtol=1e-4)


def test_every_form_gives_the_same(loaded: LoadedPolicy) -> None:
    """Numpy and torch, uint8 channel last or first, float channel first, lists."""
    one = observation(np.random.default_rng(1))
    picture = one[FRONT]
    forms: list[Any] = [
        picture, torch.tensor(picture), picture.transpose(2, 0, 1),
        picture.transpose(2, 0, 1).astype(np.float32) / 255, picture[:, ::-1][:, ::-1],
        torch.tensor(picture).movedim(-1, 0).double() / 255]
    states: list[Any] = [one['observation.state'], torch.from_numpy(one['observation.state']),
                         one['observation.state'].tolist()]
    picture.setflags(write=False)
    found = []
    for form in forms:
        for state in states:
            loaded.reset()
            with warnings.catch_warnings():
                warnings.simplefilter('error')
                found.append(loaded.act({FRONT: form, 'observation.state': state}))
    np.testing.assert_allclose(found, [found[0]] * len(found), rtol=1e-5)


def test_a_batch(loaded: LoadedPolicy) -> None:
    """Several observations at once give as many actions, each its own."""
    rng = np.random.default_rng(2)
    each = [observation(rng) for _ in range(3)]
    batch = {key: np.stack([one[key] for one in each]) for key in (FRONT, 'observation.state')}
    found = loaded.act(batch)
    assert found.shape == (3, 2)
    for one, action in zip(each, found):
        loaded.reset()
        np.testing.assert_allclose(loaded.act(one), action, rtol=1e-5)


@pytest.mark.parametrize('change, said', [
    ({FRONT: None}, 'found observation.state, which lacks observation.images.front'),
    ({FRONT: np.zeros((6, 4, 3), np.uint8)}, r'found shape \[6, 4, 3\], expected \[3, 4, 6\]'),
    ({FRONT: np.zeros((4, 6, 3), np.float32)}, r'found shape \[4, 6, 3\]'),
    ({FRONT: np.full((3, 4, 6), 200.0)}, 'found floats from 200 to 200, expected 0 to 1'),
    ({FRONT: np.zeros((3, 4, 6), np.int64)}, 'found int64, expected uint8'),
    ({FRONT: 'picture.png'}, 'found str, expected an array'),
    ({'observation.state': np.zeros(4)}, r'found shape \[4\], expected \[3\]'),
    ({'observation.state': np.float32(1)}, r'found shape \[\], expected \[3\]'),
    ({'observation.state': np.zeros((2, 3))}, 'expected all features of one size'),
    ({'observation.state': np.zeros((2, 2, 3))}, 'or several of them'),
    ({'observation.state': np.array([0, np.nan, 0])}, 'found values that are no numbers')])
def test_bad_observations(change: dict[str, Any], said: str, loaded: LoadedPolicy) -> None:
    """Each is refused before the network sees it, with the feature named."""
    values = {**observation(np.random.default_rng(0)), **change}
    values = {key: value for key, value in values.items() if value is not None and key != 'note'}
    with pytest.raises(PolicyError, match=said) as caught:
        loaded.act(values)
    assert next(iter(change)) in str(caught.value) or 'one size' in said


def test_bad_weights_do_not_reach_the_robot(loaded: LoadedPolicy) -> None:
    """An action that is no number is an error."""
    with torch.no_grad():
        loaded.policy.net.bias[0] = torch.nan
    with pytest.raises(PolicyError, match='action: found .*nan.*expected numbers'):
        loaded.act(observation(np.random.default_rng(0)))


def test_another_name_for_a_camera(checkpoint: Path) -> None:
    """What the first step renames is asked for under the name that it has outside."""
    made = policy()
    pre, post = make_processors(made.config, STATS)
    pre.steps[0] = Rename({'observation.images.top': FRONT})
    save_pretrained(checkpoint, made, pre, post)
    one = observation(np.random.default_rng(3))
    wanted = expected(one)[0]
    one['observation.images.top'] = one.pop(FRONT)
    np.testing.assert_allclose(apprentice_policies.load(checkpoint).act(one), wanted, rtol=1e-4)


@pytest.mark.parametrize('device', ['cuda:7', 'toaster', 'meta'])
def test_a_device_that_is_not_there(device: str, checkpoint: Path) -> None:
    """One warning, and the CPU."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        loaded = apprentice_policies.load(checkpoint, device)
    assert [device in str(one.message) for one in caught] == [True]
    assert loaded.policy.config.device == 'cpu'
    loaded.act(observation(np.random.default_rng(0)))


def test_the_cpu_needs_no_warning(checkpoint: Path) -> None:
    """The usual case is quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        apprentice_policies.load(checkpoint)
        apprentice_policies.load(checkpoint, 'cpu')
