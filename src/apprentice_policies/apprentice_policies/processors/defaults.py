# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The pipelines that a new policy gets."""

from __future__ import annotations

from apprentice_policies.config import PolicyConfig
from apprentice_policies.processors.normalize import Normalize
from apprentice_policies.processors.normalize import Statistics
from apprentice_policies.processors.normalize import Unnormalize
from apprentice_policies.processors.pipeline import connect
from apprentice_policies.processors.pipeline import Pipeline
from apprentice_policies.processors.pipeline import POSTPROCESSOR
from apprentice_policies.processors.pipeline import PREPROCESSOR
from apprentice_policies.processors.pipeline import STEPS
from apprentice_policies.processors.steps import Device
from apprentice_policies.processors.steps import Rename
from apprentice_policies.processors.steps import ToBatch


def make_processors(config: PolicyConfig, stats: Statistics | None) -> tuple[Pipeline, Pipeline]:
    """
    Return the pre- and the postprocessor of a policy.

    :param stats: the dataset's, of all its features; both files keep them all.
    """
    inputs, outputs = config.input_features or {}, config.output_features or {}
    modes = getattr(config, 'normalization_mapping', {})
    words = [STEPS[name].from_config(values, config.type)
             for name, values in config.language_steps()]
    pre = Pipeline(PREPROCESSOR, [
        Rename(), ToBatch(), *words, Device(config.device or 'cpu'),
        Normalize(features={**inputs, **outputs}, norm_map=modes, stats=stats)])
    post = Pipeline(POSTPROCESSOR, [
        Unnormalize(features=dict(outputs), norm_map=modes, stats=stats), Device('cpu')])
    connect(pre, post)
    return pre, post
