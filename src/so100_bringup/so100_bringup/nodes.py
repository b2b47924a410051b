# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The nodes of a bring-up as launch actions."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import Action
from launch import LaunchContext
from launch.actions import GroupAction
from launch.actions import LogInfo
from launch.actions import RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch_ros.actions import Node
from launch_ros.actions import PushRosNamespace
from so100_bringup.hardware import Arm
from so100_bringup.hardware import Camera
from so100_bringup.hardware import ROLES
from so100_bringup.links import make_link_folder
from so100_bringup.security import Security
from so100_bringup.settings import Settings

# Longer than the 4 s that a driver may take to lower the arm and release it.
SIGTERM_TIMEOUT_S = '5'
# Longer than the publication of an episode takes that was open.
RECORDER_SIGTERM_TIMEOUT_S = '30'
# A busy host takes longer to load the world's libraries than a person to switch an arm on.
WORLD_START_S = 30.0
BANNER = """
  ------------------------------------------------------------------
   SIMULATION: {reason}.
   The drivers talk to simulated servos on pseudo-terminals.
   Real arms: write the ports into {file}
   or give them as launch arguments.
  ------------------------------------------------------------------"""

HOW = """
   Recording into {dataset}
   Keyboard console, in a second shell: ros2 run apprentice_recorder console"""


class Fleet:
    """Collects the nodes of one launch with their common settings."""

    def __init__(self, settings: Settings) -> None:
        """Start with no node."""
        self._settings = settings
        self._security = Security(
            settings.security, settings.keystore, settings.namespace, os.environ)
        self._actions: list[Action] = []
        self._simulated = False

    def add(
        self,
        package: str,
        executable: str,
        name: str,
        namespace: str = '',
        parameters: Mapping[str, object] | None = None,
        essential: bool = True,
        sigterm_timeout: str = SIGTERM_TIMEOUT_S,
    ) -> None:
        """Add a node of ours; when an essential one dies, the launch fails and ends."""
        settings = self._settings
        values = {'use_sim_time': settings.use_sim_time, **(parameters or {})}
        node = Node(
            package=package,
            executable=executable,
            name=name,
            namespace=namespace,
            # Both drivers are the same executable; their output needs telling apart.
            exec_name=namespace if namespace in ROLES else name,
            parameters=[str(settings.params_file), values],
            ros_arguments=['--log-level', settings.log_level,
                           *self._security.arguments(namespace, name)],
            additional_env=self._security.environment,
            output='screen',
            sigterm_timeout=sigterm_timeout,
        )
        self._keep(node, '/'.join(filter(None, (namespace, name))), essential)

    def add_driver(self, role: str, arm: Arm) -> None:
        """Add the driver of one arm."""
        self.add('feetech_driver', 'driver', 'feetech_driver', role, {
            'port': arm.port,
            'robot_id': arm.robot_id,
            'calibration_file': arm.calibration_file,
            'autostart': self._settings.autostart,
            # The simulated world is built of the description: nothing there to hold it to.
            **({'connect_timeout_s': WORLD_START_S} if self._simulated else {
                'description': f'package://so_arm_description/urdf/{self._settings.arm}.urdf'}),
        })

    def add_camera(self, camera: Camera) -> None:
        """Add a real camera's node; the arms outlive it."""
        node = Node(
            package=camera.package,
            executable=camera.executable,
            name='camera',
            namespace=camera.name,
            exec_name=camera.name,
            parameters=[{'use_sim_time': self._settings.use_sim_time, **camera.parameters}],
            ros_arguments=self._security.arguments(camera.name, 'camera'),
            additional_env=self._security.environment,
            output='screen',
            sigterm_timeout=SIGTERM_TIMEOUT_S,
        )
        self._keep(node, camera.name, essential=False)

    def add_world(self) -> dict[str, Arm]:
        """Add the simulated world; return the arms as its drivers should see them."""
        self._simulated = True
        folder = make_link_folder(self._settings.namespace, os.environ)
        calibration = Path(get_package_share_directory('so100_bringup')) / 'config' / 'sim'
        arms = {
            role: Arm(str(folder / role), '', str(calibration / f'{role}.json'))
            for role in ROLES
        }
        self.add('apprentice_sim', 'world', 'world', 'sim', {
            'arm': self._settings.arm,
            'seed': self._settings.seed,
            **{f'{role}_link': arms[role].port for role in ROLES},
            **{f'{role}_calibration': arms[role].calibration_file for role in ROLES},
        })
        return arms

    def add_recorder(self, contract: Path, dataset: Path, task: str, preflight: bool) -> None:
        """Add a recorder; the arms outlive it."""
        self.add('apprentice_recorder', 'recorder', 'recorder', '', {
            'contract': str(contract),
            'dataset': str(dataset),
            'task': task,
            'preflight': preflight,
            'autostart': self._settings.autostart,
        }, essential=False, sigterm_timeout=RECORDER_SIGTERM_TIMEOUT_S)
        self._actions.append(LogInfo(msg=HOW.format(dataset=dataset)))

    def actions(self, *before: Action) -> list[Action]:
        """Return all actions, under the robot's namespace, after those in `before`."""
        namespaced = [PushRosNamespace(self._settings.namespace), *self._actions]
        return [*before, GroupAction(namespaced)]

    def _keep(self, node: Node, title: str, essential: bool) -> None:
        react = _fail if essential else _report
        self._actions.append(RegisterEventHandler(OnProcessExit(
            target_action=node,
            on_exit=lambda event, context: react(title, event, context))))
        self._actions.append(node)


def banner(settings: Settings) -> LogInfo:
    """Say that this is a simulation, why, and how to use real arms."""
    reason = 'asked for' if settings.hardware == 'sim' else 'no port is configured'
    return LogInfo(msg=BANNER.format(reason=reason, file=settings.hardware_file.resolve()))


def _fail(title: str, event: ProcessExited, context: LaunchContext) -> None:
    # Only an exception makes upstream's launch return a non-zero exit code.
    if not context.is_shutdown:
        raise RuntimeError(
            f'{title} ended (exit code {event.returncode}), which the robot cannot do without')


def _report(title: str, event: ProcessExited, context: LaunchContext) -> Iterable[Action]:
    if context.is_shutdown:
        return []
    return [LogInfo(msg=f'{title} ended (exit code {event.returncode}); the arms keep running')]
