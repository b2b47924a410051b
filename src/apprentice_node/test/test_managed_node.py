# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle, faults, parameters and diagnostics of a managed node."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import threading
import time

from diagnostic_msgs.msg import DiagnosticArray
from domain_coordinator import domain_id
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sample_node import SampleNode

pytestmark = pytest.mark.timeout(30)


class Stage:
    """A node and an executor in this process, and what the node published."""

    def __init__(self, node: SampleNode) -> None:
        """Listen to the node's diagnostics."""
        self.node = node
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(node)
        self.statuses: dict[str, tuple[int, str]] = {}
        node.create_subscription(DiagnosticArray, '/diagnostics', self._note, 10)

    def _note(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.statuses[status.name] = (status.level[0], status.message)

    def spin_until(self, condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
        """Spin until the condition holds."""
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, 'the condition never held'
            self.executor.spin_once(0.05)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Give a node that is unconfigured."""
    with domain_id() as domain:
        rclpy.init(domain_id=domain)
        stage = Stage(SampleNode())
        yield stage
        stage.executor.shutdown()
        stage.node.destroy_node()
        rclpy.shutdown()


def test_fault_takes_the_error_path(stage: Stage) -> None:
    """A fault told by another thread releases, unconfigures and shows in diagnostics."""
    stage.node.trigger_configure()
    stage.node.trigger_activate()
    thread = threading.Thread(target=stage.node.fault, args=('the bus is gone',))
    thread.start()
    thread.join()
    stage.spin_until(lambda: stage.node.state == 'unconfigured')
    assert stage.node.journal == ['configure', 'activate', 'release', 'released']
    stage.spin_until(lambda: stage.statuses.get('/sample: lifecycle') == (2, 'the bus is gone'))


def test_the_exception_that_ends_a_thread_is_a_fault(stage: Stage) -> None:
    """It is told with the thread's name."""
    stage.node.trigger_configure()
    thread = threading.Thread(
        target=stage.node.thread_failed, args=(OSError('no answer'),), name='bus')
    thread.start()
    thread.join()
    stage.spin_until(lambda: stage.statuses.get('/sample: lifecycle') == (
        2, 'the bus thread failed: OSError: no answer'))
    assert stage.node.state == 'unconfigured'


def test_node_can_be_configured_again_after_a_fault(stage: Stage) -> None:
    """A fault is forgotten by the next configure."""
    stage.node.trigger_configure()
    stage.node.fault('the bus is gone')
    stage.spin_until(lambda: stage.node.state == 'unconfigured')
    stage.node.trigger_configure()
    stage.node.trigger_activate()
    assert stage.node.state == 'active'
    assert stage.node.last_error == ''


def test_impossible_transition_is_refused(stage: Stage) -> None:
    """By itself rclpy would end the process."""
    client = stage.node.create_client(ChangeState, 'sample/change_state')
    request = ChangeState.Request()
    request.transition.id = Transition.TRANSITION_ACTIVATE
    future = client.call_async(request)
    stage.spin_until(future.done)
    assert not future.result().success
    assert stage.node.state == 'unconfigured'


def test_transition_by_service_runs_the_hooks(stage: Stage) -> None:
    """A lifecycle manager can do without autostart."""
    client = stage.node.create_client(ChangeState, 'sample/change_state')
    for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE,
                       Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
        request = ChangeState.Request()
        request.transition.id = transition
        future = client.call_async(request)
        stage.spin_until(future.done)
        assert future.result().success
    assert stage.node.journal == ['configure', 'activate', 'deactivate', 'release', 'released']


def test_failed_configure_leaves_its_reason_in_diagnostics(stage: Stage) -> None:
    """The release after it does not wipe the reason."""
    stage.node.set_parameters_atomically([Parameter('refuse', value='configure')])
    stage.node.trigger_configure()
    assert stage.node.state == 'unconfigured'
    stage.spin_until(lambda: stage.statuses.get('/sample: lifecycle', (0, ''))[0] == 2)
    assert stage.statuses['/sample: lifecycle'][1] == 'cannot configure: the port is gone'


@pytest.mark.parametrize(('parameter', 'reason'), [
    (Parameter('gian', value=1.0), "parameter 'gian' does not exist; did you mean 'gain'?"),
    (Parameter('gain', value='loud'),
     "parameter 'gain': found 'loud' (str), expected a number of at most 10"),
    (Parameter('gain', value=11.0),
     "parameter 'gain': found 11.0 (float), expected a number of at most 10"),
])
def test_bad_value_at_run_time_is_refused(
    stage: Stage, parameter: Parameter, reason: str,
) -> None:
    """The answer of `ros2 param set` says what would be right."""
    result = stage.node.set_parameters_atomically([parameter])
    assert (result.successful, result.reason) == (False, reason)
    assert stage.node.values['gain'] == 1.0


def test_dynamic_parameter_reaches_the_node(stage: Stage) -> None:
    """An integer for a number is accepted at run time too."""
    stage.node.trigger_configure()
    assert stage.node.set_parameters_atomically([Parameter('gain', value=2)]).successful
    assert stage.node.values['gain'] == stage.node.get_parameter('gain').value == 2.0
    assert stage.node.journal == ['configure', 'gain=2.0']


def test_fixed_parameter_changes_only_unconfigured(stage: Stage) -> None:
    """A value that is in use cannot silently differ from what the node does."""
    assert stage.node.set_parameters_atomically([Parameter('pose', value=[1.0])]).successful
    stage.node.trigger_configure()
    result = stage.node.set_parameters_atomically([Parameter('pose', value=[2.0])])
    assert not result.successful
    assert 'clean the node up first' in result.reason
    assert stage.node.values['pose'] == (1.0,)


def test_rates_are_reported_against_what_is_expected(stage: Stage) -> None:
    """A stream that stands still is a warning."""
    stage.node.monitor_rate('states', 200.0)
    stage.spin_until(lambda: stage.statuses.get('/sample: rates', (0, ''))[0] == 1)
    assert stage.statuses['/sample: rates'][1] == 'states at 0.0 Hz instead of 200.0 Hz'
