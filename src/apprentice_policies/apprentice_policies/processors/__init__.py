# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
What stands between raw batches and a policy: pipelines of steps, saved as LeRobot saves them.

A batch is a flat dictionary by LeRobot's keys; a step takes one and returns another. The table
of steps in `registry` is closed: a file names an entry of it, never a class.
"""

from apprentice_policies.processors.defaults import make_processors
from apprentice_policies.processors.pipeline import Pipeline
from apprentice_policies.processors.pipeline import POSTPROCESSOR
from apprentice_policies.processors.pipeline import PREPROCESSOR

__all__ = ['make_processors', 'Pipeline', 'POSTPROCESSOR', 'PREPROCESSOR']
