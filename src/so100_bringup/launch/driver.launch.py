# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One arm, on hardware or in simulation."""

from __future__ import annotations

from launch import Action
from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from so100_bringup.hardware import choose
from so100_bringup.hardware import load_hardware
from so100_bringup.hardware import Mode
from so100_bringup.hardware import ROLES
from so100_bringup.nodes import banner
from so100_bringup.nodes import Fleet
from so100_bringup.settings import declare_common
from so100_bringup.settings import read_common
from so100_bringup.settings import value_of


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; everything else depends on their values."""
    return LaunchDescription([
        *declare_common(),
        DeclareLaunchArgument(
            'role', default_value='follower', choices=list(ROLES),
            description='Which arm: the one that is moved by hand, or the one that is driven'),
        DeclareLaunchArgument(
            'port', default_value='',
            description="Serial port: path, or the adapter's USB serial number"),
        OpaqueFunction(function=bring_up),
    ])


def bring_up(context: LaunchContext) -> list[Action]:
    """Choose between hardware and simulation and start the nodes."""
    settings = read_common(context)
    role = value_of(context, 'role')
    given = {role: value_of(context, 'port')}
    hardware = load_hardware(settings.hardware_file).with_arguments(given, settings.robot_id)
    fleet = Fleet(settings)
    ports = {role: hardware.arm(role).port}
    if choose(settings.hardware, ports, bool(given[role])) is Mode.REAL:
        fleet.add_driver(role, hardware.arm(role))
        return fleet.actions()
    fleet.add_driver(role, fleet.add_world()[role])
    return fleet.actions(banner(settings))
