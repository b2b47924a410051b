# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Launch the simulated robot and end it in every way; nothing may be left.

Ways: Ctrl-C (SIGINT to the launch's process group), SIGTERM to the launch, SIGKILL of a node,
SIGKILL of the launch. Left would be: a process, or a simulated port. (Killed itself, the launch
cannot remove the empty folder in which the ports were; that is not counted.)
"""
from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from enum import Enum
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import tempfile
import time

from _common import kill
from _common import Launched
from _common import own_domain
from _common import Report
from _common import StayedOut
from _common import until
from _graph import Graph
from apprentice_msgs.msg import GuardState

STATE_S = 5.0
END_S = 15.0


class Way(Enum):
    """How a launch ends."""

    CTRL_C = 'Ctrl-C'
    CTRL_C_EARLY = 'Ctrl-C while starting'
    SIGTERM = 'SIGTERM'
    NODE = 'SIGKILL of a node'
    LAUNCH = 'SIGKILL of the launch'


def ports(domain: str) -> set[Path]:
    """Return the simulated ports of launches in a domain."""
    base = Path(os.environ.get('XDG_RUNTIME_DIR') or '/tmp')
    return set(base.glob(f'apprentice-{domain}-*/*'))


def finish(launched: Launched, way: Way, chance: random.Random) -> str:
    """End a launch; return what was done to whom."""
    if way in (Way.CTRL_C, Way.CTRL_C_EARLY):
        launched.interrupt()
    elif way is Way.SIGTERM:
        launched.process.terminate()
    elif way is Way.LAUNCH:
        launched.process.kill()
    else:
        nodes = {pid: title for pid, title in launched.processes().items()
                 if title.startswith(('driver', 'world', 'teleop'))}
        if not nodes:
            launched.interrupt()
            return f'{way.value}, none was alive'
        victim = chance.choice(sorted(nodes))
        kill(victim, signal.SIGKILL)
        return f'{way.value}, {nodes[victim]}'
    return way.value


def cycle(
    environment: Mapping[str, str], graph: Graph, way: Way, chance: random.Random, log: Path,
) -> tuple[float | None, float, list[str]]:
    """Launch and end; return seconds to the first state, seconds to the end, and faults."""
    faults = []
    before = ports(environment['ROS_DOMAIN_ID'])
    graph.forget()
    launched = Launched(environment, log=log)
    state_s = None
    if way is Way.CTRL_C_EARLY:
        time.sleep(chance.uniform(0.05, 2.0))
    else:
        try:
            graph.wait_states()
            state_s = time.monotonic() - launched.started
            graph.wait_guard(GuardState.TRACKING, GuardState.RAMPING)
        except StayedOut as error:
            tail = log.read_text(encoding='utf-8', errors='replace').splitlines()[-30:]
            faults.append('\n    '.join([str(error), *tail]))
    did = finish(launched, way, chance)
    ended = time.monotonic()
    try:
        launched.process.wait(END_S)
        until(lambda: not launched.processes(), 'the end of all processes', END_S)
    except (subprocess.TimeoutExpired, StayedOut) as error:
        faults.append(f'{did}: {error}; left: {launched.processes()}')
    took_s = time.monotonic() - ended
    launched.close()
    for left in ports(environment['ROS_DOMAIN_ID']) - before:
        faults.append(f'{did}: port {left} is left')
    return state_s, took_s, faults


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--n', type=int, default=50)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--way', choices=[way.name for way in Way], help='only this way')
    arguments = parser.parse_args()
    report = Report('launches of the simulated robot')
    chance = random.Random(arguments.seed)
    ways = [Way[arguments.way]] if arguments.way else list(Way)
    states_s, ends_s, faults = [], [], []
    done: Counter[str] = Counter()
    clean = 0
    with tempfile.TemporaryDirectory() as folder, own_domain() as environment:
        graph = Graph()
        for number in range(arguments.n):
            way = ways[number % len(ways)]
            log = Path(folder, f'{number}.log')
            state_s, end_s, found = cycle(environment, graph, way, chance, log)
            done[way.value] += 1
            states_s += [] if state_s is None else [state_s]
            ends_s.append(end_s)
            clean += not found
            faults += found
            if found:
                report.line(f'FAULT: {"; ".join(found)}')
                report.line('  ' + '\n    '.join(log.read_text().splitlines()[-15:]))
        graph.close()
    report.line(', '.join(f'{way} {count} times' for way, count in done.items()))
    first = report.row('first joint state of the follower after ros2 launch', states_s, 's')
    report.row('nothing left after', ends_s, 's')
    report.bound(f'first state within {STATE_S:g} s', first.max < STATE_S)
    report.bound(f'nothing left: {clean} of {arguments.n}', clean == arguments.n)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
