# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Node: leader joint states in, commands for one source of the follower out."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
import time

from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import JointRanges
from apprentice_msgs.srv import Acquire
from apprentice_node.diagnostics import Health
from apprentice_node.diagnostics import Level
from apprentice_node.managed_node import ManagedNode
from apprentice_teleop.engagement import Engagement
from apprentice_teleop.engagement import EngagementConfig
from apprentice_teleop.engagement import Phase
from apprentice_teleop.engagement import Request
from apprentice_teleop.mapping import JointMapper
from apprentice_teleop.mapping import JointRange
from apprentice_teleop.mapping import make_rules
from apprentice_teleop.mapping import MappingError
from apprentice_teleop.teleop_parameters import SPECS
from builtin_interfaces.msg import Duration
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint

LATEST = QoSProfile(depth=1)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
POLL_PERIOD_S = 0.05


class TeleopNode(ManagedNode):
    """Follows `leader/joint_states` with `follower/sources/<source>/joint_trajectory`."""

    expected_errors = (MappingError,)

    def __init__(self) -> None:
        """Declare the parameters."""
        super().__init__('teleop', SPECS)
        self._undo: list[Callable[[], object]] = []
        self._engagement: Engagement | None = None

    def configure(self) -> None:
        """Check the mapping."""
        values = self.values
        self._mapper = JointMapper(make_rules(*(
            values[name] for name in ('joints', 'leader_joints', 'signs', 'offsets', 'modes'))))
        self._stale_ns = _nanoseconds(values['stale_after_s'])
        self._counts: Counter[str] = Counter()
        self._command = self._make_command()

    def activate(self) -> None:
        """Listen to the arms; the follower moves when it has been acquired."""
        values = self.values
        self._engagement = Engagement(EngagementConfig(
            stale_after_ns=self._stale_ns,
            deadman_required=values['deadman_required'],
            deadman_timeout_ns=_nanoseconds(values['deadman_timeout_s']),
        ), values['engage_on_start'])
        self._logged: tuple[Phase, str] | None = None
        self._last_stamp_ns = 0
        self._has_engaged = False
        self._answers: list[Future] = []
        self._seen = self.monitor_rate('leader states')
        self._sent = self.monitor_rate('commands')
        self._connect(f'follower/sources/{values["source"]}/joint_trajectory')

    def deactivate(self) -> None:
        """
        Fall silent; the follower's guard brings it to a stop and holds.

        No release is asked for: a client that is gone when the answer comes stalls the driver.
        """
        self._disconnect()

    def release(self) -> None:
        """Do the same from whatever state."""
        self._disconnect()

    def health(self) -> Iterable[Health]:
        """Report the phase and what was left out."""
        engagement = self._engagement
        if engagement is None:
            return
        level = Level.WARN if engagement.phase in (Phase.WAITING, Phase.ACQUIRING) else Level.OK
        yield Health(
            'teleoperation', level, f'{engagement.phase.value}: {engagement.reason}',
            dict(self._counts))

    # Wiring -------------------------------------------------------------------------------

    def _make_command(self) -> JointTrajectory:
        lead_ns = _nanoseconds(self.values['lead_s'])
        point = JointTrajectoryPoint(
            positions=[0.0] * len(self._mapper.joints),
            time_from_start=Duration(sec=lead_ns // 10**9, nanosec=lead_ns % 10**9))
        return JointTrajectory(joint_names=list(self._mapper.joints), points=[point])

    def _connect(self, command_topic: str) -> None:
        self._publisher = self.create_publisher(JointTrajectory, command_topic, LATEST)
        self._acquire = self.create_client(Acquire, 'follower/acquire')
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        timer = self.create_timer(POLL_PERIOD_S, self._poll, clock=steady)
        # In a group of its own: while it awaits the follower's answer, the others must run.
        service = self.create_service(
            SetBool, 'teleop/engage', self._on_engage, callback_group=ReentrantCallbackGroup())
        self._undo = [
            lambda: self.destroy_timer(timer),
            lambda: self.destroy_service(service),
            lambda: self.destroy_client(self._acquire),
            lambda: self.destroy_publisher(self._publisher),
        ]
        for kind, topic, callback, qos in (
            (JointState, 'leader/joint_states', self._on_leader, LATEST),
            (JointRanges, 'leader/joint_ranges', self._on_leader_ranges, LATCHED),
            (JointRanges, 'follower/joint_ranges', self._on_follower_ranges, LATCHED),
            (GuardState, 'follower/guard_state', self._on_guard, LATCHED),
            (Bool, 'teleop/deadman', self._on_deadman, LATEST),
        ):
            subscription = self.create_subscription(kind, topic, callback, qos)
            self._undo.append(lambda entity=subscription: self.destroy_subscription(entity))

    def _disconnect(self) -> None:
        self._engagement = None
        self.drop_rates()
        while self._undo:
            self._undo.pop()()

    # Following ----------------------------------------------------------------------------

    def _on_leader(self, message: JointState) -> None:
        stamp = message.header.stamp
        stamp_ns = stamp.sec * 10**9 + stamp.nanosec
        age_ns = self.get_clock().now().nanoseconds - stamp_ns
        if not self._is_usable(stamp_ns, age_ns):
            return
        try:
            positions = self._mapper.apply(message.name, message.position)
        except MappingError as error:
            self._counts['unusable leader states'] += 1
            self._engagement.set_obstacle(str(error))
            return
        self._engagement.set_obstacle('')
        self._seen.tick()
        if self._engagement.leader_seen(time.monotonic_ns()):
            self._command.header.stamp = stamp
            self._command.points[0].positions = array('d', positions)
            self._publisher.publish(self._command)
            self._sent.tick()

    def _is_usable(self, stamp_ns: int, age_ns: int) -> bool:
        if not -self._stale_ns <= age_ns <= self._stale_ns:
            self._counts['stale leader states'] += 1
            self._engagement.set_obstacle(
                f'leader states are stamped more than {self._stale_ns * 1e-9:g} s '
                f'{"ago" if age_ns > 0 else "ahead"}; if it stays so, the clocks differ')
            return False
        if stamp_ns <= self._last_stamp_ns and self._last_stamp_ns - stamp_ns < self._stale_ns:
            self._counts['repeated leader states'] += 1
            return False
        self._last_stamp_ns = stamp_ns
        return True

    def _on_leader_ranges(self, message: JointRanges) -> None:
        self._take_ranges('leader', message, self._mapper.set_leader_ranges)

    def _on_follower_ranges(self, message: JointRanges) -> None:
        self._take_ranges('follower', message, self._mapper.set_follower_ranges)
        # New ranges mean a reconfigured driver: the command may jump, so it must ramp.
        self._engagement.interrupt('calibrated ranges of the follower changed')

    def _take_ranges(
        self, arm: str, message: JointRanges, take: Callable[[dict[str, JointRange]], None],
    ) -> None:
        try:
            take({name: JointRange(lower, upper) for name, lower, upper
                  in zip(message.name, message.lower, message.upper, strict=True)})
        except ValueError as error:
            self.get_logger().error(f'{arm}/joint_ranges: {error}')

    def _on_guard(self, message: GuardState) -> None:
        engagement = self._engagement
        if message.state == GuardState.ESTOPPED and engagement.wanted:
            engagement.lose('emergency stop; after estop_reset engage again')
        elif message.state == GuardState.INACTIVE:
            engagement.interrupt('the follower is not active')
        elif engagement.phase is Phase.ENGAGED \
                and message.owner not in ('', self.values['source']):
            engagement.lose(f'source {message.owner} took the follower; engage again')

    # Engaging -----------------------------------------------------------------------------

    def _on_deadman(self, message: Bool) -> None:
        self._engagement.set_deadman(message.data, time.monotonic_ns())
        self._poll()

    async def _on_engage(
        self, request: SetBool.Request, response: SetBool.Response,
    ) -> SetBool.Response:
        engagement = self._engagement
        engagement.set_wanted(request.data, 'asked by teleop/engage')
        self._poll()
        if engagement.phase is Phase.ACQUIRING:
            answer = Future(executor=self.executor)
            self._answers.append(answer)
            await answer
        response.success = not request.data or engagement.phase is Phase.ENGAGED \
            or engagement.waits_for_deadman
        response.message = f'{engagement.phase.value}: {engagement.reason}'
        if not response.success:
            engagement.set_wanted(False, engagement.reason)
        return response

    def _poll(self) -> None:
        request = self._engagement.poll(time.monotonic_ns())
        if request is not Request.NONE:
            self._ask(request)
        if self._engagement.phase is not Phase.ACQUIRING:
            self._resolve_answers()
        self._log_phase()

    def _ask(self, request: Request) -> None:
        if not self._acquire.service_is_ready():
            self._engagement.answered(False, "the follower's driver is not running")
            return
        future = self._acquire.call_async(Acquire.Request(
            source=self.values['source'], release=request is Request.RELEASE))
        if request is Request.ACQUIRE:
            future.add_done_callback(self._on_answer)

    def _on_answer(self, future: Future) -> None:
        if self._engagement is None or future.cancelled():
            return
        response = future.result()
        self._engagement.answered(response.success, response.message)
        self._resolve_answers()
        self._log_phase()

    def _resolve_answers(self) -> None:
        while self._answers:
            self._answers.pop().set_result(None)

    def _log_phase(self) -> None:
        engagement = self._engagement
        now = (engagement.phase, engagement.reason)
        if engagement.phase is Phase.ACQUIRING or now == self._logged:
            return
        self._logged = now
        text = f'{engagement.phase.value}: {engagement.reason}'
        self._has_engaged = self._has_engaged or engagement.phase is Phase.ENGAGED
        # While everything starts, waiting is no news.
        if engagement.phase is Phase.WAITING and self._has_engaged \
                and not engagement.waits_for_deadman:
            self.get_logger().warning(text)
        else:
            self.get_logger().info(text)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
