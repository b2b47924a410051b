# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the teleoperation node."""

from __future__ import annotations

from apprentice_node.parameters import ParameterSpec

ARM_JOINTS = (
    'shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')

SPECS = (
    ParameterSpec('joints', ARM_JOINTS, 'Joints of the follower that are commanded.'),
    ParameterSpec('leader_joints', ARM_JOINTS, 'Leader joint that drives each of them.'),
    ParameterSpec('signs', (1.0,) * 6, '1, or -1 for a joint built as a mirror image.',
                  minimum=-1.0, maximum=1.0),
    ParameterSpec('offsets', (0.0,) * 6, 'Added after the sign, rad.'),
    ParameterSpec('modes', ('direct',) * 5 + ('range',),
                  'direct: the same angle; range: the same percentage of the calibrated ranges.',
                  choices=('direct', 'range')),
    ParameterSpec('source', 'teleop', "Name of the follower's source that is commanded."),
    ParameterSpec('lead_s', 0.02, "How long after the leader's stamp a command is due.",
                  minimum=0.0, maximum=0.2),
    ParameterSpec('stale_after_s', 0.1, 'Older leader states make no command.',
                  minimum=0.01, maximum=2.0),
    ParameterSpec('engage_on_start', True, 'Follow as soon as both arms are up.'),
    ParameterSpec('deadman_required', False, 'Follow only while teleop/deadman says true.'),
    ParameterSpec('deadman_timeout_s', 0.3, 'Silence of teleop/deadman that counts as false.',
                  minimum=0.02, maximum=5.0),
)
