# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run a managed node as a process: start, spin, release on a signal, exit code."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from enum import IntEnum
import sys
import traceback

from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import ParameterError
from apprentice_node.priority import exempt_from_collection
from apprentice_node.priority import shorten_switch_interval
from apprentice_node.signals import StopSignals
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.logging import get_logger
from rclpy.signals import SignalHandlerOptions


class ExitCode(IntEnum):
    """Say why the process ended."""

    OK = 0
    FAILED = 1
    BAD_PARAMETERS = 2


def run(factory: Callable[[], ManagedNode], argv: Sequence[str] | None = None) -> int:
    """
    Run the node that the factory makes until a signal, and release it.

    Returns 0 after a signal, 1 when the node could not start or release, 2 for bad arguments.
    """
    signals = StopSignals()
    shorten_switch_interval()
    try:
        rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # rclpy raises private types for a bad argument or file
        print(f'bad ROS arguments or parameter file: {error}', file=sys.stderr)
        signals.close()
        return ExitCode.BAD_PARAMETERS
    try:
        return _run_node(factory, signals)
    finally:
        signals.close()
        rclpy.try_shutdown()


def _run_node(factory: Callable[[], ManagedNode], signals: StopSignals) -> int:
    try:
        node = factory()
    except ParameterError as error:
        for line in str(error).splitlines():
            get_logger('parameters').fatal(line)
        return ExitCode.BAD_PARAMETERS
    signals.on_stop(node.request_stop)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        code = _live(node, executor)
    finally:
        signals.on_stop(_nothing)
        executor.shutdown()
        node.destroy_node()
    return code


def _live(node: ManagedNode, executor: SingleThreadedExecutor) -> int:
    code = ExitCode.OK
    exempt_from_collection()
    if node.values['autostart'] and not _autostart(node) and not node.stop_requested.is_set():
        code = ExitCode.FAILED
    else:
        exempt_from_collection()
        _spin(node, executor)
    if node.state in ('unconfigured', 'inactive', 'active'):
        if node.trigger_shutdown() != TransitionCallbackReturn.SUCCESS:
            code = ExitCode.FAILED
    return code


def _autostart(node: ManagedNode) -> bool:
    if node.trigger_configure() != TransitionCallbackReturn.SUCCESS:
        return False
    if node.stop_requested.is_set():
        return True
    started = node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    node.publish_diagnostics()
    return started


def _spin(node: ManagedNode, executor: SingleThreadedExecutor) -> None:
    while not node.stop_requested.is_set():
        try:
            executor.spin_once()
        except ExternalShutdownException:
            return
        except Exception as error:
            node.get_logger().error(f'callback failed:\n{traceback.format_exc()}')
            node.fault(f'a callback failed: {type(error).__name__}: {error}')


def _nothing() -> None:
    """Take the place of a node that is gone."""
