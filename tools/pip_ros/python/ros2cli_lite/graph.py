# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Look at the ROS graph through a short-lived node, without a daemon."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
import os
import time
from typing import TypeVar

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions

from ros2cli_lite.common import CommandError
from ros2cli_lite.common import suggestion

T = TypeVar('T')
NamesAndTypes = list[tuple[str, list[str]]]

POLL_S = 0.02
# Peers announce themselves every 0.25 s with tools/pip_ros/fastdds.xml, else every 3 s, and the
# first answer may be lost. What they offer follows at once: a graph at rest for QUIET_S is whole.
BRISK = bool(os.environ.get('FASTRTPS_DEFAULT_PROFILES_FILE'))
QUIET_S = 0.3
LEAST_S = 0.65
ALONE_S = 1.2 if BRISK else 3.3
MOST_S = 5.0
# How long a named topic, node or service may take to appear.
APPEAR_S = 3.0 if BRISK else 7.0
# rmw gives this name to the node of an endpoint while only the endpoint is known.
UNKNOWN_NODE = '_NODE_NAME_UNKNOWN_'


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that every command with a node has."""
    parser.add_argument('--spin-time', type=float, metavar='SECONDS',
                        help='wait exactly so long for discovery')
    parser.add_argument('-s', '--use-sim-time', action='store_true', help='run on /clock')
    parser.add_argument('--no-daemon', action='store_true',
                        help='accepted for compatibility: there is no daemon')


@contextmanager
def open_node(args: argparse.Namespace, name: str | None = None) -> Iterator[Node]:
    """Yield a hidden node of its own context; Ctrl-C stays a KeyboardInterrupt."""
    context = rclpy.Context()
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = rclpy.create_node(
            name or f'_ros2cli_{os.getpid()}', context=context, start_parameter_services=False,
            parameter_overrides=[
                Parameter('use_sim_time', value=getattr(args, 'use_sim_time', False)),
                Parameter('start_type_description_service', value=False)])
        try:
            yield node
        finally:
            node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)


@contextmanager
def open_graph(args: argparse.Namespace) -> Iterator[Node]:
    """Yield a node that has seen the whole graph."""
    with open_node(args) as node:
        settle(node, args.spin_time)
        yield node


def settle(node: Node, exactly_s: float | None = None) -> None:
    """Wait until discovery has come to rest, at most 5 s; or exactly so long when told."""
    if exactly_s is not None:
        time.sleep(exactly_s)
        return
    start = changed = time.monotonic()
    seen = _snapshot(node)
    while (now := time.monotonic()) - start < MOST_S:
        picture = _snapshot(node)
        if picture != seen:
            seen, changed = picture, now
        names = {name for name, _ in seen[0]}
        least_s = LEAST_S if names - {node.get_name()} else ALONE_S
        if UNKNOWN_NODE not in names and now - changed >= QUIET_S and now - start >= least_s:
            return
        time.sleep(POLL_S)


def _snapshot(node: Node) -> tuple[list, list]:
    # Every node publishes parameter events, and its name comes after its endpoints.
    ends = node.get_publishers_info_by_topic('/parameter_events')
    return (sorted((end.node_name, end.node_namespace) for end in ends),
            sorted(node.get_topic_names_and_types(no_demangle=True)))


def wait_until(look: Callable[[], T], limit_s: float = APPEAR_S) -> T:
    """Look until there is something true, at most `limit_s`; return the last look."""
    deadline = time.monotonic() + limit_s
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return found


def spin(node: Node, until: Callable[[], bool], limit_s: float | None = None) -> bool:
    """Work on the node's callbacks until the condition holds; False when the time ran out."""
    deadline = None if limit_s is None else time.monotonic() + limit_s
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    try:
        while not until():
            left_s = 0.1 if deadline is None else min(0.1, deadline - time.monotonic())
            if left_s <= 0:
                return False
            # Short waits, for a signal is seen only between them.
            executor.spin_once(timeout_sec=left_s)
    finally:
        executor.remove_node(node)
        executor.shutdown(timeout_sec=0)
    return True


def is_hidden(name: str) -> bool:
    """Tell whether a part of the name begins with an underscore."""
    return any(part.startswith('_') for part in name.split('/'))


def absolute(name: str) -> str:
    """Put a leading slash before a relative name."""
    return name if name.startswith('/') else f'/{name}'


def topics(node: Node, hidden: bool = False) -> NamesAndTypes:
    """List topics and their types, sorted."""
    return _visible(node.get_topic_names_and_types(), hidden)


def services(node: Node, hidden: bool = False) -> NamesAndTypes:
    """List services and their types, sorted."""
    return _visible(node.get_service_names_and_types(), hidden)


def _visible(names: NamesAndTypes, hidden: bool) -> NamesAndTypes:
    return sorted(entry for entry in names if hidden or not is_hidden(entry[0]))


def nodes(node: Node, hidden: bool = False) -> list[str]:
    """List the full names of nodes, sorted, one entry each time a name is taken."""
    names = [f'{space.rstrip("/")}/{name}'
             for name, space in node.get_node_names_and_namespaces()
             if name != UNKNOWN_NODE]
    return sorted(name for name in names if hidden or not name.split('/')[-1].startswith('_'))


def find_node(node: Node, name: str) -> str:
    """Wait for a node to appear and return its full name."""
    name = absolute(name)
    if not wait_until(lambda: name in nodes(node, hidden=True)):
        raise CommandError(f"Node '{name}' not found: "
                           + suggestion(name, nodes(node), 'ros2 node list'))
    return name


def split_name(full_name: str) -> tuple[str, str]:
    """Split a full node name into its name and namespace."""
    space, _, name = full_name.rpartition('/')
    return name, space or '/'


def find_topic(node: Node, name: str) -> tuple[str, list[str]]:
    """Wait for a topic to appear and return its full name and types."""
    return _find(node, name, topics, 'topic')


def find_service(node: Node, name: str) -> tuple[str, list[str]]:
    """Wait for a service to appear and return its full name and types."""
    return _find(node, name, services, 'service')


def _find(node: Node, name: str, listing: Callable[[Node, bool], NamesAndTypes],
          kind: str) -> tuple[str, list[str]]:
    name = absolute(name)
    types = wait_until(lambda: dict(listing(node, True)).get(name))
    if not types:
        known = [known for known, _ in listing(node, False)]
        raise CommandError(f"Unknown {kind} '{name}': "
                           + suggestion(name, known, f'ros2 {kind} list'))
    return name, types
