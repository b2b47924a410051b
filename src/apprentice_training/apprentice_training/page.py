# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The results of a run as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
import json
import math
from pathlib import Path
import platform
from typing import Any

from apprentice_training.log import METRICS
from apprentice_training.log import read_metrics
from apprentice_training.session import Session
from apprentice_training.watch import PARTS
import torch

PAGE = 'results.html'
_WIDTH, _HEIGHT, _LEFT, _BELOW, _MARGIN = 520, 220, 64, 28, 12
_COLOURS = ('#2a6fdb', '#d1495b', '#3c9d5b', '#e0a030', '#7b5ea7')
_POINTS = 600
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1120px;margin:2em auto;padding:0 1em;
color:#222;background:#fff}h1{font-size:1.5em}h2{font-size:1.1em;margin:1.6em 0 .3em}
.charts{display:flex;flex-wrap:wrap;gap:1em}figure{margin:0}figcaption{font-size:.9em}
table{border-collapse:collapse}td,th{padding:.15em 1em .15em 0;text-align:left}
svg{background:#fafafa}pre{background:#f4f4f4;padding:1em;overflow:auto;font-size:12px}
text{font:11px system-ui,sans-serif;fill:#555}"""
Points = Sequence[tuple[float, float]]


def write_page(session: Session) -> Path:
    """Write `results.html` into the folder of the run; return its place."""
    root, config = session.folder.root, session.config
    assert config.policy is not None
    records = read_metrics(root / METRICS)
    best = session.folder.linked('best')
    facts = {
        'policy': config.policy.type, 'steps': session.step,
        'data': ', '.join(source.repo_id for source in session.sources),
        'samples': f'{session.samples:,} ({session.samples / session.order.length:.1f} epochs)',
        'last loss': _last(records, 'loss'), 'last validation loss': _last(records, 'eval_loss'),
        'samples/s': _last(records, 'samples_per_s'), 'seed': config.seed,
        'processes': session.world.size, 'machine': _machine(session.world.device),
        'checkpoints': ', '.join(session.folder.place(one).name
                                 for one in session.folder.steps()),
        'best checkpoint': best.name if best else '-'}
    rows = ''.join(f'<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>'
                   for name, value in facts.items())
    charts = ''.join([
        chart('loss', {'training': _curve(records, 'loss'),
                       'validation': _curve(records, 'eval_loss')}, logarithmic=True),
        chart('success rate', {'': _curve(records, 'success_rate')}),
        chart('learning rate', {'': _curve(records, 'lr')}),
        chart('norm of the gradient', {'': _curve(records, 'grad_norm')}, logarithmic=True),
        chart('samples/s', {'': _curve(records, 'samples_per_s')}),
        chart('share of a step', {part: _curve(records, f'{part}_share') for part in PARTS})])
    title = f'{config.policy.type} on {config.dataset.repo_id}'
    path = root / PAGE
    path.write_text(
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<style>{_STYLE}</style><h1>{escape(title)}</h1><table>{rows}</table>'
        f'<h2>Curves</h2><div class="charts">{charts}</div><h2>Configuration</h2>'
        f'<pre>{escape(json.dumps(config.to_dict(), indent=2))}</pre></html>', encoding='utf-8')
    return path


def _machine(device: torch.device) -> str:
    name = torch.cuda.get_device_name(device) if device.type == 'cuda' \
        else f'{torch.get_num_threads()} threads, {platform.machine()}'
    return f'{device.type}: {name}; torch {torch.__version__}, Python {platform.python_version()}'


def _last(records: Sequence[dict[str, Any]], name: str) -> str:
    found = [record[name] for record in records if name in record]
    return f'{found[-1]:.4g}' if found else '-'


def _curve(records: Sequence[dict[str, Any]], name: str) -> Points:
    found = [(record['step'], record[name]) for record in records
             if name in record and math.isfinite(record[name])]
    stride = max(1, math.ceil(len(found) / _POINTS))
    # The last point is always shown.
    return found[::-stride][::-1]


def chart(title: str, curves: dict[str, Points], logarithmic: bool = False) -> str:
    """Return a chart of curves over the step as inline SVG; '' where there is no point."""
    curves = {name: points for name, points in curves.items() if points}
    if not curves:
        return ''
    values = [y for points in curves.values() for _, y in points]
    logarithmic = logarithmic and min(values) > 0
    scale = math.log10 if logarithmic else float
    low, high = min(map(scale, values)), max(map(scale, values))
    first = min(points[0][0] for points in curves.values())
    last = max(points[-1][0] for points in curves.values())
    wide, tall = _WIDTH - _LEFT - _MARGIN, _HEIGHT - _BELOW - _MARGIN

    def place(x: float, y: float) -> str:
        across = _LEFT + wide * ((x - first) / (last - first) if last > first else 0.5)
        up = (scale(y) - low) / (high - low) if high > low else 0.5
        return f'{across:.1f},{_MARGIN + tall * (1 - up):.1f}'

    parts = []
    for share in (0, 0.5, 1):
        height = _MARGIN + tall * (1 - share)
        value = low + (high - low) * share
        text = f'{10 ** value if logarithmic else value:.3g}'
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _MARGIN}" y1="{height:.1f}" '
                     f'y2="{height:.1f}" stroke="#ddd"/><text x="{_LEFT - 6}" '
                     f'y="{height + 4:.1f}" text-anchor="end">{text}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 8}">step {first:g}</text><text '
                 f'x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 8}" text-anchor="end">{last:g}</text>')
    legend = []
    for colour, (name, points) in zip(_COLOURS, curves.items()):
        line = ' '.join(place(x, y) for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" '
                     'stroke-width="1.6"/>')
        if len(points) == 1:
            x, y = place(*points[0]).split(',')
            parts.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>')
        if name:
            legend.append(f'<span style="color:{colour}">{escape(name)}</span>')
    return (f'<figure><figcaption><b>{escape(title)}</b> {" · ".join(legend)}</figcaption><svg '
            f'width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{escape(title)}">'
            f'{"".join(parts)}</svg></figure>')
