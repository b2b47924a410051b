# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Do what LeRobot 0.6.1 did with the same weights, for an altered configuration of each policy.

`tests/reference/make_policies.py golden` remakes the expected outputs; weights are never stored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apprentice_policies.config import PolicyConfig
from apprentice_policies.processors import make_processors
from apprentice_policies.registry import policy_class
import numpy as np
from policy_cases import CASES
from policy_cases import statistics
from policy_parity import as_tensors
from policy_parity import differences
from policy_parity import record
from policy_parity import rule_weights
from policy_parity import Side
import pytest
import torch

GOLDEN = Path(__file__).with_name('golden')


@pytest.mark.parametrize('policy', CASES)
def test_outputs_equal_those_of_lerobot(
    policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Outputs equal those of LeRobot's outputs."""
    torch.set_num_threads(1)
    with np.load(GOLDEN / f'{policy}.npz') as file:
        expected = dict(file)
    monkeypatch.chdir(tmp_path)
    texts = {name.removeprefix('files/'): str(expected.pop(name)) for name in list(expected)
             if name.startswith('files/')}
    for name, text in texts.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    case = CASES[policy]['altered']

    config = PolicyConfig.load('pretrained_model')
    assert config.to_dict() == json.loads(texts['pretrained_model/config.json'])
    side = _side(config, case)
    for pipeline in (side.pre, side.post.__self__):
        pipeline.save('ours')
        ours = json.loads(Path(f'ours/{pipeline.name}.json').read_text())
        assert ours == json.loads(texts[f'pretrained_model/{pipeline.name}.json'])
    found = record(side, case, 0)
    for name, value in found.items():
        if name.startswith('processed/') and value.shape[-3:-2] == (3,):
            found[name] = value[..., ::16, ::16]
    assert differences(policy, expected, found) == []


def _side(config: Any, case: Any) -> Side:
    model = policy_class(config.type)(config)
    rule_weights(model)
    pre, post = make_processors(config, {key: as_tensors(values) for key, values
                                         in statistics(case, 0).items()})
    return Side(model, pre, post.action, model.predict_chunk, model.optimizer_parameters)
