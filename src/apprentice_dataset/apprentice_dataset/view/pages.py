# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write the pages: a list of episodes, and for each its videos and curves."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
import json
from string import Template
from typing import Any
from urllib.parse import quote

from apprentice_dataset.info import Info
from apprentice_dataset.view.plots import Plot
from apprentice_dataset.view.rows import Spans
import numpy as np
from numpy.typing import NDArray

# A curve of more points is drawn as the least and the most of each of so many stretches.
MOST_POINTS = 20_000
ASSETS = ('view.css', 'view.js')
# How an earlier view is known again.
MARK = '<meta name="generator" content="apprentice_dataset view">'
_DIGITS = 6


@dataclass(frozen=True)
class Shown:
    """Hold what the pages say of an episode."""

    number: int
    length: int
    tasks: Sequence[str]
    page: str


@dataclass(frozen=True)
class Film:
    """Hold a camera's mp4: its path from the page, width to height, what was done to it."""

    camera: str
    path: str
    ratio: float
    note: str


def asset(name: str) -> str:
    """Return the text of a file of this package."""
    return (files('apprentice_dataset.view') / name).read_text(encoding='utf-8')


def index_page(name: str, info: Info, shown: Sequence[Shown]) -> str:
    """Return the list of episodes."""
    rows = ''.join(
        f'<tr><td><a href="{quote(one.page)}">{one.number}</a></td>'
        f'<td class="number">{one.length}</td>'
        f'<td class="number">{one.length / info.fps:.1f}</td>'
        f'<td>{escape(" · ".join(one.tasks))}</td></tr>\n' for one in shown)
    left = info.total_episodes - len(shown)
    note = 'All episodes of the dataset.' if not left else (
        f'{len(shown)} of {info.total_episodes} episodes. Others: '
        '<code>dataset view DIR --episodes 0,3-5</code>')
    facts = [info.robot_type or '', f'{info.fps} frames/s', f'{info.total_frames} frames',
             f'{len(info.cameras)} cameras' if len(info.cameras) != 1 else '1 camera']
    return _filled('index.html', title=escape(name), rows=rows, note=note,
                   facts=escape(' · '.join(filter(None, facts))))


def episode_page(
    name: str, info: Info, shown: Sequence[Shown], place: int, films: Sequence[Film],
    data: Mapping[str, Any], left_out: Sequence[str],
) -> str:
    """Return the page of an episode; `data` is what `page_data` returned."""
    one = shown[place]
    videos = ''.join(map(_figure, films))
    note = '' if not left_out else (
        f'<p class="note">Not drawn, for they have too many values: '
        f'{escape(", ".join(left_out))}</p>')
    if data['step'] > 1:
        note += (f'<p class="note">The curves show the least and the most of every '
                 f'{data["step"]} frames.</p>')
    return _filled(
        'episode.html', title=escape(f'{name}, episode {one.number}'), name=escape(name),
        number=str(one.number), facts=f'{one.length} frames · {one.length / info.fps:.2f} s',
        before=_link(shown, place - 1, 'prev', '← '), after=_link(shown, place + 1, 'next', ' →'),
        videos=videos, last=str(one.length - 1), note=note, data=json_in_html(data))


def _figure(film: Film) -> str:
    name, note = escape(film.camera), f'<small>{escape(film.note)}</small>' if film.note else ''
    return (f'<figure style="--ratio: {film.ratio:.4f}">'
            f'<video src="{quote(film.path)}" muted playsinline preload="auto" '
            f'aria-label="{name}"></video><figcaption>{name}{note}</figcaption></figure>\n')


def _link(shown: Sequence[Shown], place: int, kind: str, arrow: str) -> str:
    if not 0 <= place < len(shown):
        return ''
    text = f'episode {shown[place].number}'
    text = arrow + text if kind == 'prev' else text + arrow
    return f'<a rel="{kind}" href="{quote(shown[place].page)}">{text}</a>'


def _filled(template: str, **values: str) -> str:
    return Template(asset(template)).substitute(mark=MARK, **values)


def json_in_html(value: object) -> str:
    """Return JSON that may stand in a script element, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
    return text.replace('&', r'\u0026').replace('<', r'\u003c').replace('>', r'\u003e')


def page_data(
    fps: int | float, plots: Sequence[Plot], numbers: Mapping[str, NDArray[Any]],
    texts: Mapping[str, Spans], length: int, most: int = MOST_POINTS,
) -> dict[str, Any]:
    """
    Return what the page's script draws.

    `frames` are those of the points of every curve, None where each frame has one; a number that
    is not finite is null. Floats have six digits, which is what float32 can hold.
    """
    step = 1 if length <= most else -(-length // (most // 2))
    return {
        'fps': fps, 'length': length, 'step': step,
        'frames': None if step == 1 else _stretches(length, step),
        'plots': [{'title': plot.title, 'lines': [
            {'label': line.label,
             'values': _plain(_thinned(numbers[line.feature][:, line.place], step))}
            for line in plot.lines]} for plot in plots],
        'texts': [{'name': name, 'spans': spans} for name, spans in texts.items()]}


def _stretches(length: int, step: int) -> list[int]:
    begins = range(0, length, step)
    return [frame for begin in begins for frame in (begin, min(begin + step // 2, length - 1))]


def _thinned(values: NDArray[Any], step: int) -> NDArray[Any]:
    """Return the least and the most of every stretch, in the order in which they come."""
    if step == 1:
        return values
    short = -values.size % step
    stretches = np.concatenate([values, np.repeat(values[-1:], short)]).reshape(-1, step)
    hidden = np.isnan(stretches) if stretches.dtype.kind == 'f' else np.zeros(1, bool)
    places = np.sort(np.stack([np.where(hidden, np.inf, stretches).argmin(axis=1),
                               np.where(hidden, -np.inf, stretches).argmax(axis=1)], 1), axis=1)
    return np.take_along_axis(stretches, places, axis=1).reshape(-1)


def _plain(values: NDArray[Any]) -> list[int | float | None]:
    if values.dtype.kind != 'f':
        return [int(value) for value in values.tolist()]
    return [float(f'{value:.{_DIGITS}g}') if abs(value) < np.inf else None
            for value in values.tolist()]
