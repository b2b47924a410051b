# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Substitutions, and those that fail."""

from __future__ import annotations

from launch import LaunchContext
from launch import LaunchDescription
from launch import Substitution
from launch.actions import DeclareLaunchArgument
from launch.actions import LogInfo
from launch.actions import OpaqueFunction
from launch.substitutions import EnvironmentVariable
from launch.substitutions import EqualsSubstitution
from launch.substitutions import LaunchConfiguration
from launch.substitutions import NotEqualsSubstitution
from launch.substitutions import PathJoinSubstitution
from launch.substitutions import TextSubstitution
from launch.substitutions import ThisLaunchFileDir
from launch_ros.substitutions import FindPackageShare

GOOD = {
    'text': TextSubstitution(text='words'),
    'configuration': LaunchConfiguration('which'),
    'default': LaunchConfiguration('none', default='spare'),
    'default_list': LaunchConfiguration('none', default=['a', TextSubstitution(text='b')]),
    'variable': EnvironmentVariable('CASE_VARIABLE'),
    'variable_default': EnvironmentVariable('CASE_NONE', default_value='spare'),
    'path': PathJoinSubstitution([
        FindPackageShare('conformance_probe'), 'a', LaunchConfiguration('which')]),
    'absolute': PathJoinSubstitution(['a', '/b']),
    'here': ThisLaunchFileDir(),
    'equal': EqualsSubstitution('a', 'a'), 'unequal': EqualsSubstitution('a', 'b'),
    'numbers': EqualsSubstitution('1', '1.0'), 'close': EqualsSubstitution('0.1', '0.1000000001'),
    'not_a_number': EqualsSubstitution('1', 'one'), 'truths': EqualsSubstitution('true', 'True'),
    'truth_number': EqualsSubstitution('true', '1'), 'spaces': EqualsSubstitution(' a', 'a'),
    'one_true': EqualsSubstitution('1', 'true'), 'true_bool': EqualsSubstitution('1', True),
    'zero_false': EqualsSubstitution('0', 'False'), 'upper': EqualsSubstitution('TRUE', 'true'),
    'yes': EqualsSubstitution('yes', 'true'), 'real': EqualsSubstitution('1.0', 'true'),
    'exponent': EqualsSubstitution('1e3', '1000'), 'number': EqualsSubstitution('2.5', 2.5),
    'differ': NotEqualsSubstitution('a', 'b'), 'differ_not': NotEqualsSubstitution('1', '1.0'),
}
BAD = {
    'no_configuration': LaunchConfiguration('none'),
    'no_variable': EnvironmentVariable('CASE_NONE'),
    'no_package': FindPackageShare('no_such_package'),
}


def generate_launch_description() -> LaunchDescription:
    """Show all substitutions that work, or perform one that fails."""
    return LaunchDescription([
        DeclareLaunchArgument('which', default_value='good'),
        OpaqueFunction(function=show),
    ])


def show(context: LaunchContext) -> list[LogInfo]:
    """Return the messages."""
    which = LaunchConfiguration('which').perform(context)
    chosen: dict[str, Substitution] = {which: BAD[which]} if which in BAD else GOOD
    return [LogInfo(msg=[name, '=', value]) for name, value in chosen.items()]
