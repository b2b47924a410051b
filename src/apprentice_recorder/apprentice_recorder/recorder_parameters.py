# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the recorder."""
from __future__ import annotations

from apprentice_node.parameters import ParameterSpec

SPECS = (
    ParameterSpec('contract', '', 'Contract file of the robot, see docs/contract.md.'),
    ParameterSpec('dataset', '', 'Folder of the dataset; made if it is not there, else resumed.'),
    ParameterSpec('task', '', 'What the robot is about to do, until another task is given.'),
    ParameterSpec(
        'preflight', True, 'Refuse to start while a stream, a clock, the disk or a diagnostic '
        'that the contract lists is not as it must be.', dynamic=True),
    ParameterSpec(
        'patience_s', 5.0, 'How long a start waits for the checks to pass before it is refused.',
        minimum=0.0, maximum=600.0, dynamic=True),
    ParameterSpec(
        'ranges_timeout_s', 10.0, 'How long to wait for the joint ranges that the contract needs.',
        minimum=0.0, maximum=600.0),
)
