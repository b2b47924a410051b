# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""How each launch file of the workspace is started in simulation, and what shows that it is up."""

from __future__ import annotations

from dataclasses import dataclass

# Replaced by an empty folder of the run.
FOLDER = '{folder}'
# Replaced by the folder of this file.
HERE = '{here}'
# Replaced by the path of a short video that is made for the run.
VIDEO = '{video}'
_SIM = 'hardware:=sim'
_DATASET = f'dataset:={FOLDER}/dataset'


@dataclass(frozen=True)
class Case:
    """One start of a launch file; `topic` is the first to wait for, '' if it ends by itself."""

    package: str
    file: str
    arguments: tuple[str, ...]
    topic: str

    @property
    def command(self) -> str:
        """Return the words after `ros2 launch`."""
        return ' '.join((self.package, self.file, *self.arguments))


def _robot(package: str) -> tuple[Case, ...]:
    return (
        Case(package, 'driver.launch.py', (_SIM, 'role:=leader'), '/leader/joint_states'),
        Case(package, 'driver.launch.py', (_SIM, 'role:=follower'), '/follower/joint_commands'),
        Case(package, 'teleop.launch.py', (_SIM,), '/follower/joint_commands'),
        Case(package, 'teleop.launch.py', (_SIM, 'namespace:=left', 'cameras:=none'),
             '/left/follower/joint_commands'),
        Case(package, 'record.launch.py', (_SIM, _DATASET), '/recorder/status'),
    )


CASES = (
    *_robot('so100_bringup'),
    *_robot('so101_bringup'),
    Case('apprentice', 'teleop.launch.py', ('robot:=so101', _SIM), '/front/image_raw/compressed'),
    Case('apprentice', 'record.launch.py', ('robot:=so100', _SIM, _DATASET), '/recorder/status'),
    Case('apprentice', 'record.launch.py',
         (f'contract:={HERE}/small_robot.yaml', 'namespace:=left', _DATASET),
         '/left/recorder/status'),
    Case('so100_bringup', 'bimanual.launch.py', (_SIM, _DATASET), '/recorder/status'),
    Case('opencv_camera_driver', 'camera.launch.py', ('name:=front', f'index_or_path:={VIDEO}'),
         '/front/image_raw/compressed'),
    # Publishes where robot_state_publisher is installed; else one line says why it does not.
    Case('so_arm_description', 'display.launch.py', ('arm:=so100',), ''),
)
