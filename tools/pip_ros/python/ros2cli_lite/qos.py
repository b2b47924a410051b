# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Quality of service: options of the command line, and what fits the other side."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from enum import Enum

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy
from rclpy.qos import HistoryPolicy
from rclpy.qos import LivelinessPolicy
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos import qos_profile_system_default
from rclpy.qos import QoSPresetProfiles
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

# Joint states arrive in bursts after a stall; a deep queue costs only what is really in it.
DEPTH = 100
PRESETS = {
    'default': QoSPresetProfiles.get_from_short_key('default'),
    'sensor_data': qos_profile_sensor_data,
    'system_default': qos_profile_system_default,
    'services_default': QoSPresetProfiles.get_from_short_key('services_default'),
    'parameters': QoSPresetProfiles.get_from_short_key('parameters'),
    'parameter_events': QoSPresetProfiles.get_from_short_key('parameter_events'),
}
POLICIES: dict[str, type[Enum]] = {
    'history': HistoryPolicy, 'reliability': ReliabilityPolicy, 'durability': DurabilityPolicy,
    'liveliness': LivelinessPolicy}


def add_qos_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that override what is adapted to the other side."""
    parser.add_argument('--qos-profile', choices=sorted(PRESETS), help='start from this preset')
    parser.add_argument('--qos-depth', type=int, metavar='N', help='queue size')
    for name, policy in POLICIES.items():
        parser.add_argument(f'--qos-{name}', choices=[member.name.lower() for member in policy])
    parser.add_argument('--qos-liveliness-lease-duration-seconds', type=float, metavar='S')


def subscription_qos(args: argparse.Namespace | None,
                     publishers: Sequence[TopicEndpointInfo]) -> QoSProfile:
    """Choose the strongest service that every publisher offers, then apply the options."""
    offered = [publisher.qos_profile for publisher in publishers]
    profile = QoSProfile(
        depth=DEPTH,
        reliability=_reliability(offered),
        durability=_durability(bool(offered) and all(
            qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)))
    return profile if args is None else _overridden(profile, args)


def publisher_qos(args: argparse.Namespace,
                  subscriptions: Sequence[TopicEndpointInfo]) -> QoSProfile:
    """Offer reliable, and transient local where a subscription asks for it."""
    asked = [subscription.qos_profile for subscription in subscriptions]
    profile = QoSProfile(
        depth=10, reliability=ReliabilityPolicy.RELIABLE,
        durability=_durability(any(
            qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in asked)))
    return _overridden(profile, args)


def _reliability(offered: Sequence[QoSProfile]) -> ReliabilityPolicy:
    if offered and all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered):
        return ReliabilityPolicy.RELIABLE
    return ReliabilityPolicy.BEST_EFFORT


def _durability(latched: bool) -> DurabilityPolicy:
    return DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE


def _overridden(adapted: QoSProfile, args: argparse.Namespace) -> QoSProfile:
    profile = PRESETS[args.qos_profile] if args.qos_profile else adapted
    chosen = {name: policy[getattr(args, f'qos_{name}').upper()]
              for name, policy in POLICIES.items() if getattr(args, f'qos_{name}')}
    lease_s = args.qos_liveliness_lease_duration_seconds
    fields = {
        'depth': profile.depth if args.qos_depth is None else args.qos_depth,
        'history': profile.history, 'reliability': profile.reliability,
        'durability': profile.durability, 'liveliness': profile.liveliness,
        'liveliness_lease_duration': (profile.liveliness_lease_duration if lease_s is None
                                      else Duration(seconds=lease_s))}
    return QoSProfile(**(fields | chosen))
