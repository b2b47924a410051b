# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 topic hz`, `bw` and `delay`: measure a topic and report once a second."""
from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Callable
import math
import statistics
import time
from typing import Protocol

from rclpy.node import Node

from ros2cli_lite.common import Command
from ros2cli_lite.common import CommandError
from ros2cli_lite.graph import add_node_arguments
from ros2cli_lite.graph import open_node
from ros2cli_lite.graph import spin
from ros2cli_lite.topic_echo import Follower
from ros2cli_lite.topic_echo import topic_and_type

REPORT_S = 1.0


class Meter(Protocol):
    """Gather what one kind of measurement needs; `raw` messages stay bytes."""

    raw: bool

    def begin(self, node: Node, name: str, kind: type) -> None:
        """Refuse a topic that cannot be measured."""

    def receive(self, message: object) -> None:
        """Take in one message."""

    def report(self) -> str:
        """Return the lines to print; called only after new messages."""


class RateMeter:
    """Measure the time between arrivals."""

    raw = True

    def __init__(self, window: int) -> None:
        self._periods: deque[float] = deque(maxlen=max(1, window - 1))
        self._last_s: float | None = None

    def begin(self, node: Node, name: str, kind: type) -> None:
        """Accept every topic."""

    def receive(self, _: object) -> None:
        """Note the arrival."""
        now = time.monotonic()
        if self._last_s is not None:
            self._periods.append(now - self._last_s)
        self._last_s = now

    def report(self) -> str:
        """Return the mean rate and the spread of the periods."""
        if not self._periods:
            return ''
        mean = statistics.fmean(self._periods)
        return (f'average rate: {1 / mean if mean else math.inf:.3f}\n'
                f'{_spread(self._periods, mean)} window: {len(self._periods) + 1}')


class BandwidthMeter:
    """Measure the bytes a second of serialized messages."""

    raw = True

    def __init__(self, window: int) -> None:
        self._arrivals: deque[tuple[float, int]] = deque(maxlen=window)

    def begin(self, node: Node, name: str, kind: type) -> None:
        """Say what is measured."""
        print(f'Subscribed to [{name}]')

    def receive(self, message: bytes) -> None:
        """Note arrival and size."""
        self._arrivals.append((time.monotonic(), len(message)))

    def report(self) -> str:
        """Return the bandwidth and the sizes in its unit."""
        span_s = time.monotonic() - self._arrivals[0][0]
        sizes = [size for _, size in self._arrivals]
        if len(sizes) < 2 or span_s <= 0:
            return ''
        rate = sum(sizes) / span_s
        unit, scale = next(((u, s) for u, s in (('MB', 1e6), ('KB', 1e3)) if rate >= s), ('B', 1))
        digits = 2 if scale > 1 else 0
        mean, low, high = (f'{value / scale:.{digits}f} {unit}' for value in (
            statistics.fmean(sizes), min(sizes), max(sizes)))
        return (f'{rate / scale:.{digits}f} {unit}/s from {len(sizes)} messages\n'
                f'\tMessage size mean: {mean} min: {low} max: {high}')


class DelayMeter:
    """Measure the age of messages by the stamp in their header."""

    raw = False

    def __init__(self, window: int) -> None:
        self._delays: deque[float] = deque(maxlen=window)
        self._now_ns: Callable[[], int] = time.time_ns

    def begin(self, node: Node, name: str, kind: type) -> None:
        """Refuse messages without a header."""
        if 'header' not in kind.get_fields_and_field_types():
            raise CommandError(f"Messages of '{name}' have no header, so no stamp to measure from")
        self._now_ns = lambda: node.get_clock().now().nanoseconds

    def receive(self, message: object) -> None:
        """Note the age."""
        stamp = message.header.stamp
        self._delays.append((self._now_ns() - stamp.sec * 10**9 - stamp.nanosec) / 1e9)

    def report(self) -> str:
        """Return the mean age and its spread."""
        mean = statistics.fmean(self._delays)
        return (f'average delay: {mean:.3f}\n'
                f'{_spread(self._delays, mean)} window: {len(self._delays)}')


def _spread(values: deque[float], mean: float) -> str:
    deviation = statistics.pstdev(values, mean)
    return f'\tmin: {min(values):.3f}s max: {max(values):.3f}s std dev: {deviation:.5f}s'


def measure(args: argparse.Namespace, meter: Meter) -> None:
    """Feed a meter from a topic and print its report every second with news, until Ctrl-C."""
    with open_node(args) as node:
        name, kind = topic_and_type(node, args.topic_name, None)
        meter.begin(node, name, kind)
        fresh = False

        def receive(message: object) -> None:
            nonlocal fresh
            fresh = True
            meter.receive(message)

        Follower(node, name, kind, receive, raw=meter.raw)
        due_s = time.monotonic() + REPORT_S
        while True:
            spin(node, lambda: False, due_s - time.monotonic())
            due_s += REPORT_S
            lines = meter.report() if fresh else ''
            fresh = False
            if lines:
                print(lines)


def _command(summary: str, make: Callable[[int], Meter], window: int) -> Command:
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        add_node_arguments(parser)
        parser.add_argument('topic_name', help="name of the topic, e.g. '/follower/joint_states'")
        parser.add_argument('-w', '--window', type=_positive, default=window, metavar='N',
                            help=f'number of messages to look back over (default: {window})')

    return Command(summary, add_arguments, lambda args: measure(args, make(args.window)))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'expected a whole number from 1, found {text!r}')
    return int(text)


RATE = _command('Show the rate of a topic', RateMeter, 10000)
BANDWIDTH = _command('Show the bandwidth of a topic', BandwidthMeter, 100)
DELAY = _command('Show the age of messages on arrival', DelayMeter, 10000)
