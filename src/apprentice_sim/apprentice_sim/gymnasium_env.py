# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The simulated SO-100 as gymnasium environments; importing this module registers them.

    import gymnasium
    import apprentice_sim.gymnasium_env

    env = gymnasium.make('apprentice_sim/SO100PickPlace-v0', cameras=('front', 'wrist'))

Observations and actions are those of a dataset recorded over ROS: degrees of five joints and
0 to 100 of the gripper, 30 a second; pictures are (height, width, 3), uint8.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING

from apprentice_sim.graphics import prepare_graphics
import gymnasium
from gymnasium import spaces
import numpy as np

if TYPE_CHECKING:
    from apprentice_sim.cameras import SceneRenderer

NAMESPACE = 'apprentice_sim'
PICK_PLACE = f'{NAMESPACE}/SO100PickPlace-v0'
REACH = f'{NAMESPACE}/SO100Reach-v0'
STATE = 'observation.state'
ENVIRONMENT = 'observation.environment_state'
IMAGES = 'observation.images.'
CAMERA_NAMES = ('front', 'wrist')
PICK_PLACE_STEPS = 500
REACH_STEPS = 60
GOAL_TOLERANCE_M = 0.02
GOAL_HOLD_STEPS = 10
RENDER_SIZE = (320, 240)
# Joints (rad) whose poses lie in front of the arm, clear of table, bin and the arm's own base.
_GOAL_LOWER = (-0.8, -1.2, 0.2, 0.2, 0.0)
_GOAL_UPPER = (0.6, 0.2, 1.3, 1.2, 0.0)
_GOAL_MIN_HEIGHT_M = 0.08
_SEEDS = 2 ** 31


class SO100Env(gymnasium.Env):
    """What both tasks share: world, observation, pictures; `reset(seed)` fixes everything."""

    metadata = {'render_modes': ['rgb_array'], 'render_fps': 30}
    task_description = ''
    environment_names: Sequence[str] = ()

    def __init__(
        self, arm: str = 'so100', cameras: Sequence[str] = (), width: int = 96, height: int = 96,
        environment_state: bool = True, render_mode: str | None = None,
    ) -> None:
        """
        Build the world.

        :param cameras: which of `front` and `wrist` to observe.
        :param environment_state: whether to observe what only a simulation knows.
        :raises ValueError: an unknown camera.
        :raises OpenGLError: pictures are wanted and nothing renders here.
        """
        unknown = sorted(set(cameras) - set(CAMERA_NAMES))
        if unknown:
            raise ValueError(f'cameras: found {unknown}, expected some of {list(CAMERA_NAMES)}')
        if cameras or render_mode:
            prepare_graphics()
        # MuJoCo reads the choice of OpenGL when it is imported.
        from apprentice_sim.workcell import Workcell
        self.arm, self.cameras, self.size = arm, tuple(cameras), (width, height)
        self.render_mode = render_mode
        self.workcell = Workcell(arm)
        self._with_environment = environment_state
        self._renderers: dict[tuple[int, int], SceneRenderer] = {}
        units = self.workcell.units
        self.action_space = spaces.Box(units.lower, units.upper, dtype=np.float32)
        self.observation_space = spaces.Dict(self._spaces())

    @property
    def joint_names(self) -> list[str]:
        """Return the names of state and action, as in a dataset."""
        return self.workcell.units.names

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None,
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Start the world of a seed, or a random one; `options` are not used."""
        super().reset(seed=seed)
        world = int(self.np_random.integers(_SEEDS)) if seed is None else seed
        self.workcell.reset(world)
        return self._observe(), {'is_success': False, 'seed': world}

    def render(self) -> np.ndarray | None:
        """Return the front camera's view, (240, 320, 3), where a render mode was asked for."""
        if self.render_mode is None:
            return None
        return self._picture('front', RENDER_SIZE)

    def close(self) -> None:
        """Give the graphics resources back."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    def _spaces(self) -> dict[str, spaces.Space]:
        reach = np.array([180.0] * 5 + [100.0], dtype=np.float32)
        found: dict[str, spaces.Space] = {
            STATE: spaces.Box(np.where(reach == 100.0, 0.0, -reach).astype(np.float32), reach)}
        if self._with_environment:
            shape = (len(self.environment_names),)
            found[ENVIRONMENT] = spaces.Box(-np.inf, np.inf, shape, np.float32)
        width, height = self.size
        for camera in self.cameras:
            found[IMAGES + camera] = spaces.Box(0, 255, (height, width, 3), np.uint8)
        return found

    def _observe(self) -> dict[str, np.ndarray]:
        observation = {STATE: self.workcell.joints()}
        if self._with_environment:
            observation[ENVIRONMENT] = self._environment()
        for camera in self.cameras:
            observation[IMAGES + camera] = self._picture(camera, self.size)
        return observation

    def _environment(self) -> np.ndarray:
        raise NotImplementedError

    def _picture(self, camera: str, size: tuple[int, int]) -> np.ndarray:
        if size not in self._renderers:
            from apprentice_sim.cameras import SceneRenderer
            self._renderers[size] = SceneRenderer(self.arm, *size)
        renderer = self._renderers[size]
        renderer.show(self.workcell.seed, self.workcell.physics.qpos())
        return renderer.picture(camera)


class SO100PickPlaceEnv(SO100Env):
    """
    Put the cube into the bin, as the demonstration does.

    `observation.environment_state` is the cube: x, y, z in m from the base, sine and cosine of
    its yaw. An episode ends with reward 1 as soon as the cube lies in the bin.
    """

    task_description = 'put the cube into the bin'
    environment_names = ('cube.x', 'cube.y', 'cube.z', 'cube.yaw_sin', 'cube.yaw_cos')

    def step(
        self, action: np.ndarray,
    ) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """Go on by 1/30 s towards joint targets, (6,) in the dataset's units."""
        self.workcell.step(action)
        success = self.workcell.physics.cube_in_bin()
        return self._observe(), float(success), success, False, {'is_success': success}

    def _environment(self) -> np.ndarray:
        return self.workcell.cube()


class SO100ReachEnv(SO100Env):
    """
    Bring the tool to a goal and keep it there.

    `observation.environment_state` is goal and tool: x, y, z of each in m from the base. The
    reward falls from 1 at the goal to 0 far away; success is to stay within 2 cm for a third of
    a second. The episode then goes on: returns of all trials are comparable.
    """

    task_description = 'bring the gripper to the goal'
    environment_names = ('goal.x', 'goal.y', 'goal.z', 'tool.x', 'tool.y', 'tool.z')

    def __init__(self, **options: Any) -> None:
        """Take the options of `SO100Env`."""
        super().__init__(**options)
        from apprentice_sim.kinematics import ArmKinematics
        from so_arm_description import load_arm
        self._kinematics = ArmKinematics.from_description(load_arm(self.arm))
        self._goal = np.zeros(3)
        self._held = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None,
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Start the world of a seed, or a random one, and choose a goal."""
        gymnasium.Env.reset(self, seed=seed)
        self._held = 0
        self._goal = self._choose_goal()
        return super().reset(seed=seed)

    def step(
        self, action: np.ndarray,
    ) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """Go on by 1/30 s towards joint targets, (6,) in the dataset's units."""
        self.workcell.step(action)
        distance = float(np.linalg.norm(self._goal - self._tool()))
        self._held = self._held + 1 if distance < GOAL_TOLERANCE_M else 0
        success = self._held >= GOAL_HOLD_STEPS
        reward = float(1.0 - np.tanh(5.0 * distance))
        info = {'is_success': success, 'distance_m': distance}
        return self._observe(), reward, False, False, info

    def _choose_goal(self) -> np.ndarray:
        while True:
            joints = self.np_random.uniform(_GOAL_LOWER, _GOAL_UPPER)
            goal = np.array(self._kinematics.forward(joints.tolist())[:3])
            if goal[2] > _GOAL_MIN_HEIGHT_M:
                return goal

    def _tool(self) -> np.ndarray:
        return np.array(self._kinematics.forward(self.workcell.physics.joints()[:5])[:3])

    def _environment(self) -> np.ndarray:
        return np.concatenate([self._goal, self._tool()]).astype(np.float32)


def register() -> None:
    """Make the environments known to gymnasium; done when this module is imported."""
    for name, entry, steps in ((PICK_PLACE, SO100PickPlaceEnv, PICK_PLACE_STEPS),
                               (REACH, SO100ReachEnv, REACH_STEPS)):
        if name not in gymnasium.registry:
            gymnasium.register(
                name, entry_point=f'{__name__}:{entry.__name__}', max_episode_steps=steps)


register()
