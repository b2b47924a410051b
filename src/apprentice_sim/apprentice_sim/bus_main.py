# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Serve a simulated servo bus on a pseudo-terminal, without ROS: `ros2 run apprentice_sim bus`."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
import signal
import sys
import threading

from apprentice_sim.bus import ServoBus
from apprentice_sim.bus import Timing
from apprentice_sim.bus_console import HELP
from apprentice_sim.bus_console import read_commands
from apprentice_sim.fault_script import load_faults
from apprentice_sim.fault_script import ScriptError
from apprentice_sim.faults import FaultInjector
from apprentice_sim.presets import chain
from apprentice_sim.presets import PresetError
from apprentice_sim.presets import so_arm
from apprentice_sim.pty import LinkError
from apprentice_sim.pty import PtyBus
from apprentice_sim.pty import serve
from apprentice_sim.tap_file import TapFile
from apprentice_sim.tap_file import TapFileError

_BAD_INPUT = 2


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='bus', description=__doc__)
    parser.add_argument(
        '--link', type=Path, required=True, help='path of the port to make, a link to a pty')
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        '--arm', choices=('follower', 'leader'), default='follower',
        help='serve the six servos of an SO arm (default: follower)')
    what.add_argument(
        '--servos', metavar='MODEL:ID,...', help='serve these factory-fresh servos instead')
    parser.add_argument(
        '--calibration', type=Path, metavar='FILE',
        help="take ranges and offsets of the arm from LeRobot's calibration file")
    parser.add_argument(
        '--script', type=Path, metavar='FILE', help='inject the faults that this file lists')
    parser.add_argument(
        '--adapter-latency-ms', type=float, default=0.0, metavar='MS',
        help='delay of the USB adapter before replies arrive (default: 0)')
    parser.add_argument(
        '--echo', action='store_true', help='echo what the host sends, as some adapters do')
    parser.add_argument(
        '--taps', type=Path, metavar='FILE',
        help='write every register change with its monotonic time to this file')
    parser.add_argument(
        '--console', action='store_true',
        help='change chain, supply and cable by commands on standard input')
    parser.add_argument('--seed', type=int, default=0, help='seed of collisions (default: 0)')
    arguments = parser.parse_args(argv)
    if not 0.0 <= arguments.adapter_latency_ms <= 1000.0:
        parser.error(
            f'--adapter-latency-ms {arguments.adapter_latency_ms}: expected 0 to 1000')
    return arguments


def _bus(arguments: argparse.Namespace) -> ServoBus:
    if arguments.servos:
        servos = chain(arguments.servos)
    else:
        servos = so_arm(arguments.arm, arguments.calibration)
    faults = load_faults(arguments.script) if arguments.script \
        else FaultInjector(seed=arguments.seed)
    timing = Timing(adapter_latency_ns=int(arguments.adapter_latency_ms * 1e6))
    return ServoBus(
        servos, timing=timing, faults=faults, echo=arguments.echo, seed=arguments.seed)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    arguments = _arguments(argv)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with ExitStack() as stack:
            bus = _bus(arguments)
            if arguments.taps:
                taps = TapFile(arguments.taps)
                stack.callback(taps.close)
                bus.add_tap(taps)
            pty = stack.enter_context(PtyBus(bus, arguments.link))
            names = ', '.join(f'{s.servo_id} {s.name}' for s in pty.bus.servos)
            sys.stdout.write(f'{arguments.link}: {names}\nCtrl-C ends\n')
            if arguments.console:
                sys.stdout.write(HELP)
                threading.Thread(target=read_commands, args=(pty, sys.stdin), daemon=True).start()
            sys.stdout.flush()
            serve([pty], stopped.is_set)
    except (LinkError, TapFileError) as error:
        sys.stderr.write(f'bus: {error.strerror}\n')
        return _BAD_INPUT
    except (PresetError, ScriptError) as error:
        sys.stderr.write(f'bus: {error}\n')
        return _BAD_INPUT
    return 0


if __name__ == '__main__':
    sys.exit(main())
