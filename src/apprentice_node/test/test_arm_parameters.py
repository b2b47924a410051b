# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A node's parameters become the guard's configuration, or an error that says what is wrong."""
from __future__ import annotations

from apprentice_control.guard import EstopEffect
from apprentice_control.guard import GuardConfig
from apprentice_control.guard import JointLimit
from apprentice_node.arm.parameters import guard_config
from apprentice_node.arm.parameters import GUARD_SPECS
from apprentice_node.parameters import ParameterError
import pytest

LIMITS = (JointLimit('pan', -1.0, 1.0, 4.0, 30.0),)


def config(**changes: object) -> GuardConfig:
    return guard_config({**{spec.name: spec.default for spec in GUARD_SPECS}, **changes}, LIMITS,
                        {'rest': 11})


def test_defaults_are_those_of_the_guard() -> None:
    """Parameters and plain Python agree; a source of the driver's own joins the others."""
    assert config() == GuardConfig(LIMITS, {'default': 0, 'teleop': 10, 'rest': 11})


def test_parameters_reach_the_guard() -> None:
    """Each value is taken over, times in nanoseconds."""
    found = config(source_names=('a',), source_priorities=(3,), engage_velocity=0.25,
                   command_timeout_s=0.3, owner_timeout_s=0.7, estop_effect='release')
    assert found == GuardConfig(LIMITS, {'a': 3, 'rest': 11}, 0.25, 300_000_000, 700_000_000,
                                estop_effect=EstopEffect.RELEASE)


@pytest.mark.parametrize(('changes', 'text'), [
    ({'source_priorities': (1,)}, "'source_priorities': found 1 values, expected 2"),
    ({'source_names': ('default', 'a/b')}, "'source_names': found 'a/b'"),
    ({'source_names': ('a', 'a')}, "'source_names': found a more than once"),
    ({'source_names': (), 'source_priorities': ()}, "'source_names': found an empty list"),
])
def test_contradiction_is_refused(changes: dict[str, object], text: str) -> None:
    """The error names the parameter, what was found and what would be right."""
    with pytest.raises(ParameterError) as caught:
        config(**changes)
    assert text in str(caught.value)
