# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Policies in the format of SROS2 (policy.xsd, version 0.2.0), and the DDS topics that they allow.

How ROS names become DDS topics: design.ros2.org, 'Topic and Service name mapping to DDS'.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from enum import Enum
from pathlib import Path
import re
from xml.etree import ElementTree

VERSION = '0.2.0'
_PATH = re.compile(r'(/[A-Za-z_]\w*)+')
_NAME = re.compile(r'[/~]?[\w/*?\[\]-]*')
_HEADER = """<?xml version="1.0" encoding="UTF-8"?>
"""


class PolicyError(ValueError):
    """Say which entry of which policy file is not what it should be."""


class Kind(Enum):
    """What a rule allows: the element and the attribute of the policy format."""

    PUBLISH = ('topics', 'topic', 'publish')
    SUBSCRIBE = ('topics', 'topic', 'subscribe')
    REPLY = ('services', 'service', 'reply')
    REQUEST = ('services', 'service', 'request')
    EXECUTE = ('actions', 'action', 'execute')
    CALL = ('actions', 'action', 'call')


_ACTION_SERVICES = ('cancel_goal', 'get_result', 'send_goal')
_ACTION_TOPICS = ('feedback', 'status')


@dataclass(frozen=True)
class Profile:
    """What one node may do: full names by kind."""

    namespace: str
    node: str
    rules: Mapping[Kind, frozenset[str]] = field(default_factory=dict)

    def dds_topics(self) -> tuple[set[str], set[str]]:
        """Return the DDS topics that the node may publish and subscribe."""
        publish: set[str] = set()
        subscribe: set[str] = set()
        for kind, names in self.rules.items():
            for name in names:
                out, into = _dds(kind, name)
                publish |= out
                subscribe |= into
        return publish, subscribe


@dataclass(frozen=True)
class Enclave:
    """What the processes that hold one identity may do."""

    path: str
    profiles: tuple[Profile, ...]


def _dds(kind: Kind, name: str) -> tuple[set[str], set[str]]:
    if kind is Kind.PUBLISH:
        return {f'rt{name}'}, set()
    if kind is Kind.SUBSCRIBE:
        return set(), {f'rt{name}'}
    if kind is Kind.REQUEST:
        return {f'rq{name}Request'}, {f'rr{name}Reply'}
    if kind is Kind.REPLY:
        return {f'rr{name}Reply'}, {f'rq{name}Request'}
    requests = {f'rq{name}/_action/{part}Request' for part in _ACTION_SERVICES}
    replies = {f'rr{name}/_action/{part}Reply' for part in _ACTION_SERVICES}
    topics = {f'rt{name}/_action/{part}' for part in _ACTION_TOPICS}
    if kind is Kind.CALL:
        return requests, replies | topics
    return replies | topics, requests


def load(path: Path) -> tuple[Enclave, ...]:
    """Read a policy file; PolicyError names the file, the entry, what was found and expected."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise PolicyError(f'policy {path}: cannot be read: {error}') from None
    if root.tag != 'policy' or root.get('version') != VERSION:
        raise PolicyError(f'policy {path}: found <{root.tag} version={root.get("version")!r}>, '
                          f'expected <policy version="{VERSION}">')
    try:
        enclaves = tuple(_enclave(element) for element in root.findall('enclaves/enclave'))
    except PolicyError as error:
        raise PolicyError(f'policy {path}: {error}') from None
    paths = [enclave.path for enclave in enclaves]
    if not paths or len(set(paths)) != len(paths):
        raise PolicyError(f'policy {path}: found enclaves {paths}, expected each once')
    return enclaves


def _enclave(element: ElementTree.Element) -> Enclave:
    path = element.get('path', '')
    if not _PATH.fullmatch(path):
        raise PolicyError(f'enclave path {path!r}: expected a name such as /follower/driver')
    profiles = tuple(_profile(path, found) for found in element.findall('profiles/profile'))
    if not profiles:
        raise PolicyError(f'enclave {path}: found no profile, expected at least one')
    return Enclave(path, profiles)


def _profile(path: str, element: ElementTree.Element) -> Profile:
    namespace, node = element.get('ns', ''), element.get('node', '')
    if not namespace.startswith('/') or not node:
        raise PolicyError(f'enclave {path}: profile ns={namespace!r} node={node!r}: expected a '
                          'namespace that begins with / and the name of a node')
    rules: dict[Kind, set[str]] = {}
    for group in element:
        kinds = [kind for kind in Kind if kind.value[0] == group.tag and kind.value[2] in
                 group.attrib]
        if not kinds or any(group.get(kind.value[2]) != 'ALLOW' for kind in kinds) \
                or len(group.attrib) != len(kinds):
            raise PolicyError(f'enclave {path}: <{group.tag} {dict(group.attrib)}>: expected '
                              'topics, services or actions with attributes that say ALLOW')
        for kind in kinds:
            names = rules.setdefault(kind, set())
            names |= {_full(path, namespace, node, kind, item) for item in group}
    return Profile(namespace, node, {kind: frozenset(names) for kind, names in rules.items()})


def _full(
    path: str, namespace: str, node: str, kind: Kind, item: ElementTree.Element,
) -> str:
    name = (item.text or '').strip()
    if item.tag != kind.value[1] or not name or not _NAME.fullmatch(name):
        raise PolicyError(f'enclave {path}: <{item.tag}>{name}: expected <{kind.value[1]}> and a '
                          'name, relative, of the node (~) or absolute')
    base = namespace.rstrip('/')
    if name.startswith('/'):
        return name
    return f'{base}/{node}{name[1:]}' if name.startswith('~') else f'{base}/{name}'


def moved(enclave: Enclave, namespace: str) -> Enclave:
    """Return an enclave of a robot whose nodes and topics lie in a namespace."""
    base = namespace.rstrip('/')
    if not base:
        return enclave
    return Enclave(base + enclave.path, tuple(
        Profile(base + profile.namespace.rstrip('/') or '/', profile.node, {
            kind: frozenset(_moved(name, base) for name in names)
            for kind, names in profile.rules.items()})
        for profile in enclave.profiles))


# These are the same for every robot, whatever its namespace.
GLOBAL = ('/estop', '/diagnostics', '/rosout', '/parameter_events', '/clock', '/*', '/_ros2cli*')


def _moved(name: str, base: str) -> str:
    return name if name in GLOBAL or name.startswith('/_ros2cli') else base + name


def to_xml(enclaves: tuple[Enclave, ...], comment: str = '') -> str:
    """Return the text of a policy file, names short where the namespace allows it, sorted."""
    root = ElementTree.Element('policy', version=VERSION)
    below = ElementTree.SubElement(root, 'enclaves')
    for enclave in sorted(enclaves, key=lambda found: found.path):
        element = ElementTree.SubElement(below, 'enclave', path=enclave.path)
        profiles = ElementTree.SubElement(element, 'profiles')
        for profile in enclave.profiles:
            _append(profiles, profile)
    ElementTree.indent(root)
    note = f'<!--\n{comment}\n-->\n' if comment else ''
    return _HEADER + note + ElementTree.tostring(root, encoding='unicode') + '\n'


def _append(profiles: ElementTree.Element, profile: Profile) -> None:
    element = ElementTree.SubElement(
        profiles, 'profile', ns=profile.namespace, node=profile.node)
    for kind in Kind:
        names = profile.rules.get(kind)
        if names:
            group = ElementTree.SubElement(element, kind.value[0], {kind.value[2]: 'ALLOW'})
            for name in sorted(_short(profile, name) for name in names):
                ElementTree.SubElement(group, kind.value[1]).text = name


def _short(profile: Profile, name: str) -> str:
    base = profile.namespace.rstrip('/')
    own = f'{base}/{profile.node}/'
    if name.startswith(own):
        return '~/' + name.removeprefix(own)
    if name in GLOBAL or not name.startswith(f'{base}/'):
        return name
    return name.removeprefix(f'{base}/')
