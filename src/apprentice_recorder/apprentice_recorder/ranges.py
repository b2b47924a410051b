# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The calibrated ranges that a contract's units need, from the driver's latched topic."""
from __future__ import annotations

import threading
import time

from apprentice_contract.contract import Contract
from apprentice_contract.contract import ContractError
from apprentice_msgs.msg import JointRanges
from apprentice_node.polling import PolledSubscription
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile

_LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_POLL_S = 0.02


def find_ranges(
    node: Node, contract: Contract, timeout_s: float, stopped: threading.Event,
) -> Contract:
    """
    Return the contract with the ranges (rad) that it does not carry itself.

    ContractError names the topic that stayed silent, or the joints that it does not know.
    """
    for topic in contract.ranges_topics:
        subscription = PolledSubscription(node, JointRanges, topic, _LATCHED)
        try:
            message = _wait(subscription, time.monotonic() + timeout_s, stopped)
        finally:
            subscription.destroy()
        if message is None:
            raise ContractError(
                f'{node.resolve_topic_name(topic)}: nothing came within {timeout_s:g} s, '
                "expected the joint ranges that the contract's units need. Does the driver run, "
                'and on this ROS_DOMAIN_ID?')
        contract = contract.with_ranges(topic, {
            name: (low, high)
            for name, low, high in zip(message.name, message.lower, message.upper)})
    return contract


def _wait(
    subscription: PolledSubscription, give_up: float, stopped: threading.Event,
) -> JointRanges | None:
    while time.monotonic() < give_up and not stopped.is_set():
        message = subscription.take()
        if message is not None:
            return message
        time.sleep(_POLL_S)
    return None
