# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The parameters of an arm's command guard, the same for every driver."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from apprentice_control.guard import EstopEffect
from apprentice_control.guard import GuardConfig
from apprentice_control.guard import JointLimit
from apprentice_node.parameters import ParameterError
from apprentice_node.parameters import ParameterSpec
from apprentice_node.parameters import Value

GUARD_SPECS = (
    ParameterSpec(
        'source_names', ('default', 'teleop'), 'Sources of commands; default is the input '
        'joint_trajectory, any other sources/<name>/joint_trajectory.'),
    ParameterSpec(
        'source_priorities', (0, 10), 'One for each source; a higher one may take over.'),
    ParameterSpec('max_velocity', 4.0, 'Cap, rad/s.', minimum=0.01, maximum=20.0),
    ParameterSpec('max_acceleration', 30.0, 'Cap, rad/s^2.', minimum=0.1, maximum=500.0),
    ParameterSpec(
        'engage_velocity', 0.5, 'Cap until the arm has caught up with a new owner, rad/s.',
        minimum=0.01, maximum=20.0),
    ParameterSpec(
        'command_timeout_s', 0.1, 'Silence after which a streamed motion stops.',
        minimum=0.01, maximum=5.0),
    ParameterSpec(
        'owner_timeout_s', 0.5, 'Silence after which an owner loses the arm to whoever asks.',
        minimum=0.05, maximum=60.0),
    ParameterSpec(
        'estop_effect', 'hold', 'hold: stop with torque on. release: let the arm go.',
        choices=tuple(effect.value for effect in EstopEffect)),
)


def guard_config(
    values: Mapping[str, Value], limits: Sequence[JointLimit],
    internal: Mapping[str, int] | None = None,
) -> GuardConfig:
    """
    Return the guard's configuration for a node's parameters and its joints' limits.

    `internal` names sources of the driver's own, with their priorities; no topic leads to them.
    Raises ParameterError where the sources contradict each other.
    """
    return GuardConfig(
        tuple(limits), {**parse_sources(values), **(internal or {})}, values['engage_velocity'],
        round(values['command_timeout_s'] * 1e9), round(values['owner_timeout_s'] * 1e9),
        estop_effect=EstopEffect(values['estop_effect']))


def parse_sources(values: Mapping[str, Value]) -> dict[str, int]:
    """Return the priority of each source; ParameterError for names that make no topic."""
    names = values['source_names']
    same_length('source_priorities', values['source_priorities'], 'source_names', names)
    unique('source_names', names)
    for name in names:
        if not name.isidentifier() or not name.isascii():
            raise ParameterError(
                f"parameter 'source_names': found {name!r}, expected a name of letters, digits "
                'and underscores: it becomes part of a topic')
    return dict(zip(names, values['source_priorities']))


def same_length(name: str, value: tuple, of: str, like: tuple) -> None:
    """Raise ParameterError unless two lists are of the same length."""
    if len(value) != len(like):
        raise ParameterError(
            f"parameter '{name}': found {len(value)} values, expected {len(like)}, one for each "
            f"of '{of}'")


def unique(name: str, values: tuple) -> None:
    """Raise ParameterError for an empty list, or one that names something twice."""
    if not values:
        raise ParameterError(f"parameter '{name}': found an empty list, expected at least one")
    doubled = sorted({str(value) for value in values if values.count(value) > 1})
    if doubled:
        raise ParameterError(
            f"parameter '{name}': found {', '.join(doubled)} more than once, expected each once")
