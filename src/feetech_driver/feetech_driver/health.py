# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Judge the health of a bus and its motors for diagnostics."""
from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

from apprentice_control.units import load_to_fraction
from apprentice_node.diagnostics import Health
from apprentice_node.diagnostics import Level
from feetech_driver.counters import BusCounters
from feetech_driver.counters import MotorCounters
from feetech_driver.motors import MotorState
from feetech_driver.parameters import Thresholds
from feetech_driver.registers import alarm_names

ERROR_RATE_WARN = 0.01
STALE_NS = 500_000_000
SEVERE_ALARMS = 0x04 | 0x08 | 0x20


class ErrorRate:
    """Share of lost or bad replies since the last question, not since the start."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._bad = 0
        self._awaited = 0

    def read(self, counters: BusCounters) -> float:
        """Return the share between the previous call and now."""
        bad = counters.missing_replies + counters.implausible
        awaited = counters.replies + counters.missing_replies
        new_bad, new_awaited = bad - self._bad, awaited - self._awaited
        self._bad, self._awaited = bad, awaited
        return new_bad / new_awaited if new_awaited > 0 else 0.0


def bus_health(
    port: str, low_latency: bool, counters: BusCounters, error_rate: float, trouble: str,
) -> Health:
    """Judge the bus; trouble is what keeps the arm from being reached."""
    values = {
        'port': port, 'low latency mode': low_latency,
        'packet error rate [%]': f'{100.0 * error_rate:.2f}',
        'packet error rate since start [%]': f'{100.0 * counters.error_rate:.3f}',
        'exchanges': counters.exchanges, 'missing replies': counters.missing_replies,
        'bad checksums': counters.bad_checksums, 'stray bytes': counters.stray_bytes,
        'implausible replies': counters.implausible, 'reconnects': counters.reopened,
    }
    if trouble:
        return Health('bus', Level.ERROR, trouble, values)
    if error_rate > ERROR_RATE_WARN:
        return Health(
            'bus', Level.WARN, f'{100.0 * error_rate:.1f} % of the replies are lost or corrupt: '
            'check the cables and the supply', values)
    return Health('bus', values=values)


def motor_health(
    joint: str, state: MotorState | None, counters: MotorCounters, thresholds: Thresholds,
    now_ns: int,
) -> Health:
    """Judge one motor."""
    part = f'motor {joint}'
    values: dict[str, object] = {
        'missing replies': counters.missing, 'implausible replies': counters.implausible,
        'alarms': counters.alarms}
    if state is None:
        return Health(part, Level.ERROR, 'has not answered yet', values)
    age_ns = now_ns - state.stamp_ns
    values |= {
        'temperature [C]': state.temperature, 'voltage [V]': f'{state.voltage:.1f}',
        'load [%]': f'{100.0 * load_to_fraction(state.load_raw):.1f}',
        'age [ms]': f'{age_ns * 1e-6:.0f}', 'error bits': f'0x{state.error:02x}'}
    level, message = max(_findings(state, thresholds, age_ns), key=lambda finding: finding[0])
    return Health(part, level, message, values)


def motors_health(
    states: Mapping[str, MotorState], counters: Mapping[str, MotorCounters],
    thresholds: Thresholds, now_ns: int,
) -> Iterable[Health]:
    """Judge every motor."""
    for joint, counts in counters.items():
        yield motor_health(joint, states.get(joint), counts, thresholds, now_ns)


def _findings(
    state: MotorState, thresholds: Thresholds, age_ns: int,
) -> Iterable[tuple[Level, str]]:
    yield Level.OK, 'ok'
    if age_ns > STALE_NS:
        yield Level.ERROR, f'silent for {age_ns * 1e-9:.1f} s: check its cable and supply'
    if state.error:
        severe = Level.ERROR if state.error & SEVERE_ALARMS else Level.WARN
        yield severe, 'alarm: ' + ', '.join(alarm_names(state.error))
    if state.temperature > thresholds.temperature_error_c:
        yield Level.ERROR, f'{state.temperature} C: let it cool down'
    elif state.temperature > thresholds.temperature_warn_c:
        yield Level.WARN, f'{state.temperature} C: getting hot'
    if state.voltage < thresholds.voltage_min_v:
        yield Level.WARN, f'{state.voltage:.1f} V: the supply is too weak or the wrong one'
    elif state.voltage > thresholds.voltage_max_v:
        yield Level.WARN, f'{state.voltage:.1f} V: the supply is too strong or the wrong one'
