# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Say what the tiny policy of the tests takes, and make one."""

from __future__ import annotations

from typing import Any

from apprentice_policies.checkpoint import build
from apprentice_policies.config import PolicyConfig
from apprentice_policies.policy import Policy
import numpy as np
import torch

FRONT = 'observation.images.front'
STATE = {'type': 'STATE', 'shape': [3]}
PICTURE = {'type': 'VISUAL', 'shape': [3, 4, 6]}
VALUES = {'type': 'tiny', 'input_features': {FRONT: PICTURE, 'observation.state': STATE},
          'output_features': {'action': {'type': 'ACTION', 'shape': [2]}}}
STATS = {
    'observation.state': {'mean': [1.0, 2.0, 3.0], 'std': [2.0, 4.0, 0.0], 'count': [9]},
    'action': {'min': [-10.0, 5.0], 'max': [10.0, 5.0], 'mean': [0.0, 5.0], 'std': [1.0, 0.0]},
    FRONT: {'mean': np.full((3, 1, 1), 0.5), 'std': np.full((3, 1, 1), 0.25)},
    'timestamp': {'mean': [0.1], 'std': [0.1]}}


def config(**values: Any) -> Any:
    """Return a configuration of the tiny policy."""
    return PolicyConfig.from_dict({**VALUES, **values})


def policy(**values: Any) -> Policy:
    """Return the tiny policy with weights that follow from a seed."""
    torch.manual_seed(0)
    return build(config(**values)).eval()
