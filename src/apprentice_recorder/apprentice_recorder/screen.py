# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the console shows and what its keys mean; plain text in, plain text out."""
from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
import math
import textwrap
from typing import Any

IDLE, RECORDING, SAVING, REVIEW = 0, 1, 2, 3
STATES = {IDLE: 'idle', RECORDING: 'RECORDING', SAVING: 'saving',
          REVIEW: 'ended, refused by the rules'}
HELP = {
    IDLE: 'space start   t task   y/n label the last one   q quit',
    RECORDING: 'space save   y save as success   n save as failure   r record again   '
               'd discard   q quit',
    SAVING: 'please wait',
    REVIEW: 'f save all the same   y/n with that label   r record again   d discard   q quit',
}


class Key(Enum):
    """What the operator asks for."""

    START = 'start'
    SAVE = 'save'
    SUCCESS = 'success'
    FAILURE = 'failure'
    FORCE = 'force'
    AGAIN = 'again'
    DISCARD = 'discard'
    TASK = 'task'
    QUIT = 'quit'


# Arrows as in lerobot-record: right ends the episode early, left records it again.
_KEYS = {
    IDLE: {' ': Key.START, '\r': Key.START, '\n': Key.START, 't': Key.TASK, 'y': Key.SUCCESS,
           'n': Key.FAILURE, 'q': Key.QUIT, '\x1b': Key.QUIT},
    RECORDING: {' ': Key.SAVE, '\r': Key.SAVE, '\n': Key.SAVE, '\x1b[C': Key.SAVE,
                'y': Key.SUCCESS, 'n': Key.FAILURE, 'r': Key.AGAIN, '\x1b[D': Key.AGAIN,
                'd': Key.DISCARD, 'q': Key.QUIT, '\x1b': Key.QUIT},
    SAVING: {'q': Key.QUIT},
    REVIEW: {'f': Key.FORCE, 'y': Key.SUCCESS, 'n': Key.FAILURE, 'r': Key.AGAIN,
             '\x1b[D': Key.AGAIN, 'd': Key.DISCARD,
             'q': Key.QUIT},
}


def key_of(state: int, typed: str) -> Key | None:
    """Return what a key means in a state of the recorder, or None."""
    return _KEYS.get(state, {}).get(typed)


def render(status: Any, width: int) -> list[str]:
    """Return the lines that show a RecorderStatus on a terminal so many columns wide."""
    lines = [f'{status.dataset}   {status.total_episodes} episodes', '']
    state = STATES.get(status.state, str(status.state))
    if status.episode_index >= 0:
        state += (f'   episode {status.episode_index}   {status.duration_s:.1f} s   '
                  f'{status.rows} rows   {status.held_rows} held')
    lines += [state, f'task: {status.task or "(none: press t)"}', '']
    lines += _streams(status.streams)
    queued = '   '.join(f'{name.rpartition(".")[2]} {count}'
                        for name, count in zip(status.cameras, status.backlog))
    lines += ['', f'disk: {_minutes(status.free_minutes)}'
                  + (f'   waiting for the encoder: {queued}' if queued else '')]
    lines += [f'! {text}' for text in status.blocks]
    lines += [f'~ {text}' for text in status.warnings]
    lines += ['', *status.last.splitlines(), HELP.get(status.state, '')]
    return [part for line in lines for part in fit(line, width)]


def fit(line: str, width: int) -> list[str]:
    """Return a line as so many as it takes on a terminal so many columns wide."""
    return textwrap.wrap(line, max(width, 20), subsequent_indent='    ',
                         drop_whitespace=False) or ['']


def _streams(streams: Sequence[Any]) -> list[str]:
    longest = max((len(stream.name) for stream in streams), default=0)
    lines = []
    for stream in streams:
        age = 'never' if math.isnan(stream.age_s) else f'{stream.age_s * 1e3:4.0f} ms'
        if not stream.expected_hz:
            lines.append(f'  {stream.name:{longest}}  on change, {stream.samples} so far')
            continue
        lines.append(
            f'  {stream.name:{longest}}  {stream.rate_hz:6.1f} of {stream.expected_hz:5.1f} Hz'
            f'   age {age}   lost {stream.sequence_gaps}')
    return lines


def _minutes(minutes: float) -> str:
    return f'{minutes:.0f} min left' if minutes < 600 else f'{minutes / 60:.0f} h left'
