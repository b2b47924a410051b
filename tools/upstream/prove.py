# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Prove that the workspace runs under upstream's launch, launch_ros and ros2 command line.

Run it in a sourced ROS 2 environment of this workspace in which the real ones come before the
stand-ins (every ROS 2 distribution is one; on ROS from PyPI, a workspace that overlays it):

    python tools/upstream/prove.py launch            every launch file: arguments, start, Ctrl-C
    python tools/upstream/prove.py launch so101      those whose command has all these words
    python tools/upstream/prove.py colcon so101_bringup     these packages, without tests/
    python tools/upstream/prove.py colcon            colcon build and test, and tests/, beside ours
    python tools/upstream/prove.py launch --write    and put the table into docs/upstream.md

Exit code 1 if anything differs from what is expected.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
import importlib.metadata
import importlib.util
import os
from pathlib import Path
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import av
from cases import Case
from cases import CASES
from cases import FOLDER
from cases import HERE
from cases import VIDEO
import domain_coordinator
import numpy as np
from running import Outcome
from running import run

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'upstream.md'
STAND_INS = ROOT / 'tools' / 'pip_ros' / 'python'
VERSIONS = ('launch', 'launch_ros', 'launch_testing', 'launch_pytest', 'ros2cli', 'ros2launch',
            'osrf_pycommon', 'rclpy')
LIMIT_S = 60.0
# What colcon and pytest say at their end.
SUMMARY = re.compile(r'^Summary:|\d+ (passed|failed|error|skipped)')


def main(arguments: Sequence[str]) -> int:
    """Run one part of the proof; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('part', choices=['launch', 'colcon'])
    parser.add_argument(
        'words', nargs='*',
        help='only launches whose command has all of these; only these packages')
    parser.add_argument('--write', action='store_true', help='put the result into the document')
    args = parser.parse_args(arguments)
    refuse_stand_ins()
    # In the background of a shell Ctrl-C is ignored, also by all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if args.part == 'launch':
        lines, good = prove_launch(args.words)
    else:
        lines, good = prove_colcon(args.words)
    text = '\n'.join((f'{date.today()}, {versions()}', '', *lines))
    print(f'\n{text}')
    if args.write:
        write(args.part, text)
    return 0 if good else 1


def refuse_stand_ins() -> None:
    """Exit unless launch, launch_ros, launch_pytest and ros2 are the real ones."""
    for name in ('launch', 'launch_ros', 'launch_pytest', 'ros2cli'):
        spec = importlib.util.find_spec(name)
        if spec is None or STAND_INS in Path(spec.origin or '').parents:
            sys.exit(f'prove.py: {name} is {spec.origin if spec else "not there"}: expected the '
                     'real one. Source a ROS 2 distribution, or a workspace that has it, after '
                     'this environment')
    ros2 = shutil.which('ros2')
    if ros2 is None or 'ros2cli_lite' in Path(ros2).read_text():
        sys.exit(f'prove.py: ros2 is {ros2}: expected the real one first on PATH')


def versions() -> str:
    """Return the versions that the proof is about, in one line."""
    found = []
    for name in VERSIONS:
        try:
            found.append(f'{name} {importlib.metadata.version(name)}')
        except importlib.metadata.PackageNotFoundError:
            continue
    return f'Python {platform.python_version()}, {", ".join(found)}'


def prove_launch(words: Sequence[str]) -> tuple[list[str], bool]:
    """Show the arguments of every launch file and start every case; return table and verdict."""
    chosen = [case for case in CASES if all(word in case.command for word in words)]
    good = bool(chosen)
    lines = ['| `ros2 launch` | `--show-args` | first topic after | Ctrl-C to end | exit code |',
             '|---|---|---|---|---|']
    shown: dict[tuple[str, str], str] = {}
    for case in chosen:
        file = (case.package, case.file)
        if file not in shown:
            shown[file] = compare_arguments(case)
        outcome = start(case)
        problem = '; '.join(filter(None, (shown[file], outcome.problem)))
        print(f'{case.command}: {problem or "good"}', flush=True)
        lines.append(row(case, shown[file], outcome))
        good = good and not problem
    return lines, good


def row(case: Case, arguments: str, outcome: Outcome) -> str:
    """Return the table's row of one start."""
    up = f'{outcome.up_s:.1f} s `{case.topic}`' if case.topic else 'none, ends by itself'
    code = f'{outcome.exit_code}' + (f': {outcome.problem}' if outcome.problem else '')
    return (f'| `{case.command}` | {arguments or "as the stand-in"} | {up} | '
            f'{outcome.down_s:.1f} s | {code} |')


def compare_arguments(case: Case) -> str:
    """Compare what --show-args prints with what the stand-in prints; return the difference."""
    command = ['launch', case.package, case.file, '--show-args']
    own = {**os.environ, 'PYTHONPATH': f'{STAND_INS}:{os.environ.get("PYTHONPATH", "")}'}
    real, ours = (
        subprocess.run([*program, *command], env=env, capture_output=True, text=True,
                       timeout=LIMIT_S, check=False)
        for program, env in ((['ros2'], os.environ),
                             ([sys.executable, '-m', 'ros2cli_lite'], own)))
    if real.returncode:
        return f'exit code {real.returncode}: {real.stderr.strip()[-200:]}'
    return '' if real.stdout == ours.stdout else 'differs from the stand-in'


def start(case: Case) -> Outcome:
    """Start one case in a domain and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix='proof_') as name, \
            domain_coordinator.domain_id() as domain:
        folder = Path(name)
        video = folder / 'video.mp4'
        make_video(video)
        values = {FOLDER: name, HERE: str(Path(__file__).parent), VIDEO: str(video)}
        words = [re.sub(r'\{\w+\}', lambda found: values[found[0]], word)
                 for word in case.arguments]
        outcome = run(['ros2', 'launch', case.package, case.file, *words], case.topic, domain,
                      folder)
        if outcome.problem:
            print((folder / 'launch.log').read_text(errors='replace')[-4000:])
            print(*outcome.left, sep='\n')
        return outcome


def make_video(path: Path) -> None:
    """Write two seconds of grey at 30 Hz."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('h264', rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 480, 'yuv420p'
        for number in range(60):
            picture = np.full((480, 640, 3), 4 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, 'rgb24')))
        container.mux(stream.encode())


def prove_colcon(packages: Sequence[str]) -> tuple[list[str], bool]:
    """Build and test the workspace in a folder of its own; return table and verdict."""
    choice = ['--packages-select', *packages] if packages else []
    with tempfile.TemporaryDirectory(prefix='proof_') as name:
        folder = Path(name)
        colcon = [sys.executable, '-c', 'from colcon_core.command import main; exit(main())',
                  '--log-base', str(folder / 'log')]
        bases = ['--base-paths', str(ROOT / 'src'), '--build-base', str(folder / 'build'),
                 '--install-base', str(folder / 'install')]
        summary = ['--event-handlers', 'console_cohesion+']
        steps = {'colcon build': [*colcon, 'build', *bases, *choice, *summary]}
        sourced = ['bash', '-c', f'source {folder}/install/local_setup.bash && exec "$@"', '-']
        steps['colcon test'] = [
            *sourced, *colcon, 'test', *bases, *choice, *summary, '--executor', 'sequential',
            '--retest-until-pass', '1', '--return-code-on-test-failure',
            '--pytest-args', '-p', 'no:cacheprovider', '--timeout=300']
        steps['colcon test-result'] = [
            *colcon, 'test-result', '--test-result-base', str(folder / 'build')]
        if not packages:
            steps['pytest tests/'] = [
                *sourced, sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider',
                '--timeout=300', '--reruns', '1', str(ROOT / 'tests')]
        lines = ['| step | exit code | summary |', '|---|---|---|']
        good = True
        for title, command in steps.items():
            print(f'-- {title}', flush=True)
            code, last = follow(command)
            lines.append(f'| `{title}` | {code} | {last} |')
            good = good and code == 0
        return lines, good


def follow(command: Sequence[str]) -> tuple[int, str]:
    """Run a command, pass its output on; return its exit code and its last summary."""
    last = ''
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors='replace') as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            last = line.strip() if SUMMARY.search(line) else last
    return process.returncode, last.strip('= ').replace('|', '/')


def write(part: str, text: str) -> None:
    """Put the result between the marks of its part in the document."""
    begin, end = f'<!-- {part}: begin -->', f'<!-- {part}: end -->'
    before, found, rest = PAGE.read_text().partition(begin)
    if not found or end not in rest:
        sys.exit(f'prove.py: {PAGE.name} has no lines {begin} and {end}')
    PAGE.write_text(f'{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}')


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
