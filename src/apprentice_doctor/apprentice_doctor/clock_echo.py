# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Tell this host's time to `doctor --host` of another one, until Ctrl-C."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
import os
import signal
import socket
import sys
import time

from apprentice_doctor.clock_wire import answer
from apprentice_doctor.clock_wire import PORT
from apprentice_doctor.clock_wire import SIZE

TOKEN = 'APPRENTICE_CLOCK_TOKEN'


def main(argv: Sequence[str] | None = None) -> int:
    """Answer until a signal; return the exit code."""
    parser = argparse.ArgumentParser(prog='clock_echo', description=__doc__)
    parser.add_argument(
        '--bind', default='127.0.0.1', metavar='ADDRESS',
        help='address of this host to answer on, 0.0.0.0 for all (default: this host alone)')
    parser.add_argument('--port', type=int, default=PORT, help=f'UDP port (default: {PORT})')
    options = parser.parse_args(argv)
    token = os.environ.get(TOKEN, '')
    if not token and not options.bind.startswith('127.'):
        parser.error(f'--bind {options.bind}: other hosts need a token; set {TOKEN} here and '
                     'where doctor runs')
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.bind((options.bind, options.port))
            host, port = line.getsockname()
            sys.stdout.write(f'clock_echo: answers on {host}:{port}; Ctrl-C ends\n')
            sys.stdout.flush()
            while True:
                request, peer = line.recvfrom(SIZE + 1)
                reply = answer(request, time.time_ns(), token)
                if reply is not None:
                    line.sendto(reply, peer)
    except (OSError, OverflowError) as error:
        sys.stderr.write(
            f'clock_echo: cannot answer on {options.bind}:{options.port}: {error}; is another '
            'one running? Give another --port\n')
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == '__main__':
    sys.exit(main())
