# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A running graph: what nodes report, and what the command guards refused."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import os

from apprentice_control.reasons import Kind
from apprentice_control.reasons import Reason
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from apprentice_doctor.listening import Graph
from apprentice_doctor.listening import listen
from apprentice_doctor.robot import Question
from apprentice_msgs.msg import GuardState
from feetech_driver.registers import alarm_names

_REFUSALS = {reason.value[0] for reason in Reason if reason.value[1] is Kind.REFUSAL} | {
    'position_limit'}
# Refused before anybody does wrong: while an arm starts, or another source owns it.
_HARMLESS = {'not_active', 'points_dropped'}
_TEMPERATURE, _OVERHEATED = 'temperature [C]', alarm_names(0x04)[0]
_SILENT = ('stream_silent', 'stream_late', 'owner_silent')


def check(question: Question) -> Iterator[Finding]:
    """Listen to diagnostics and guards."""
    graph = listen(question.seconds)
    if not graph.nodes:
        yield fine('no-graph', 'no node runs in domain ' + os.environ.get('ROS_DOMAIN_ID', '0'))
        return
    for name, count in graph.nodes.items():
        if count > 1:
            yield Finding(
                Level.ERROR, 'duplicate-nodes', f'{count} nodes have one name', name, str(count),
                'one', 'stop all but one, or give each a namespace; in a classroom, give each '
                'robot a ROS_DOMAIN_ID')
    yield from _diagnostics(graph)
    for topic, guard in sorted(graph.guards.items()):
        yield from _guard(topic.removesuffix('/guard_state'), guard, graph)
    for topic in sorted(graph.guard_topics - graph.guards.keys()):
        yield Finding(
            Level.WARN, 'guard-silent', 'a command guard does not tell its state', topic,
            'no message', 'its latched state', 'is its driver stuck? Look at its log')


def _diagnostics(graph: Graph) -> Iterator[Finding]:
    bad = 0
    for name, status in sorted(graph.statuses.items()):
        level = min(status.level[0], 2)
        values = {item.key: item.value for item in status.values}
        if level:
            bad += 1
            yield Finding(
                Level(level), 'hot-motor' if _is_heat(status.message, values) else
                'node-error' if level == Level.ERROR else 'node-warning', status.message, name,
                cure='what to do is in the message, the log of the node has more')
        count = values.get('reconnects', '0')
        if count.isdigit() and int(count):
            yield Finding(
                Level.WARN, 'reconnected', 'the port went away and came back', name,
                f'{count} times', 'never', 'fix the USB cable where it enters; use a powered hub')
    for name in sorted(graph.reporters - graph.heard):
        yield Finding(
            Level.WARN, 'node-stale', 'the node has stopped to report', name, 'silence',
            'a report every second', 'it hangs or is overloaded: look at its log')
    if not bad:
        yield fine('nodes', f'{sum(graph.nodes.values())} nodes, {len(graph.statuses)} reports, '
                   'all in order')


def _is_heat(message: str, values: Mapping[str, str]) -> bool:
    celsius = values.get(_TEMPERATURE)
    return bool(celsius) and (message.startswith(f'{celsius} C') or _OVERHEATED in message)


def _guard(arm: str, guard: GuardState, graph: Graph) -> Iterator[Finding]:
    counts = dict(zip(guard.counter_names, guard.counter_values))
    refused = {name: count for name, count in counts.items()
               if count and name in _REFUSALS - _HARMLESS}
    if refused:
        last = f'; now: {guard.detail}' if guard.reason in refused else ''
        yield Finding(
            Level.WARN, 'rejected-commands', 'commands were refused or clamped', arm,
            ', '.join(f'{name} {count}' for name, count in refused.items()) + last, 'none',
            'mend the program that sends them; docs/safety.md explains each word')
    if guard.reason == 'unreachable':
        yield Finding(
            Level.ERROR, 'arm-unreachable', 'the arm does not answer: it holds', arm,
            guard.detail, 'answers from all motors', 'check USB cable, supply and the cables '
            'between the motors; the driver takes the arm back by itself')
    if guard.reason == 'rebased':
        yield fine('reconnected', 'the bus came back; the measured pose is held', arm)
    if guard.state == GuardState.ESTOPPED:
        yield Finding(
            Level.WARN, 'estopped', 'the emergency stop is latched', arm, guard.detail, 'released',
            f'when all is safe:\n  ros2 service call {arm}/estop_reset std_srvs/srv/Trigger')
    if guard.reason in _SILENT:
        yield from _silence(arm, guard, graph)


def _silence(arm: str, guard: GuardState, graph: Graph) -> Iterator[Finding]:
    sources = sorted(topic for topic in graph.sources if topic.startswith(f'{arm}/'))
    if not sources:
        yield fine('command-silence', 'the source of commands has ended; the arm holds', arm)
        return
    yield Finding(
        Level.WARN, 'command-silence', 'a source of commands is there, but silent', arm,
        f'{guard.reason}: {guard.detail or ", ".join(sources)}', 'commands',
        'engage it again, or end it; the arm holds until then')
