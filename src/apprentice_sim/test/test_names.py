# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Topic names beside the simulation's namespace."""
from __future__ import annotations

from apprentice_sim.names import beside
import pytest


@pytest.mark.parametrize(('namespace', 'full'), [
    ('/sim', '/front/image_raw'),
    ('/', '/front/image_raw'),
    ('/robot1/sim', '/robot1/front/image_raw'),
    ('/robot1', '/robot1/front/image_raw'),
    ('/simple', '/simple/front/image_raw'),
])
def test_topics_lie_beside_the_simulation(namespace: str, full: str) -> None:
    """The robot's namespace moves every topic; the node's own part does not."""
    assert beside(namespace, 'front/image_raw') == full
