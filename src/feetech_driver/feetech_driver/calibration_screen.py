# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a calibration looks like on a terminal; plain values in, lines of text out."""
from __future__ import annotations

from collections.abc import Sequence
import textwrap

from feetech_driver.calibration_plan import Mode
from feetech_driver.calibration_plan import Outcome
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import Plan
from feetech_driver.calibration_plan import Row

RESUME = ('r put the registers back as they were   c calibrate again   Enter leave it')
RESUMES = {'r': Mode.RESTORE, 'c': Mode.FRESH}
CHOICES = {'f': Mode.WRITE, 's': Mode.SAVE, 'r': Mode.FRESH}
CHOICE = ('f write the file to the servos   s save the servos to the file\n'
          'r calibrate again                Enter leave both as they are')

_KEYS = 'Enter confirms   q stops'
_HEAD = f'{"joint":<14}{"min":>7}{"pos":>7}{"max":>7}  '
_TITLES = {
    Phase.CONNECT: 'connect', Phase.SUPPORT: 'SUPPORT THE ARM', Phase.RESET: 'clear',
    Phase.MIDDLE: 'MIDDLE POSE', Phase.HOMING: 'homing', Phase.RANGE: 'RANGES',
    Phase.DIRECTION: 'DIRECTIONS', Phase.REDO: 'AGAIN', Phase.WRITE: 'write',
    Phase.ZERO: 'ZERO POSE', Phase.PUT_BACK: 'put back'}


def heading(plan: Plan) -> str:
    """Return the line that says which arm and which file this is about."""
    return f'{plan.arm} {plan.role} on {plan.port}, file {plan.target()}'


def headline(phase: Phase, prompt: str, left_s: float | None) -> str:
    """Return what to do now; `left_s` is the time until it is taken as done, None for never."""
    text = f'{_TITLES[phase]}: {prompt}'
    return text if left_s is None else f'{text} (in {max(left_s, 0.0):.0f} s)'


def table(
    phase: Phase, prompt: str, rows: Sequence[Row], width: int, left_s: float | None = None,
) -> list[str]:
    """Return the lines of a live table, none wider than `width`."""
    lines = textwrap.wrap(headline(phase, prompt, left_s), max(width, 20))
    if rows:
        lines += ['', _HEAD]
        lines += [f'{row.joint:<14}{row.minimum:>7}{row.position:>7}{row.maximum:>7}  {row.flag}'
                  for row in rows]
    if phase.waits and left_s is None:
        lines += ['', _KEYS]
    return [line[:width].rstrip() for line in lines]


def line(rows: Sequence[Row]) -> str:
    """Return one line for where no table can be redrawn."""
    return ' | '.join(
        f'{row.joint} {row.position} ({row.minimum}..{row.maximum})'
        f'{" " if row.flag else ""}{row.flag}' for row in rows)


def summary(plan: Plan, outcome: Outcome) -> list[str]:
    """Return the lines that say how it ended."""
    if plan.mode is Mode.RESTORE:
        return ['torque is off']
    lines = [f'{"joint":<14}{"offset":>7}{"min":>7}{"max":>7}']
    for name, joint in outcome.joints.items():
        verdict = 'DIFFERS' if outcome.different and outcome.verdicts[name] != 'ok' \
            else outcome.verdicts[name]
        lines.append(f'{name:<14}{joint.homing_offset:>7}{joint.range_min:>7}'
                     f'{joint.range_max:>7}  {verdict}')
    if outcome.different:
        lines += [f'  {text}' for verdict in outcome.verdicts.values() if verdict != 'ok'
                  for text in verdict.splitlines()]
    if plan.mode is Mode.COMPARE:
        lines.append('file and servos differ' if outcome.different else 'file and servos agree')
    elif plan.mode is Mode.WRITE:
        lines.append(f'the servos hold {outcome.path}')
    elif plan.mode in (Mode.FRESH, Mode.SAVE):
        backup = outcome.path.with_name(outcome.path.name + '.bak')
        before = f'; the file before is {backup.name} beside it' if backup.exists() else ''
        lines.append(f'written: {outcome.path}{before}')
    if plan.mode is Mode.FRESH:
        lines.append('torque is off')
    return lines


def differing(plan: Plan) -> str:
    """Return what may be done about a file and servos that differ."""
    return '\n'.join((
        'if the file is right:', f'    {plan.again(option="--write")}',
        'if the servos are right:', f'    {plan.again(option="--from-servos")}',
        'if neither is:', f'    {plan.again()}'))
