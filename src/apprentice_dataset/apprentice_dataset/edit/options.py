# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Spell what all editing verbs share: source, target, progress, and what came out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys

from apprentice_dataset.codecs import CODECS
from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.info import Info


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare the dataset and where the result goes: beside or in its place."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument('--output', type=Path, metavar='DIR',
                       help='where the new dataset goes; missing or empty')
    where.add_argument('--in-place', action='store_true',
                       help='replace the dataset, in one step at the end')


def add_output(parser: argparse.ArgumentParser) -> None:
    """Declare a new folder."""
    parser.add_argument('--output', type=Path, required=True, metavar='DIR',
                        help='where the result goes; missing or empty')


def add_episodes(parser: argparse.ArgumentParser, required: bool, text: str) -> None:
    """Declare numbers of episodes; `episode_numbers` reads them."""
    parser.add_argument('--episode-indices', nargs='+', required=required, metavar='N',
                        type=_numbers, help=f'{text}: numbers, and ranges such as 3-7')


def _numbers(text: str) -> list[int]:
    first, dash, last = text.strip('[],').partition('-')
    try:
        begin = int(first)
        end = int(last) if dash else begin
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'found {text!r}, expected a number or a range such as 3-7') from None
    if end < begin or end - begin > 10_000_000:
        raise argparse.ArgumentTypeError(f'found {text!r}, expected a range such as 3-7')
    return list(range(begin, end + 1))


def episode_numbers(options: argparse.Namespace) -> list[int] | None:
    """Return the numbers that were given, None where there were none."""
    given: Sequence[Sequence[int]] | None = options.episode_indices
    return None if given is None else [number for part in given for number in part]


def numbers_of(text: str) -> list[int]:
    """Read numbers and ranges between commas."""
    return [number for part in text.strip('[]').split(',') for number in _numbers(part.strip())]


def megabytes(text: str) -> int:
    """Read a size in MiB."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('expected a whole number from 1')
    return value


def add_encoder(parser: argparse.ArgumentParser) -> None:
    """Declare how videos are encoded; `encoder_settings` reads it."""
    parser.add_argument('--codec', choices=sorted(CODECS), help='default: what is recorded')
    parser.add_argument('--crf', type=int, help='quality: smaller is better')
    parser.add_argument('--g', type=int, metavar='FRAMES',
                        help='frames of a group, at most half a second')
    parser.add_argument('--preset', help="the encoder's own word")


def encoder_settings(options: argparse.Namespace) -> VideoSettings:
    """Return what was asked for."""
    preset = options.preset
    return VideoSettings(options.codec, options.g, options.crf,
                         int(preset) if preset is not None and preset.isdigit() else preset)


def add_ray(parser: argparse.ArgumentParser) -> None:
    """Declare who does the work; `tasks.workers` takes it."""
    parser.add_argument('--ray', metavar='ADDRESS',
                        help='share the work out over a Ray cluster: HOST:PORT, `auto`, or '
                        '`local` for one on this machine (default: the threads of this process)')


def progress(done: int, total: int) -> None:
    """Show on a terminal how far it is."""
    if sys.stderr.isatty():
        print(f'\r{done} of {total} episodes', end='\n' if done == total else '', flush=True,
              file=sys.stderr)


def say(where: object, info: Info) -> int:
    """Say what came out; return 0."""
    print(f'{where}: {info.total_episodes} episode(s), {info.total_frames} row(s), '
          f'{info.total_tasks} task(s)', file=sys.stdout)
    return 0


def result(options: argparse.Namespace) -> Path | str:
    """Return where the result lies."""
    return options.folder if options.output is None else options.output
