# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Draw the sampler's rules into docs/images/: what the real one makes of small runs of samples."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from apprentice_contract.contract import Contract
from apprentice_contract.contract import parse_contract
from apprentice_contract.sampler import Row
from apprentice_contract.sampler import Sampler

FOLDER = Path(__file__).resolve().parents[2] / 'docs' / 'images'
MS = 1_000_000
# A run before the drawn part, in which the camera's phase is found.
LEAD_MS = 1000
FRAME_MS = 100 / 3
LEFT, TOP, LANE, RIGHT = 90, 44, 46, 20
INK, FAINT, GOOD, BAD = '#24292f', '#8c959f', '#0969da', '#cf222e'
RULES = """
version: 1
robot_type: figure
fps: 30
reference: {reference}
streams:
  camera: {{topic: c, type: sensor_msgs/msg/CompressedImage, rate_hz: 30, max_age_ms: 50}}
  state: {{topic: s, type: sensor_msgs/msg/JointState, rate_hz: 50, max_age_ms: 30}}
  command: {{topic: k, type: sensor_msgs/msg/JointState, rate_hz: 50, max_lead_ms: 40}}
features:
  observation.images.camera: {{stream: camera, width: 64, height: 48}}
  observation.state: {{parts: [{{stream: state, field: position, joints: [a]}}]}}
action: {{sent: [{{stream: command, field: position, joints: [a]}}]}}
"""


class Figure(NamedTuple):
    """One picture: title, length of the drawn part, samples and contract; times in ms."""

    title: str
    length_ms: float
    stamps: Mapping[str, Sequence[float]]
    lanes: Sequence[str] = ('camera', 'state', 'command')
    reference: str = 'camera'
    shows_receipt: bool = False


def _every(period: float, length: float, phase: float = 0.0) -> list[float]:
    return [phase + period * k for k in range(int((length - phase) / period) + 1)]


def _frames(length: float, period: float = FRAME_MS) -> list[float]:
    return _every(period, length)


def figures() -> dict[str, Figure]:
    """Return every figure by the name of its file."""
    state, command = _every(20, 400, 3), _every(20, 400, 9)
    frames = _frames(300)
    uneven = [frame + shift for frame, shift in zip(frames, (0, 9, -8, 4, -10, 7, 2, -6, 5, 0))]
    lost = [frame for k, frame in enumerate(frames) if k != 4]
    slow = _frames(640, FRAME_MS * 1.12)
    return {
        'rows': Figure("Rows are the camera's own samples, however unevenly they come", 300,
                       {'camera': uneven, 'state': state, 'command': command}, ('camera',)),
        'gap': Figure('An empty slot repeats the frame before; of two in a slot the nearer counts',
                      300, {'camera': sorted([*lost, frames[7] + 9]), 'state': state,
                            'command': command}, ('camera',)),
        'clock': Figure('reference: clock over a camera that is 12 % slow repeats frames', 620,
                        {'camera': slow, 'state': _every(20, 700, 3),
                         'command': _every(20, 700, 9)}, ('camera',), 'clock'),
        'last-and-next': Figure('Observations are the last sample, actions the next', 180, {
            'camera': _frames(180), 'state': state, 'command': command}),
        'held': Figure('State silent for 80 ms: older than its age limit of 30 ms, so held', 240, {
            'camera': _frames(240), 'state': [t for t in state if not 64 < t < 140],
            'command': command}),
        'end': Figure('Commands end first: the rows after the last one are cut', 240, {
            'camera': _frames(240), 'state': state,
            'command': [t for t in command if t < 150]}),
        'final': Figure(
            'When a row is final: every stream has shown a later sample, or 150 ms have passed',
            330, {'camera': _frames(330), 'command': command,
                  'state': [t for t in state if t < 100 or t > 280]}, shows_receipt=True),
    }


def run(figure: Figure) -> tuple[list[Row], dict[int, float], Sampler]:
    """Return the rows of the drawn part, when each was handed out (ms), and the sampler."""
    rules: Contract = parse_contract(RULES.format(reference=figure.reference))
    before = {'camera': FRAME_MS, 'state': 20.0, 'command': 20.0}
    pushed = []
    for stream, stamps in figure.stamps.items():
        period = before[stream]
        count = int(LEAD_MS / period)
        lead = [stamps[0] - period * (k + 1) for k in range(count)]
        pushed += [(stamp + 4.0, stream, stamp) for stamp in (*lead, *stamps)]
    sampler = Sampler(rules)
    rows: list[Row] = []
    handed: dict[int, float] = {}

    def note(found: list[Row], now: float) -> None:
        rows.extend(found)
        handed.update({row.instant_ns: now for row in found})

    now = -LEAD_MS - 100.0
    for received, stream, stamp in sorted(pushed):
        while now + 1.0 < received:
            now += 1.0
            note(sampler.advance(round(now * MS)), now)
        note(sampler.push(stream, round(stamp * MS), round(received * MS), None), received)
    note(sampler.finish(), now)
    drawn = [row for row in rows if -MS <= row.instant_ns <= (figure.length_ms + 1) * MS]
    return drawn, handed, sampler


def draw(figure: Figure) -> str:
    """Return a figure as SVG."""
    rows, handed, _ = run(figure)
    scale = 660 / figure.length_ms
    lanes = [*figure.lanes, 'rows', *(['final'] if figure.shows_receipt else [])]
    place = {lane: TOP + LANE * (k + 0.5) for k, lane in enumerate(lanes)}
    width, height = LEFT + 660 + RIGHT, TOP + LANE * len(lanes) + 26

    def x(ms: float) -> float:
        return LEFT + ms * scale

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(12, 22, figure.title, INK, 'font-size="14"')]
    for lane in lanes:
        parts.append(_line(LEFT, place[lane], width - RIGHT, place[lane], '#d0d7de'))
        parts.append(_text(12, place[lane] + 4, lane, INK))
    parts += _links(figure, rows, place, x)
    for lane in figure.lanes:
        parts += [f'<circle cx="{x(t):.1f}" cy="{place[lane]:.1f}" r="4" fill="{INK}"/>'
                  for t in figure.stamps[lane] if t <= figure.length_ms]
    for row in rows:
        at, color = x(row.instant_ns / MS), BAD if row.held else GOOD
        parts.append(f'<rect x="{at - 5:.1f}" y="{place["rows"] - 5:.1f}" width="10" height="10" '
                     f'fill="{color}"/>')
        final = handed[row.instant_ns]
        if figure.shows_receipt and final <= figure.length_ms:
            parts.append(_line(at, place['rows'] + 5, x(final), place['final'], GOOD))
            parts.append(f'<circle cx="{x(final):.1f}" cy="{place["final"]:.1f}" r="3" '
                         f'fill="{GOOD}"/>')
    parts += _scale(figure.length_ms, x, height)
    return '\n'.join([*parts, '</svg>', ''])


def _links(
    figure: Figure, rows: Sequence[Row], place: Mapping[str, float], x: Callable[[float], float],
) -> Iterator[str]:
    for row in rows:
        for lane in figure.lanes:
            sample = row.samples[lane]
            if sample is None or not -MS <= sample.stamp_ns <= figure.length_ms * MS:
                continue
            is_held = lane in row.held
            yield _line(x(sample.stamp_ns / MS), place[lane], x(row.instant_ns / MS),
                        place['rows'], BAD if is_held else GOOD, is_held)


def _scale(length_ms: float, x: Callable[[float], float], height: float) -> Iterator[str]:
    for ms in range(0, int(length_ms) + 1, 100):
        yield _line(x(ms), height - 22, x(ms), height - 18, FAINT)
        yield _text(x(ms) - 12, height - 6, f'{ms} ms', FAINT, 'font-size="10"')


def _text(x: float, y: float, text: str, color: str, more: str = '') -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" {more}>{text}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, color: str, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ''
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"'
            f'{dash}/>')


def path(name: str) -> Path:
    """Return where a figure is stored."""
    return FOLDER / f'sampler-{name}.svg'


if __name__ == '__main__':
    for key, drawing in figures().items():
        path(key).write_text(draw(drawing))
