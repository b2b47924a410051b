# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Leader arm, follower arm, cameras and teleoperation, on hardware or in simulation."""

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
from so100_bringup.hardware import select_cameras
from so100_bringup.hardware import SIDES
from so100_bringup.nodes import banner
from so100_bringup.nodes import Fleet
from so100_bringup.settings import declare_common
from so100_bringup.settings import flag
from so100_bringup.settings import read_common
from so100_bringup.settings import value_of

SIMULATED_CAMERAS = ('front', 'wrist')


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; everything else depends on their values."""
    return LaunchDescription([
        *declare_common(),
        DeclareLaunchArgument(
            'leader_port', default_value='',
            description="Serial port of the leader: path, or the adapter's USB serial number"),
        DeclareLaunchArgument(
            'follower_port', default_value='',
            description="Serial port of the follower: path, or the adapter's USB serial number"),
        DeclareLaunchArgument(
            'side', default_value='', choices=['', *SIDES],
            description='Which pair of a hardware file with two, as bimanual.launch.py reads'),
        DeclareLaunchArgument(
            'cameras', default_value='all',
            description='Cameras to start: all, none, or names separated by commas'),
        DeclareLaunchArgument(
            'view', default_value='false', choices=['true', 'false'],
            description='Open the Rerun viewer with cameras, joints and guard state'),
        OpaqueFunction(function=bring_up),
    ])


def bring_up(context: LaunchContext) -> list[Action]:
    """Choose between hardware and simulation and start the nodes."""
    settings = read_common(context)
    given = {role: value_of(context, f'{role}_port') for role in ROLES}
    hardware = load_hardware(settings.hardware_file, value_of(context, 'side'))
    hardware = hardware.with_arguments(given, settings.robot_id)
    ports = {role: hardware.arm(role).port for role in ROLES}
    simulated = choose(settings.hardware, ports, any(given.values())) is Mode.SIM
    available = SIMULATED_CAMERAS if simulated else tuple(c.name for c in hardware.cameras)
    cameras = select_cameras(value_of(context, 'cameras'), available)

    fleet = Fleet(settings)
    if simulated:
        arms = fleet.add_world()
        if cameras:
            fleet.add(
                'apprentice_sim', 'cameras', 'cameras', 'sim',
                {'cameras': list(cameras), 'arm': settings.arm, 'seed': settings.seed},
                essential=False)
    else:
        arms = {role: hardware.arm(role) for role in ROLES}
        for camera in hardware.cameras:
            if camera.name in cameras:
                fleet.add_camera(camera)
    for role in ROLES:
        fleet.add_driver(role, arms[role])
    fleet.add('apprentice_teleop', 'teleop', 'teleop', '', {'autostart': settings.autostart})
    if flag(value_of(context, 'view')):
        fleet.add(
            'apprentice_teleop', 'view', 'view', '', {'cameras': list(cameras)},
            essential=False)
    return fleet.actions(*([banner(settings)] if simulated else []))
