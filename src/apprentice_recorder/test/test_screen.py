# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the console shows, and what its keys mean in each state."""
from __future__ import annotations

from types import SimpleNamespace

from apprentice_msgs.msg import RecorderStatus
from apprentice_recorder import screen
from apprentice_recorder.screen import Key
import pytest


def status(**changes: object) -> SimpleNamespace:
    """Return a status as the recorder sends it."""
    stream = SimpleNamespace(name='front', rate_hz=29.97, expected_hz=30.0, age_s=0.021,
                             sequence_gaps=3)
    values = {
        'dataset': '~/data/cubes', 'total_episodes': 4, 'state': screen.RECORDING,
        'episode_index': 4, 'duration_s': 12.34, 'rows': 370, 'held_rows': 1, 'task': 'pick',
        'streams': [stream], 'cameras': ['front'], 'backlog': [2], 'free_minutes': 90.0,
        'blocks': ['front: silent'], 'warnings': ['elbow: warm'], 'last': 'episode 3 is on disk'}
    return SimpleNamespace(**{**values, **changes})


def test_everything_that_matters_is_shown() -> None:
    """State, rows, rates, ages, losses, backlog, disk, what blocks, what warns, what was last."""
    text = '\n'.join(screen.render(status(), 120))
    for words in ('4 episodes', 'RECORDING   episode 4   12.3 s   370 rows   1 held',
                  'task: pick', '30.0 of  30.0 Hz', '21 ms', 'lost 3', 'front 2',
                  '90 min left', '! front: silent', '~ elbow: warm', 'episode 3 is on disk',
                  'space save'):
        assert words in text, words


def test_lines_fit_the_terminal() -> None:
    """A long sentence goes on in the next line; nothing of it is lost."""
    words = [f'word{number}' for number in range(40)]
    lines = screen.render(status(blocks=[' '.join(words)]), 40)
    assert max(map(len, lines)) <= 40
    assert set(words) <= set(' '.join(lines).split())


def test_a_latched_stream_has_no_rate() -> None:
    """What is told on change only is not late."""
    stream = SimpleNamespace(name='guard', rate_hz=0.0, expected_hz=0.0, age_s=20.0, samples=3,
                             sequence_gaps=0)
    assert any('guard  on change, 3 so far' in line
               for line in screen.render(status(streams=[stream]), 100))


def test_a_stream_that_never_came_says_so() -> None:
    """No age is invented."""
    stream = SimpleNamespace(name='wrist', rate_hz=0.0, expected_hz=30.0, age_s=float('nan'),
                             sequence_gaps=0)
    assert any('never' in line for line in screen.render(status(streams=[stream]), 100))


@pytest.mark.parametrize(('state', 'typed', 'key'), [
    (screen.IDLE, ' ', Key.START), (screen.RECORDING, ' ', Key.SAVE),
    (screen.RECORDING, '\x1b[C', Key.SAVE), (screen.RECORDING, '\x1b[D', Key.AGAIN),
    (screen.RECORDING, 'd', Key.DISCARD), (screen.IDLE, 'd', None),
    (screen.SAVING, ' ', None), (screen.REVIEW, 'f', Key.FORCE),
    (screen.REVIEW, 'y', Key.SUCCESS), (screen.RECORDING, 'f', None),
    (screen.IDLE, 'y', Key.SUCCESS), (-1, ' ', None),
])
def test_keys_depend_on_the_state(state: int, typed: str, key: Key | None) -> None:
    """A key that makes no sense does nothing."""
    assert screen.key_of(state, typed) is key


def test_states_are_those_of_the_message() -> None:
    """The screen's numbers are the message's."""
    assert (screen.IDLE, screen.RECORDING, screen.SAVING, screen.REVIEW) == (
        RecorderStatus.IDLE, RecorderStatus.RECORDING, RecorderStatus.SAVING,
        RecorderStatus.REVIEW)
