# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Serve a small, fixed ROS graph for the tests of the ros2 command line, or a `--silent` one."""
from __future__ import annotations

import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue
from geometry_msgs.msg import PointStamped
from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rcl_interfaces.msg import SetParametersResult
import rclpy
from rclpy.action import ActionServer
from rclpy.action import CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException
from rclpy.executors import MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import State
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool
from std_srvs.srv import Trigger
from test_msgs.action import Fibonacci
from test_msgs.msg import BasicTypes
from trajectory_msgs.msg import JointTrajectory

LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Fixture(Node):
    """Publish constants at 20 Hz, answer services, hold parameters of every type."""

    def __init__(self, silent: bool) -> None:
        super().__init__('fixture', namespace='arm')
        self._joints = self.create_publisher(JointState, 'joint_states', 10)
        self._image = self.create_publisher(CompressedImage, 'image', qos_profile_sensor_data)
        self._basic = self.create_publisher(BasicTypes, 'basic', 10)
        self._health = self.create_publisher(DiagnosticArray, 'health', 10)
        self._odd = self.create_publisher(DiagnosticStatus, 'odd', 10)
        self._odd_joints = self.create_publisher(JointState, 'odd_joints', 10)
        self._camera_info = self.create_publisher(CameraInfo, 'camera_info', 10)
        self._hidden = self.create_publisher(String, '_hidden', 10)
        self._stamped = self.create_publisher(PointStamped, 'stamped', 10)
        self._state = self.create_publisher(String, 'state', LATCHED)
        self._heard = self.create_publisher(String, 'heard', LATCHED)
        self._state.publish(String(data='holding: it\'s "ready"'))
        self.create_subscription(JointTrajectory, 'command', self._on_command, 10)
        self.create_service(Trigger, 'estop', self._on_estop)
        self.create_service(SetBool, 'engage', self._on_engage)
        self._action = ActionServer(
            self, Fibonacci, 'count', self._on_goal, callback_group=ReentrantCallbackGroup(),
            cancel_callback=lambda _: CancelResponse.ACCEPT)
        self._declare()
        if not silent:
            self.create_timer(0.05, self._on_timer)

    def _declare(self) -> None:
        self.declare_parameter('baud', 1000000)
        self.declare_parameter('rate_hz', 200.0, ParameterDescriptor(
            description='rate of the loop', additional_constraints='positive',
            floating_point_range=[FloatingPointRange(from_value=0.0, to_value=500.0)]))
        self.declare_parameter('level', 3, ParameterDescriptor(
            integer_range=[IntegerRange(from_value=1, to_value=9, step=2)]))
        self.declare_parameter('autostart', True)
        self.declare_parameter('port', '/dev/ttyACM0')
        self.declare_parameter('number_like', '12')
        self.declare_parameter('robot.id', 'left')
        self.declare_parameter('joints', ['shoulder_pan', 'gripper'])
        self.declare_parameter('ids', [1, 2, 3])
        self.declare_parameter('gains', [1.0, 0.5])
        self.declare_parameter('flags', [True, False])
        self.declare_parameter('raw', [b'\x01', b'\xff'])
        self.declare_parameter('model', 'sts3215', ParameterDescriptor(read_only=True))
        self.declare_parameter('unset', descriptor=ParameterDescriptor(dynamic_typing=True))
        self.add_on_set_parameters_callback(self._on_parameters)

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        bad = [p for p in parameters if p.name == 'port' and not p.value.startswith('/dev/')]
        return SetParametersResult(
            successful=not bad, reason='a port begins with /dev/' if bad else '')

    def _on_timer(self) -> None:
        joints = JointState(
            name=['shoulder_pan', 'gripper'], position=[0.5, -1.25e-07], velocity=[0.0, 3.0])
        joints.header.stamp.sec = 12
        joints.header.stamp.nanosec = 500000000
        joints.header.frame_id = 'base'
        self._joints.publish(joints)
        self._image.publish(CompressedImage(format='jpeg', data=bytes(range(200))))
        self._basic.publish(BasicTypes(
            bool_value=True, byte_value=b'\x07', char_value=65, float32_value=1.125,
            float64_value=-2.5, int8_value=-8, uint8_value=8, int64_value=-2**40,
            uint64_value=2**40))
        health = DiagnosticArray()
        health.status = [
            DiagnosticStatus(
                level=DiagnosticStatus.WARN, name='bus', message='slow: 90 Hz',
                values=[KeyValue(key='rate', value='90'), KeyValue(key='note', value='')]),
            DiagnosticStatus(name='camera', message='ok\nsecond line')]
        self._health.publish(health)
        self._odd.publish(DiagnosticStatus(
            level=b'\xff', name='Grüße → ✓', message='long ' * 60, hardware_id='true',
            values=[KeyValue(key='1e3', value='null'), KeyValue(key='a: b', value='#c\t"')]))
        self._odd_joints.publish(JointState(
            name=['', 'x' * 130], position=[float('nan'), float('inf'), 1e16, 0.1]))
        self._camera_info.publish(CameraInfo(d=[0.5], k=[float(i) for i in range(9)]))
        self._hidden.publish(String(data='x'))
        stamped = PointStamped()
        stamped.header.stamp = self.get_clock().now().to_msg()
        self._stamped.publish(stamped)

    def _on_command(self, message: JointTrajectory) -> None:
        self._heard.publish(String(data=repr(message)))

    def _on_estop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        response.message = 'stopped'
        return response

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) \
            -> SetBool.Response:
        response.success = request.data
        response.message = 'engaged' if request.data else 'disengaged'
        return response

    def _on_goal(self, handle: object) -> Fibonacci.Result:
        # The client hears of the acceptance before the first feedback.
        time.sleep(0.3)
        feedback = Fibonacci.Feedback()
        feedback.sequence = [0, 1]
        for _ in range(handle.request.order - 1):
            if handle.is_cancel_requested:
                handle.canceled()
                return Fibonacci.Result()
            feedback.sequence = [*feedback.sequence, sum(feedback.sequence[-2:])]
            handle.publish_feedback(feedback)
            time.sleep(0.2)
        if handle.request.order < 0:
            handle.abort()
        else:
            handle.succeed()
        return Fibonacci.Result(sequence=feedback.sequence)


class Driver(LifecycleNode):
    """Walk the lifecycle; activation fails while the parameter `broken` is true."""

    def __init__(self) -> None:
        super().__init__('driver', namespace='arm')
        self.declare_parameter('broken', False)

    def on_activate(self, state: State) -> TransitionCallbackReturn:
        """Refuse when told to be broken."""
        if self.get_parameter('broken').value:
            return TransitionCallbackReturn.FAILURE
        return super().on_activate(state)


def main() -> None:
    """Spin both nodes until a signal."""
    rclpy.init()
    executor = MultiThreadedExecutor(4)
    executor.add_node(Fixture('--silent' in sys.argv))
    executor.add_node(Driver())
    print('ready', flush=True)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass


if __name__ == '__main__':
    main()
