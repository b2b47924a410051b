# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Our simulated SO-100: the same world and observation as over ROS."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from apprentice_training.environments.config import EnvConfig
from apprentice_training.errors import TrainingError

if TYPE_CHECKING:
    import gymnasium

TASKS = {'SO100PickPlace-v0': 'put the cube into the bin',
         'SO100Reach-v0': 'bring the gripper to the goal'}


@EnvConfig.register_subclass('so100')
@dataclass
class SO100Config(EnvConfig):
    """
    Pick and place, or reach.

    `cameras`: which of front and wrist are observed, as [front, wrist], in pictures of `width` x
    `height`. `environment_state`: observe where the cube (or the goal) is. `episode_length`: in
    steps; None: the task's own.
    """

    task: str | None = 'SO100PickPlace-v0'
    cameras: list[str] = field(default_factory=list)
    width: int = 96
    height: int = 96
    environment_state: bool = True
    episode_length: int | None = None

    def tasks(self) -> list[str]:
        """Return the names in `task`; raise `TrainingError` about an unknown one."""
        found = super().tasks()
        for task in found:
            if task not in TASKS:
                raise TrainingError(f'env.task: found {task!r}, expected some of '
                                    f'{", ".join(TASKS)}')
        return found

    def words(self, task: str) -> str:
        """Return the task as the demonstrations name it."""
        return self.instruction or TASKS[task]

    def prepare(self, render: bool) -> None:
        """Choose an OpenGL where pictures are needed."""
        if not (self.cameras or render):
            return
        from apprentice_sim.graphics import prepare_graphics
        from apprentice_sim.opengl import OpenGLError
        try:
            prepare_graphics()
        except OpenGLError as error:
            raise TrainingError(
                f'env so100: no pictures: {error}\nwithout videos and cameras none are needed: '
                '--eval.max_videos=0') from None

    def make(self, task: str, render: bool) -> gymnasium.Env:
        """Return one environment."""
        import apprentice_sim.gymnasium_env as ours
        import gymnasium
        options = {} if self.episode_length is None else {'max_episode_steps': self.episode_length}
        return gymnasium.make(
            f'{ours.NAMESPACE}/{task}', cameras=tuple(self.cameras), width=self.width,
            height=self.height, environment_state=self.environment_state,
            render_mode='rgb_array' if render else None, disable_env_checker=True, **options)
