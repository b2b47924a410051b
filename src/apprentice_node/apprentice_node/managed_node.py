# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Base of every node: strict parameters, a lifecycle that reports its faults, diagnostics."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import threading
import time
import traceback
from types import MappingProxyType

from apprentice_node.diagnostics import Health
from apprentice_node.diagnostics import Level
from apprentice_node.diagnostics import rates_health
from apprentice_node.diagnostics import to_message
from apprentice_node.parameters import ParameterError
from apprentice_node.parameters import ParameterSpec
from apprentice_node.parameters import Value
from apprentice_node.rates import RateMonitor
from apprentice_node.ros_parameters import ParameterTable
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

AUTOSTART = ParameterSpec(
    'autostart', True, 'Configure and activate at start, without a lifecycle manager.')
DIAGNOSTICS_PERIOD_S = 1.0

_SUCCESS = TransitionCallbackReturn.SUCCESS
_FAILURE = TransitionCallbackReturn.FAILURE
_ERROR = TransitionCallbackReturn.ERROR


class ManagedNode(LifecycleNode):
    """
    A lifecycle node whose subclass fills in configure, activate, deactivate and release.

    A hook that raises one of `expected_errors` fails its transition with one logged line; any
    other exception is logged with its traceback, releases and leaves the node unconfigured.
    """

    expected_errors: tuple[type[Exception], ...] = ()

    def __init__(self, name: str, specs: Sequence[ParameterSpec] = (), **kwargs: object) -> None:
        """Declare the parameters; raise ParameterError for an override they do not allow."""
        super().__init__(name, **kwargs)
        self._table: ParameterTable | None = None
        table = ParameterTable(self, (AUTOSTART, *specs))
        super().set_parameters_atomically(table.initial())
        self._table = table
        self.stop_requested = threading.Event()
        self._monitors: list[RateMonitor] = []
        self._fault: str | None = None
        self._last_error = ''
        self._wake = self.create_guard_condition(self._handle_fault)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_timer(DIAGNOSTICS_PERIOD_S, self.publish_diagnostics,
                          clock=Clock(clock_type=ClockType.STEADY_TIME))
        # rclpy lets an impossible transition end the process.
        self._change_state = self._service_change_state.callback
        self._service_change_state.callback = self._on_change_state

    def configure(self) -> None:
        """Acquire everything the node needs; raise to fail. Failing, `release` is called."""

    def activate(self) -> None:
        """Start working; raise to stay inactive."""

    def deactivate(self) -> None:
        """Stop working and keep everything acquired."""

    def release(self) -> None:
        """Give everything back, from any state and more than once without harm."""

    def parameter_changed(self, name: str, value: Value) -> None:
        """Take over a dynamic parameter set while the node is configured."""

    def health(self) -> Iterable[Health]:
        """Return the health of the node's parts, once a second."""
        return ()

    @property
    def values(self) -> Mapping[str, Value]:
        """Return the parameters, checked and in their final types."""
        return MappingProxyType(self._table.values)

    @property
    def state(self) -> str:
        """Return the lifecycle state's label: unconfigured, inactive, active or finalized."""
        return self._state_machine.current_state[1]

    @property
    def last_error(self) -> str:
        """Return why the last transition failed or the last fault, until one succeeds."""
        return self._last_error

    def monitor_rate(
        self, name: str, expected_hz: float = 0.0, tolerance: float = 0.1,
    ) -> RateMonitor:
        """Return a monitor that diagnostics report, in place of an earlier one of the name."""
        monitor = RateMonitor(name, expected_hz, tolerance)
        self._monitors = [m for m in self._monitors if m.name != name] + [monitor]
        return monitor

    def drop_rates(self) -> None:
        """Stop reporting every rate."""
        self._monitors = []

    def fault(self, reason: str) -> None:
        """
        Leave the active or inactive state with ERROR: the executor releases and unconfigures.

        Callable from any thread; the first reason counts.
        """
        if self._fault is None:
            self._fault = reason
            self._wake.trigger()

    def thread_failed(self, error: BaseException) -> None:
        """Log the exception that ends the calling thread, with its traceback, and fault."""
        self.get_logger().error(''.join(traceback.format_exception(error)))
        self.fault(f'the {threading.current_thread().name} thread failed: '
                   f'{type(error).__name__}: {error}')

    def request_stop(self) -> None:
        """Ask `run` to release and end, from any thread; long hooks watch `stop_requested`."""
        self.stop_requested.set()
        self._wake.trigger()

    def publish_diagnostics(self) -> None:
        """Publish the node's health now."""
        now_ns = time.monotonic_ns()
        parts = [self._lifecycle_health()]
        readings = [monitor.read(now_ns) for monitor in list(self._monitors)]
        if readings:
            parts.append(rates_health(readings))
        parts.extend(self.health())
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        name = self.get_fully_qualified_name()
        message.status = [to_message(name, part) for part in parts]
        self._diagnostics.publish(message)

    # Transitions --------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run the hook; a failure releases what it had acquired."""
        self._fault = None
        outcome = self._run_hook('configure', self.configure)
        if outcome is _FAILURE:
            error = self._last_error
            self._run_hook('release', self.release)
            self._last_error = error
        return outcome

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run the hook."""
        return self._run_hook('activate', self.activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run the hook; a fault takes the error path instead."""
        if self._fault is not None:
            return _ERROR
        return self._run_hook('deactivate', self.deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release; a fault takes the error path, which releases too."""
        if self._fault is not None:
            return _ERROR
        return self._run_hook('clean up', self.release)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release from whatever state."""
        return self._run_hook('shut down', self.release)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release and become unconfigured; finalized if even that fails."""
        error = self._fault or self._last_error
        outcome = self._run_hook('release after an error', self.release)
        self._fault, self._last_error = None, error
        return outcome if outcome is _SUCCESS else _FAILURE

    def _run_hook(self, verb: str, hook: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            hook()
        except self.expected_errors as error:
            self._last_error = f'cannot {verb}: {error}'
            if self.stop_requested.is_set() and verb in ('configure', 'activate'):
                self.get_logger().info(self._last_error)
            else:
                self.get_logger().error(self._last_error)
            return _FAILURE
        except Exception as error:
            self._last_error = f'cannot {verb}: {type(error).__name__}: {error}'
            self.get_logger().error(f'cannot {verb}:\n{traceback.format_exc()}')
            return _ERROR
        self._last_error = ''
        return _SUCCESS

    def _handle_fault(self) -> None:
        if self._fault is None:
            return
        self.get_logger().error(f'fault while {self.state}: {self._fault}')
        if self.state == 'active':
            self.trigger_deactivate()
        elif self.state == 'inactive':
            self.trigger_cleanup()
        else:
            self._last_error, self._fault = self._fault, None
        self.publish_diagnostics()

    def _on_change_state(
        self, request: ChangeState.Request, response: ChangeState.Response,
    ) -> ChangeState.Response:
        try:
            response = self._change_state(request, response)
        except RuntimeError as error:
            asked = request.transition.label or request.transition.id
            self.get_logger().warning(
                f"transition '{asked}' is not possible while {self.state}: {error}")
            response.success = False
        self.publish_diagnostics()
        return response

    def _lifecycle_health(self) -> Health:
        if self._last_error:
            return Health('lifecycle', Level.ERROR, self._last_error, {'state': self.state})
        return Health('lifecycle', Level.OK, self.state, {'state': self.state})

    # Parameters ---------------------------------------------------------------------------

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set all parameters or none; the reason of a refusal says what would be right."""
        if self._table is None:  # rclpy's own, while the node is being built
            return super().set_parameters_atomically(parameter_list)
        configured = self.state not in ('unconfigured', 'finalized')
        try:
            checked = self._table.check(parameter_list, configured)
        except ParameterError as error:
            return SetParametersResult(successful=False, reason=str(error))
        result = super().set_parameters_atomically(checked)
        if result.successful:
            self._table.accept(checked)
            if configured:
                for parameter in checked:
                    self.parameter_changed(parameter.name, self.values.get(parameter.name))
        return result
