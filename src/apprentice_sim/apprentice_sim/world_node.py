# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The simulated world on the ROS graph."""
from __future__ import annotations

import os
from pathlib import Path
import tempfile
import threading
import time

from apprentice_msgs.msg import WorldState as WorldStateMessage
from apprentice_msgs.srv import ResetWorld
from apprentice_node.clock import ClockBridge
from apprentice_node.diagnostics import Health
from apprentice_node.diagnostics import Level
from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import ParameterSpec
from apprentice_node.polling import PolledService
from apprentice_node.polling import PolledSubscription
from apprentice_node.priority import raise_priority
from apprentice_node.runner import run
from apprentice_sim.arm_buses import HandError
from apprentice_sim.fault_script import ScriptError
from apprentice_sim.names import beside
from apprentice_sim.names import NAMESPACE
from apprentice_sim.physics import BodyPose
from apprentice_sim.presets import PresetError
from apprentice_sim.pty import LinkError
from apprentice_sim.tap_file import TapFileError
from apprentice_sim.world import RealTimeError
from apprentice_sim.world import STATE_RATE_HZ
from apprentice_sim.world import World
from apprentice_sim.world import WorldConfig
from apprentice_sim.world import WorldState
from geometry_msgs.msg import Point
from geometry_msgs.msg import Pose
from geometry_msgs.msg import Quaternion
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from so_arm_description import ARMS

FRAME = 'base_link'
_RESET_EVERY_STEPS = 10
_WARN_FACTOR = 0.99
_WARN_LAG_S = 0.05
# A release of the arm writes oftener than this, and is over within 4 s.
_QUIET_S = 0.4
_FINISH_TIMEOUT_S = 4.5

PARAMETERS = (
    ParameterSpec('arm', 'so100', 'Which arm to simulate.', choices=ARMS),
    ParameterSpec('seed', 0, "Seed of the world's first placement and looks."),
    ParameterSpec(
        'leader_link', '',
        "Path of the leader's serial port; empty: one in the temporary folder."),
    ParameterSpec(
        'follower_link', '',
        "Path of the follower's serial port; empty: one in the temporary folder."),
    ParameterSpec(
        'leader_calibration', '', "LeRobot's calibration file; empty: the built-in one."),
    ParameterSpec(
        'follower_calibration', '', "LeRobot's calibration file; empty: the built-in one."),
    ParameterSpec('leader_faults', '', "Fault script of the leader's bus; empty: none."),
    ParameterSpec('follower_faults', '', "Fault script of the follower's bus; empty: none."),
    ParameterSpec(
        'leader_taps', '', "File to write the leader's register changes to; empty: none."),
    ParameterSpec(
        'follower_taps', '', "File to write the follower's register changes to; empty: none."),
)


class WorldNode(ManagedNode):
    """Run the world in a thread of its own; reset, hand and state pass between its steps."""

    expected_errors = (PresetError, LinkError, ScriptError, TapFileError)

    def __init__(self) -> None:
        super().__init__('world', PARAMETERS, namespace=NAMESPACE)
        self.failed = False
        self._world: World | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._steps = 0
        self._hand_warned_ns = 0
        self._clock_bridge = ClockBridge(lambda: self.get_clock().now().nanoseconds)

    def configure(self) -> None:
        """Build the world and make both ports."""
        self._world = World(self._config())
        name = self._name
        self._publisher = self.create_publisher(
            WorldStateMessage, name('sim/world_state'), QoSProfile(depth=10))
        self._hand = PolledSubscription(
            self, JointState, name('sim/leader_hand'), QoSProfile(depth=1))
        self._reset = PolledService(self, ResetWorld, name('sim/reset'), self._on_reset)
        self._rate = self.monitor_rate('world_state', STATE_RATE_HZ)
        config = self._world.config
        self.get_logger().info(
            f'{config.arm}: leader at {config.leader_link}, follower at {config.follower_link}')

    def activate(self) -> None:
        """Let time run."""
        self._stop.clear()
        self._world.pace()
        self._thread = threading.Thread(target=self._run, name='world')
        self._thread.start()

    def deactivate(self) -> None:
        """Let time stand still; both ports stay and fall silent."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def release(self) -> None:
        """Take the ports away."""
        self._let_drivers_finish()
        self.deactivate()
        if self._world is None:
            return
        self._world.close()
        self._world = None
        self._hand.destroy()
        self._reset.destroy()
        self.destroy_publisher(self._publisher)
        self.drop_rates()

    def health(self) -> list[Health]:
        """Report how well real time is kept."""
        if self._thread is None:
            return []
        pace = self._world.pace()
        values = {
            'real-time factor': f'{pace.factor:.3f}',
            'greatest lag [ms]': f'{pace.lag_s * 1e3:.1f}'}
        if pace.factor < _WARN_FACTOR or pace.lag_s > _WARN_LAG_S:
            return [Health(
                'real time', Level.WARN,
                f'the world lags up to {pace.lag_s * 1e3:.0f} ms behind real time; '
                'close other programs', values)]
        return [Health('real time', Level.OK, 'kept', values)]

    def _let_drivers_finish(self) -> None:
        # Ctrl-C reaches all nodes at once, and a driver needs its port to release the arm.
        end_s = time.monotonic() + _FINISH_TIMEOUT_S
        while self.stop_requested.is_set() and self._thread is not None \
                and self._thread.is_alive() and time.monotonic() < end_s \
                and (self._world.torque_on or self._world.quiet_s() < _QUIET_S):
            time.sleep(0.02)

    # In the world's thread.

    def _run(self) -> None:
        self.get_logger().info(f'world thread: {raise_priority()}')
        try:
            self._world.run(self._stop, self._on_step, self._on_state)
        except RealTimeError as error:
            self._fail(str(error))
        except Exception as error:
            self._fail(f'the simulation failed: {type(error).__name__}: {error}')

    def _fail(self, reason: str) -> None:
        self.failed = True
        self.fault(reason)
        self.request_stop()

    def _on_step(self, t_ns: int) -> None:
        message = self._hand.take()
        if message is not None:
            self._on_hand(message, t_ns)
        self._steps += 1
        if self._steps % _RESET_EVERY_STEPS == 0:
            self._reset.poll()

    def _on_hand(self, message: JointState, t_ns: int) -> None:
        try:
            if len(message.name) != len(message.position):
                raise HandError(
                    f'{len(message.name)} names but {len(message.position)} positions')
            self._world.hand.move_to(dict(zip(message.name, message.position, strict=True)), t_ns)
        except HandError as error:
            if t_ns - self._hand_warned_ns > 1_000_000_000:
                self._hand_warned_ns = t_ns
                self.get_logger().warning(f'{self._hand.topic}: message ignored: {error}')

    def _on_reset(
            self, request: ResetWorld.Request,
            response: ResetWorld.Response) -> ResetWorld.Response:
        self._world.reset(request.seed)
        response.success = True
        response.message = f'seed {request.seed}'
        response.cube = _pose(self._world.physics.cube())
        response.bin = _point(self._world.physics.bin())
        return response

    def _on_state(self, state: WorldState) -> None:
        message = WorldStateMessage()
        stamp_ns = self._clock_bridge.to_ros(state.t_ns)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
        message.header.frame_id = FRAME
        message.seed = state.seed
        message.qpos = state.qpos
        message.cube = _pose(state.cube)
        message.bin = _point(state.bin)
        message.cube_in_bin = state.cube_in_bin
        message.joint_names = self._world.joint_names
        message.follower = state.follower
        message.leader = state.leader
        self._publisher.publish(message)
        self._rate.tick()

    # Helpers.

    def _name(self, name: str) -> str:
        return beside(self.get_namespace(), name)

    def _config(self) -> WorldConfig:
        values = self.values

        def optional(key: str) -> Path | None:
            return Path(values[key]).expanduser() if values[key] else None

        return WorldConfig(
            leader_link=optional('leader_link') or default_link('leader'),
            follower_link=optional('follower_link') or default_link('follower'),
            arm=values['arm'], seed=values['seed'],
            leader_calibration=optional('leader_calibration'),
            follower_calibration=optional('follower_calibration'),
            leader_faults=optional('leader_faults'), follower_faults=optional('follower_faults'),
            leader_taps=optional('leader_taps'), follower_taps=optional('follower_taps'))


def default_link(role: str) -> Path:
    """Return a port's path for this user below the temporary folder, which is made."""
    folder = Path(tempfile.gettempdir(), f'apprentice-{os.getuid()}')
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / role


def _pose(pose: BodyPose) -> Pose:
    w, x, y, z = pose.orientation
    return Pose(position=_point(pose.position), orientation=Quaternion(x=x, y=y, z=z, w=w))


def _point(xyz: tuple[float, float, float]) -> Point:
    return Point(x=xyz[0], y=xyz[1], z=xyz[2])


def main() -> int:
    """Run the node; 1 if it failed, for instance to keep real time."""
    nodes: list[WorldNode] = []

    def make() -> WorldNode:
        nodes.append(WorldNode())
        return nodes[0]

    # Every thread must have it: one that is put off while it holds the interpreter lock stops
    # the world's thread as well.
    raise_priority()
    code = run(make)
    return 1 if nodes and nodes[0].failed else code
