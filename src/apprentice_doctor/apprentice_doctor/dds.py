# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The middleware: domain, multicast, discovery and loss between two processes."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import socket
import subprocess
import sys
import time

from apprentice_doctor import dds_peer
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from apprentice_doctor.listening import ros_node
from apprentice_doctor.robot import Question
from rclpy.qos import qos_profile_sensor_data
from rclpy.utilities import get_rmw_implementation_identifier
from std_msgs.msg import UInt8MultiArray

# Higher ones collide with the ports that the system gives to programs.
_LAST_DOMAIN = 101
_IFF_UP, _IFF_LOOPBACK, _IFF_MULTICAST = 0x1, 0x8, 0x1000
_GROUP = '239.255.0.1'
_LOSS = 0.01
_DISCOVERY_S = 2.0
_END_S = 20.0


def check(question: Question) -> Iterator[Finding]:
    """Try what a graph of two processes needs."""
    domain = os.environ.get('ROS_DOMAIN_ID', '') or '0'
    if not domain.isdigit() or int(domain) > _LAST_DOMAIN:
        yield Finding(
            Level.ERROR, 'domain', 'ROS_DOMAIN_ID is not usable', '', domain,
            f'a number from 0 to {_LAST_DOMAIN}', '  export ROS_DOMAIN_ID=0')
        return
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '') or 'default reach'
    yield fine('domain', f'{get_rmw_implementation_identifier()}, domain {domain}, {reach}')
    yield from _interfaces(question.root)
    yield _multicast()
    yield from _stream()


def _interfaces(root: Path) -> Iterator[Finding]:
    able = []
    for path in sorted(root.glob('sys/class/net/*/flags')):
        try:
            flags = int(path.read_text().strip(), 16)
        except (OSError, ValueError):
            continue
        if flags & _IFF_UP and flags & _IFF_MULTICAST and not flags & _IFF_LOOPBACK:
            able.append(path.parent.name)
    if able:
        yield fine('interfaces', f'multicast on {", ".join(able)}')
    else:
        yield fine('interfaces', 'no network with multicast: this host alone')


def _multicast() -> Finding:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            receiver.bind(('', 0))
            receiver.settimeout(1.0)
            member = socket.inet_aton(_GROUP) + socket.inet_aton('0.0.0.0')
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            sender.sendto(b'doctor', (_GROUP, receiver.getsockname()[1]))
            receiver.recv(64)
        return fine('multicast', 'a multicast packet of this host reaches it')
    except OSError as error:
        return Finding(
            Level.WARN, 'multicast', 'multicast does not work: nodes may not find each other', '',
            str(error), 'a packet that comes back', 'allow it in the firewall, or:\n'
            '  sudo ip link set lo multicast on\n'
            '  sudo ip route add 224.0.0.0/4 dev lo')


def _stream() -> Iterator[Finding]:
    topic = f'/apprentice_doctor/probe_{os.getpid()}'
    numbers: set[int] = set()

    def heard(message: UInt8MultiArray) -> None:
        numbers.add(int.from_bytes(bytes(message.data[:4]), 'little'))

    with ros_node('apprentice_doctor') as (node, executor):
        node.create_subscription(UInt8MultiArray, topic, heard, qos_profile_sensor_data)
        peer = subprocess.Popen(
            [sys.executable, '-m', 'apprentice_doctor.dds_peer', topic],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            found_s = None
            begin = time.monotonic()
            while peer.poll() is None and time.monotonic() < begin + _END_S:
                executor.spin_once(timeout_sec=0.05)
                if found_s is None and node.count_publishers(topic):
                    found_s = time.monotonic() - begin
        finally:
            if peer.poll() is None:
                peer.kill()
            peer.communicate()
    if not numbers:
        yield Finding(
            Level.ERROR, 'discovery', 'two processes of this host do not find each other', '',
            f'no message within {time.monotonic() - begin:.0f} s', 'messages',
            'is a firewall on, or ROS_AUTOMATIC_DISCOVERY_RANGE=OFF? Let ROS '
            'through, or unset that')
        return
    yield fine('discovery', f'another process was found {found_s or 0.0:.1f} s after its start')
    lost = dds_peer.COUNT - len(numbers)
    mbit = dds_peer.SIZE * 8 * dds_peer.RATE_HZ / 1e6
    text = f'{lost} of {dds_peer.COUNT} messages lost at {mbit:.0f} Mbit/s'
    if lost <= _LOSS * dds_peer.COUNT:
        yield fine('loss', text)
    else:
        yield Finding(
            Level.WARN, 'loss', 'messages between two processes get lost', '', text,
            f'at most {_LOSS:.0%}', 'end other programs, and allow larger buffers:\n'
            '  sudo sysctl -w net.core.rmem_max=8388608')
