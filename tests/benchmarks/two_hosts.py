#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Four arms at 200 Hz and two cameras at 30 Hz from one network namespace to another.

Over a good cable and over one with delay and loss, the latter by Fast DDS's defaults and by the
profile of config/two_hosts. Needs root, or a kernel that lets users make namespaces.
"""
from __future__ import annotations

import argparse
from collections.abc import Mapping
import json
import os
from pathlib import Path
import sys
from typing import Any

from _common import Report
from _hosts import Cable
from _hosts import end
from _hosts import two_hosts

_PROGRAM = str(Path(__file__).with_name('_traffic.py'))
_RATE_TOLERANCE = 0.02
_ROOT = Path(__file__).resolve().parents[2]
_DEFAULT = {**os.environ, 'ROS_DOMAIN_ID': '7', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}
_PROFILE = {**_DEFAULT, 'FASTRTPS_DEFAULT_PROFILES_FILE':
            str(_ROOT / 'config' / 'two_hosts' / 'fastdds.xml')}


def carry(
    cable: Cable, environment: Mapping[str, str], seconds: float, kilobytes: float,
) -> dict[str, dict[str, Any]]:
    """Return what came of each stream."""
    with two_hosts(cable) as (robot, desk):
        sender = robot.start(sys.executable, _PROGRAM, 'send', str(kilobytes),
                             environment=environment)
        try:
            return json.loads(desk.run(
                sys.executable, _PROGRAM, 'listen', str(seconds), environment=environment))
        finally:
            end(sender)


def judge(
    report: Report, came: dict[str, dict[str, Any]], seconds: float, is_bound: bool,
) -> None:
    """Print how many came, ages and losses, arms and cameras each as one."""
    for what, word, rate_hz in (('arms', 'joint_states', 200), ('cameras', 'compressed', 30)):
        streams = [one for topic, one in came.items() if word in topic]
        ages = [age for one in streams for age in one['ages_ms']]
        report.row(f'{what}: from stamp to receipt', ages, 'ms')
        lost = sum(one['numbers'][-1] - one['numbers'][0] + 1 - len(one['numbers'])
                   for one in streams)
        share = len(ages) / (len(streams) * seconds * rate_hz)
        report.line(f'{what}: {share:.1%} of {rate_hz} Hz came, {lost} lost by sequence number')
        if is_bound:
            report.bound(f'{what}: 0 lost', lost == 0)
            report.bound(f'{what}: {rate_hz} Hz within {_RATE_TOLERANCE:.0%}',
                         abs(share - 1.0) < _RATE_TOLERANCE)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=60.0, help='over each cable')
    parser.add_argument('--kilobytes', type=float, default=60.0, help='of a picture')
    parser.add_argument('--delay-ms', type=float, default=5.0, help='one way, of the bad cable')
    parser.add_argument('--loss', type=float, default=0.01, help='of frames, of the bad cable')
    options = parser.parse_args()
    report = Report(f'four arms and two cameras between two hosts, {options.seconds:g} s each, '
                    f'pictures of {options.kilobytes:g} kB')
    bad = Cable(options.delay_ms, options.loss)
    words = f'{bad.delay_ms:g} ms of delay, {bad.loss:.1%} of frames lost'
    for title, cable, environment, is_bound in (
            ('no delay, no loss, the profile of config/two_hosts', Cable(), _PROFILE, True),
            (f'{words}, defaults', bad, _DEFAULT, False),
            (f'{words}, the profile of config/two_hosts', bad, _PROFILE, True)):
        print(title)
        came = carry(cable, environment, options.seconds, options.kilobytes)
        judge(report, came, options.seconds, is_bound)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
