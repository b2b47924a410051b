# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Make the pins in locks/ from the *.in files, for every Python and NumPy; needs `uv`.

Pins that fit stay as they are; `--upgrade` takes the newest of everything.
"""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

LOCKS = Path(__file__).resolve().parents[2] / 'locks'
# ROS from PyPI is built against NumPy 2; NumPy 1 is what Ubuntu 24.04 has under its ROS.
TARGETS = {
    ('3.11', 2): ('ros', 'base', 'data', 'sim', 'learn'),
    ('3.12', 2): ('ros', 'base', 'data', 'sim', 'learn'),
    ('3.13', 2): ('ros', 'base', 'data', 'sim', 'learn'),
    ('3.11', 1): ('base', 'data', 'sim', 'learn'),
    ('3.12', 1): ('base', 'data', 'sim', 'learn')}


def compile_pins(python: str, numpy: int, groups: tuple[str, ...], options: list[str]) -> None:
    """Resolve all groups together, so that they agree, then write each group's own part."""
    folder = LOCKS / f'py{python.replace(".", "")}-numpy{numpy}'
    folder.mkdir(exist_ok=True)
    rule = folder / 'numpy.constraint'
    # PyArrow 26 refuses NumPy 1 when it is imported, and does not say so in its metadata.
    rule.write_text('numpy>=2,<3\n' if numpy == 2 else 'numpy>=1.26,<2\npyarrow<26\n')
    command = ['uv', 'pip', 'compile', '-q', '--python-version', python, '--no-header',
               '--no-annotate', '--no-emit-index-url', '--no-emit-find-links', '-c', str(rule),
               *options]
    try:
        if '--upgrade' not in options:
            pins = folder / 'pins.constraint'
            pins.write_text(''.join(path.read_text() for path in sorted(folder.glob('*.txt'))))
            command += ['-c', str(pins)]
        whole = folder / 'all.constraint'
        sources = [str(LOCKS / f'{group}.in') for group in groups]
        subprocess.run([*command, *sources, '-o', str(whole)], check=True,
                       stdout=subprocess.DEVNULL)
        for group in groups:
            subprocess.run(
                [*command, '-c', str(whole), str(LOCKS / f'{group}.in'), '-o',
                 str(folder / f'{group}.txt')], check=True, stdout=subprocess.DEVNULL)
        _leave_out_cuda(folder / 'learn.txt')
    finally:
        for path in folder.glob('*.constraint'):
            path.unlink()


def _leave_out_cuda(path: Path) -> None:
    """Keep what every build of torch needs; the CUDA build names the rest itself, by version."""
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(''.join(line for line in lines
                            if not line.startswith(('cuda-', 'nvidia-', 'triton'))))


if __name__ == '__main__':
    for (python_version, numpy_major), names in TARGETS.items():
        compile_pins(python_version, numpy_major, names, sys.argv[1:])
