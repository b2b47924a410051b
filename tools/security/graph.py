# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read from a running graph what each node publishes, subscribes, answers and calls."""
from __future__ import annotations

from collections.abc import Iterable

from policy import Enclave
from policy import Kind
from policy import Profile
from rclpy.node import Node

_ACTION = '/_action/'
# Any node may be given use_sim_time.
_CLOCK = '/clock'
_PARTS = {Kind.PUBLISH: Kind.EXECUTE, Kind.REPLY: Kind.EXECUTE,
          Kind.SUBSCRIBE: Kind.CALL, Kind.REQUEST: Kind.CALL}


def node_names(reader: Node) -> list[tuple[str, str]]:
    """Return name and namespace of every node but the reader."""
    own = (reader.get_name(), reader.get_namespace())
    return sorted(found for found in set(reader.get_node_names_and_namespaces()) if found != own)


def read_profile(reader: Node, name: str, namespace: str) -> Profile:
    """Return what a node does as the rules that allow that and the clock."""
    rules: dict[Kind, set[str]] = {kind: set() for kind in Kind}
    rules[Kind.SUBSCRIBE].add(_CLOCK)
    for kind, found in (
            (Kind.PUBLISH, reader.get_publisher_names_and_types_by_node(name, namespace)),
            (Kind.SUBSCRIBE, reader.get_subscriber_names_and_types_by_node(name, namespace)),
            (Kind.REPLY, reader.get_service_names_and_types_by_node(name, namespace)),
            (Kind.REQUEST, reader.get_client_names_and_types_by_node(name, namespace))):
        for full, _types in found:
            base, action, _part = full.partition(_ACTION)
            rules[_PARTS[kind] if action else kind].add(base)
    return Profile(namespace, name, {
        kind: frozenset(names) for kind, names in rules.items() if names})


def read_enclaves(reader: Node, names: Iterable[tuple[str, str]]) -> tuple[Enclave, ...]:
    """Return an enclave for each node, at the node's full name."""
    return tuple(
        Enclave(f'{namespace.rstrip("/")}/{name}', (read_profile(reader, name, namespace),))
        for name, namespace in names)
