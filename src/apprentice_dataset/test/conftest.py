# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Settings of the property tests: the same cases every time, `thorough` for new ones."""

from __future__ import annotations

from hypothesis import Phase
from hypothesis import settings

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)

settings.register_profile(
    'repeatable', deadline=None, derandomize=True, database=None, phases=PHASES)
settings.register_profile('thorough', deadline=None, database=None, phases=PHASES)
settings.load_profile('repeatable')
