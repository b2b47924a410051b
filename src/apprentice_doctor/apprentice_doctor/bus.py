# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Motors: who answers, how reliably and when, how warm, and with torque or not."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import os

from apprentice_doctor import bus_look
from apprentice_doctor import ports
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import Arm
from apprentice_doctor.robot import Question
from apprentice_doctor.usb import latency_timer
from feetech_driver import devices
from feetech_driver.bus import FeetechBus
from feetech_driver.connection import make_bus
from feetech_driver.errors import BusError
from feetech_driver.errors import HandshakeError
from feetech_driver.errors import PortError
from feetech_driver.health import ERROR_RATE_WARN
from feetech_driver.motors import BusInfo
from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import Role
from feetech_driver.registers import alarm_names

_OVERLOAD, _HEAT = 0x20, 0x04
_ERROR_RATE_ERROR = 0.1
# Steps that a torque-free joint makes by itself are smaller.
_STALE_TICKS = 57
_SLOW_SHARE = 0.95


def check(question: Question) -> Iterator[Finding]:
    """Read the bus of every arm whose port is free."""
    for arm in question.robot.arms:
        where = f'{arm.name}, {arm.port}'
        found = list(_arm(arm, where, question))
        yield from found
        if all(item.level is Level.OK for item in found) and any(
                item.name == 'torque-off' for item in found):
            yield fine('all-well', 'all well: torque off, port free', where)


def open_bus(arm: Arm, where: str) -> FeetechBus | Finding:
    """Return the open bus of an arm, or the finding that says why it cannot be read."""
    try:
        path = devices.resolve(arm.port)
        holders = ports.held_by(path)
        if any(map(ports.is_driver, holders)):
            return fine('bus-not-read', 'its driver reads it: see graph', where)
        bus = make_bus(arm.config())
        bus.open()
        return bus
    except PortError as error:
        return Finding(
            Level.ERROR, 'bus-not-read', 'the port cannot be opened', where,
            str(error).split('. ')[0], 'an open port', 'see the finding under ports')


def _arm(arm: Arm, where: str, question: Question) -> Iterator[Finding]:
    bus = open_bus(arm, where)
    if isinstance(bus, Finding):
        yield bus
        return
    config = arm.config()
    try:
        info, error = bus_look.meet(bus)
        yield from latency(bus, where, question)
        if error is not None:
            yield from _who(bus, error, config, where)
            rest = bus_look.answering(error, config)
            if rest is None:
                return
            bus, config = bus_look.reopened(bus, rest), rest
        else:
            yield from _firmware(info, where)
        watch = bus_look.watch(bus, config.rate_hz, question.seconds)
        registers = bus_look.read_registers(bus)
    except BusError as error:
        yield Finding(
            Level.ERROR, 'bus-lost', 'the bus went away while it was read', where, str(error),
            'answers', 'check the USB cable and the supply of the motors')
        return
    finally:
        bus.close()
    yield _packets(watch, where)
    yield _timing(watch, where)
    yield from _states(watch, config, where)
    yield from _torque(registers, config, where)


def latency(bus: FeetechBus, where: str, question: Question) -> Iterator[Finding]:
    """Say whether the adapter keeps answers to itself for longer than a millisecond."""
    # A stable name is a link to the device of which sysfs knows.
    name = os.path.basename(os.path.realpath(bus.port.path))
    latency_ms = latency_timer(name, question.root)
    if latency_ms is not None and latency_ms > 1:
        yield Finding(
            Level.WARN, 'latency-timer', 'the adapter holds answers back', where,
            f'{latency_ms} ms', '1 ms', 'until the next plugging:\n'
            '  echo 1 | sudo tee \\\n'
            f'    /sys/bus/usb-serial/devices/{name}/latency_timer')


def _who(
    bus: FeetechBus, error: HandshakeError, config: DriverConfig, where: str,
) -> Iterator[Finding]:
    names = dict(zip(config.ids, config.joints))
    cure = '\n'.join(
        line for line in str(error).splitlines()[1:] if not line.startswith('  '))
    found = '; '.join(
        line.strip() for line in str(error).splitlines()[1:] if line.startswith('  '))
    if len(error.missing) == len(names) and bus_look.hears_dynamixel(bus):
        yield Finding(
            Level.ERROR, 'dynamixel-motors', 'Dynamixel motors answer, not Feetech ones', where,
            'answers in Dynamixel protocol 2.0', config.model,
            'another robot is on this port: name the right one in the hardware file')
        return
    if error.missing:
        first = error.missing[0]
        yield Finding(
            Level.ERROR, 'silent-motor',
            f'{len(error.missing)} of {len(names)} motors are silent, the first is id {first} '
            f'({names[first]})', where, found, 'an answer from each', cure)
    if error.duplicated:
        yield Finding(
            Level.ERROR, 'duplicated-id', 'several motors have one id: '
            + ', '.join(map(str, error.duplicated)), where, found, 'an id for each motor', cure)
    if error.wrong_model:
        yield Finding(
            Level.ERROR, 'wrong-model', 'motors of another model: ids '
            + ', '.join(map(str, error.wrong_model)), where, found, config.model, cure)


def _firmware(info: BusInfo | None, where: str) -> Iterator[Finding]:
    for text in info.warnings if info else ():
        if 'firmware' in text:
            yield Finding(
                Level.WARN, 'firmware-mix' if 'different' in text else 'firmware-old',
                text.partition(';')[0], where, expected='one version, 3.10 or newer',
                cure="update the older ones with Feetech's FD software")
        else:
            yield fine('echo', text, where)


def _packets(watch: bus_look.Watch, where: str) -> Finding:
    counters = watch.counters
    bad = counters.missing_replies + counters.implausible
    awaited = counters.replies + counters.missing_replies
    rate = counters.error_rate
    text = f'{bad} of {awaited} answers lost or corrupt, {counters.bad_checksums} of them by ' \
           f'checksum ({100 * rate:.2f} %)'
    if bad == 0 and not counters.bad_checksums and not counters.stray_bytes:
        return fine('packets', f'all {awaited} answers came', where)
    if rate <= ERROR_RATE_WARN:
        return fine('packet-errors', text, where)
    worst = max(watch.motors, key=lambda name: watch.motors[name].missing)
    return Finding(
        Level.ERROR if rate > _ERROR_RATE_ERROR else Level.WARN, 'packet-errors',
        'answers of motors are lost or corrupt', where, text,
        f'at most {100 * ERROR_RATE_WARN:g} %',
        f'check cables and supply, first at {worst}, which was missing most often')


def _timing(watch: bus_look.Watch, where: str) -> Finding:
    late, busy = watch.lateness, watch.busy
    reached = watch.cycles / watch.seconds
    text = (f'{reached:.0f} of {watch.rate_hz:.0f} Hz, cycle {busy.p50_ns * 1e-6:.1f} ms, late '
            f'p99 {late.p99_ns * 1e-6:.1f} ms, at most {late.max_ns * 1e-6:.1f} ms')
    if watch.trouble:
        return Finding(Level.ERROR, 'bus-lost', 'reading ended early', where, watch.trouble,
                       'answers to the end', 'check the USB cable')
    if reached >= _SLOW_SHARE * watch.rate_hz and late.p99_ns < 1e9 / watch.rate_hz:
        return fine('loop-timing', text, where)
    return Finding(
        Level.WARN, 'loop-timing', "the bus loop does not keep the driver's rate", where, text,
        f'{watch.rate_hz:.0f} Hz, p99 below one period',
        'end other programs, allow real-time priority (see machine), lower rate_hz')


def _states(
    watch: bus_look.Watch, config: DriverConfig, where: str,
) -> Iterator[Finding]:
    limits = config.thresholds
    for name, bits in watch.alarms.items():
        if bits & _OVERLOAD:
            yield Finding(
                Level.ERROR, 'overload', f'{name} reports overload', where,
                ', '.join(alarm_names(bits)), 'no alarm', 'take the load off, let it cool, then '
                'start the driver: it cycles the torque of that motor')
        elif bits & ~_HEAT:
            yield Finding(
                Level.WARN, 'alarm', f'{name} reports an alarm', where,
                ', '.join(alarm_names(bits)) or f'bits 0x{bits:02x}', 'no alarm',
                'check supply and cable of this motor, then switch it off and on')
    for name, state in watch.states.items():
        if state.temperature > limits.temperature_warn_c:
            hot = state.temperature > limits.temperature_error_c
            yield Finding(
                Level.ERROR if hot else Level.WARN, 'hot-motor',
                f'{name} is {"too hot" if hot else "getting hot"}', where,
                f'{state.temperature} C', f'at most {limits.temperature_warn_c:g} C',
                'let it cool down; hold poses with less load')
    if not watch.states:
        return
    volts = {name: state.voltage for name, state in watch.states.items()}
    hottest = max(state.temperature for state in watch.states.values())
    span = f'{min(volts.values()):.1f} to {max(volts.values()):.1f} V'
    if min(volts.values()) < limits.voltage_min_v or max(volts.values()) > limits.voltage_max_v:
        yield Finding(
            Level.WARN, 'supply-voltage', 'the supply is the wrong one, or too weak', where, span,
            f'{limits.voltage_min_v:g} to {limits.voltage_max_v:g} V',
            'check the power adapter and its plug')
    else:
        yield fine('motors', f'{len(volts)} motors, {span}, at most {hottest} C', where)


def _torque(
    registers: bus_look.Registers, config: DriverConfig, where: str,
) -> Iterator[Finding]:
    on = [name for name, value in registers.torque.items() if value]
    if on:
        yield Finding(
            Level.ERROR, 'torque-left-on', f'torque is on though no driver runs: {", ".join(on)}',
            where, f'torque on at {len(on)} of {len(registers.torque)} motors', 'torque off',
            'a program was killed. Support the arm, then switch its supply off and on; or start '
            'the driver, which takes over the measured pose, and end it with Ctrl-C')
    elif len(registers.torque) < len(config.joints):
        yield Finding(
            Level.WARN, 'torque-unknown', 'not every motor told whether its torque is on', where,
            f'{len(registers.torque)} of {len(config.joints)}', 'all', 'look again')
    else:
        yield fine('torque-off', f'off at all {len(registers.torque)} motors', where)
    stale = _stale(registers.goal, registers.position)
    if config.role is Role.FOLLOWER and stale and not on:
        name = max(stale, key=lambda joint: stale[joint])
        yield fine(
            'stale-goal', f'goals are not where the joints are ({name}: {stale[name]} ticks): our '
            'driver begins at the measured pose, other programs may jump', where)


def _stale(goal: Mapping[str, int], position: Mapping[str, int]) -> dict[str, int]:
    return {name: distance for name in goal.keys() & position.keys()
            if (distance := abs(goal[name] - position[name])) > _STALE_TICKS}
