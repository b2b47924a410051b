# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters are parsed strictly and errors say what would be right."""
from __future__ import annotations

from apprentice_node.parameters import Kind
from apprentice_node.parameters import ParameterError
from apprentice_node.parameters import ParameterSpec
from apprentice_node.parameters import parse_parameters
import pytest

SPECS = (
    ParameterSpec('rate_hz', 200.0, 'Rate.', minimum=1.0, maximum=1000.0),
    ParameterSpec('role', 'follower', 'Role.', choices=('follower', 'leader')),
    ParameterSpec('ids', (1, 2), 'Ids.', minimum=0, maximum=252),
    ParameterSpec('rest_pose', (), 'Pose.', kind=Kind.DOUBLE_ARRAY),
    ParameterSpec('autostart', True, 'Start.'),
    ParameterSpec('port', '', 'Port.'),
)


def parse(**found: object) -> dict[str, object]:
    """Parse as the node /arm/driver would."""
    return parse_parameters(SPECS, found, '/arm/driver')


def test_absent_parameters_take_their_defaults() -> None:
    """Every parameter has a value, found or not."""
    values = parse(rate_hz=100.0)
    assert values == {'rate_hz': 100.0, 'role': 'follower', 'ids': (1, 2), 'rest_pose': (),
                      'autostart': True, 'port': ''}


def test_integers_are_numbers() -> None:
    """`rate_hz: 200` in a YAML file means 200.0."""
    values = parse(rate_hz=200, rest_pose=[0, 1])
    assert values['rate_hz'] == 200.0 and isinstance(values['rate_hz'], float)
    assert values['rest_pose'] == (0.0, 1.0)


def test_empty_list_of_a_file_is_an_empty_list() -> None:
    """An empty YAML list arrives without a type."""
    assert parse(ids=None)['ids'] == ()


def test_unknown_parameter_names_the_nearest() -> None:
    """A typing error is answered with the name that was meant."""
    with pytest.raises(ParameterError, match=(
            r"^/arm/driver: parameter 'rate_hzz' does not exist; did you mean 'rate_hz'\?$")):
        parse(rate_hzz=100.0)


def test_unlike_anything_lists_what_is_known() -> None:
    """Where nothing is near, all names are listed."""
    with pytest.raises(ParameterError, match='known are: autostart, ids, port'):
        parse(zzz=1)


@pytest.mark.parametrize(('name', 'value', 'expected'), [
    ('rate_hz', 'fast', "found 'fast' (str), expected a number from 1 to 1000"),
    ('rate_hz', True, 'found True (bool), expected a number from 1 to 1000'),
    ('rate_hz', 0.5, 'found 0.5 (float), expected a number from 1 to 1000'),
    ('rate_hz', float('nan'), 'found nan (float), expected a number from 1 to 1000'),
    ('role', 'boss', "found 'boss' (str), expected a string out of follower, leader"),
    ('ids', [1, 300], 'found [1, 300], expected a list of integers from 0 to 252'),
    ('ids', [1.5], 'found [1.5], expected a list of integers from 0 to 252'),
    ('ids', 3, 'found 3 (int), expected a list of integers from 0 to 252'),
    ('ids', [True], 'found [True], expected a list of integers from 0 to 252'),
    ('autostart', 1, 'found 1 (int), expected true or false'),
    ('port', None, 'found nothing, expected a string'),
    ('port', 7, 'found 7 (int), expected a string'),
])
def test_refusal_says_what_was_found_and_expected(
    name: str, value: object, expected: str,
) -> None:
    """Wrong types and values out of range are refused in one line."""
    with pytest.raises(ParameterError) as caught:
        parse(**{name: value})
    assert str(caught.value) == f"/arm/driver: parameter '{name}': {expected}"


def test_all_problems_are_told_at_once() -> None:
    """A user mends a file in one go."""
    with pytest.raises(ParameterError) as caught:
        parse(rate=1.0, role='boss', port=7)
    assert len(str(caught.value).splitlines()) == 3


def test_a_default_must_fit_its_own_description() -> None:
    """A specification that contradicts itself is found when it is written."""
    with pytest.raises(ParameterError):
        ParameterSpec('x', 5.0, 'X.', maximum=1.0)
