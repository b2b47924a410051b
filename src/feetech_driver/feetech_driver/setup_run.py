# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The set-up of an arm: motor by motor, gripper first, then the chain as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from feetech_driver.bus import FeetechBus
from feetech_driver.errors import BusError
from feetech_driver.errors import HandshakeError
from feetech_driver.motors import BusInfo
from feetech_driver.port import DeadlinePort
from feetech_driver.port import DEFAULT_BAUDRATE
from feetech_driver.scan import scan
from feetech_driver.scan import ScanResult
from feetech_driver.setup_arms import ArmKind
from feetech_driver.setup_arms import JOINTS
from feetech_driver.setup_motor import assign
from feetech_driver.setup_motor import Assigned
from feetech_driver.setup_motor import only_motor
from feetech_driver.setup_motor import SetupError
from feetech_driver.setup_motor import Wish
from feetech_driver.setup_progress import Progress

_FACTORY_ID = 1


class Front(Protocol):
    """Who the set-up talks to."""

    def say(self, text: str) -> None:
        """Tell something."""

    def until_done(self, prompt: str, attempt: Callable[[bool], None]) -> None:
        """
        Ask for what the prompt says and call attempt(thorough) until it works.

        Raises the last BusError when patience is over.
        """


def set_up(
    arm: ArmKind, spec: str, front: Front, progress: Progress, only: tuple[str, ...] = (),
) -> None:
    """Set up the joints that are not done yet, or just those named; BusError ends it."""
    wanted = [joint for joint in reversed(JOINTS)
              if (joint in only if only else joint not in progress.done)]
    if progress.done and not only:
        front.say(f'Going on where it stopped: {", ".join(progress.done)} done before.')
    for joint in wanted:
        _set_up_joint(arm, joint, spec, front, progress, anew=bool(only))


def assign_only(spec: str, wish: Wish) -> Assigned:
    """Set up the one motor on a port that is not open; BusError says why it cannot be done."""
    port = DeadlinePort(spec)
    port.open()
    try:
        result = scan(port)
        if not result.motors:
            result = scan(port, thorough=True)
        return assign(port, only_motor(result, wish), wish)
    finally:
        port.close()


def check(arm: ArmKind, spec: str, patience_s: float = 2.0) -> BusInfo:
    """
    Return what the whole chain says about itself; nothing is written.

    HandshakeError names silent, wrong and duplicated motors, where the cable may be loose, and
    motors that answer at another baud rate; SetupError a supply that is out of bounds.
    """
    bus = FeetechBus(spec, arm.motors)
    bus.open()
    try:
        info = bus.handshake(patience_s)
    except HandshakeError as error:
        strays = _at_other_rates(bus.port) if error.missing else ''
        raise HandshakeError(
            f'{error}{strays}', missing=error.missing, duplicated=error.duplicated,
            wrong_model=error.wrong_model) from error
    finally:
        bus.close()
    _check_supply(arm, info)
    return info


def complete(arm: ArmKind, spec: str) -> BusInfo | None:
    """Return what the chain says if all its motors are set up, else None."""
    bus = FeetechBus(spec, arm.motors)
    bus.open()
    try:
        info = bus.handshake(0.0)
    except HandshakeError:
        return None
    finally:
        bus.close()
    _check_supply(arm, info)
    return info


def _check_supply(arm: ArmKind, info: BusInfo) -> None:
    for joint, motor in info.motors.items():
        wish = arm.wish(joint)
        if motor.voltage is not None and not wish.min_v <= motor.voltage <= wish.max_v:
            raise SetupError(
                f'the supply at {joint} (id {motor.id}) is {motor.voltage:.1f} V, expected '
                f'{wish.min_v:g} to {wish.max_v:g} V for {arm.name}. Check the power adapter: '
                f'its plug, and whether it is that of this arm.{wish.hint(motor.voltage)}')


def _set_up_joint(
    arm: ArmKind, joint: str, spec: str, front: Front, progress: Progress, anew: bool,
) -> None:
    wish = arm.wish(joint)
    # A motor with the factory's id may always be a fresh one.
    done = {ident: other for other in progress.done
            if other != joint and (ident := arm.motors[other].id) != _FACTORY_ID}

    def attempt(thorough: bool) -> None:
        port = DeadlinePort(spec)
        port.open()
        try:
            result = scan(port)
            if thorough and not result.motors:
                front.say('  nobody answers; listening longer, about 13 s')
                result = scan(port, thorough=True)
            if not anew:
                _refuse_done(result, done, wish)
            _tell(front, assign(port, only_motor(result, wish), wish))
        finally:
            port.close()
        progress.add(joint)

    gear = f', gear {arm.gears[joint]} (see its label)' if joint in arm.gears else ''
    number = len(JOINTS) - JOINTS.index(joint)
    front.say(f'\n[{number}/{len(JOINTS)}] {joint}: id {wish.id}, {wish.model}{gear}')
    front.until_done(f'Connect {wish.what}, and no other motor, to the board.', attempt)


def _refuse_done(result: ScanResult, done: dict[int, str], wish: Wish) -> None:
    motors = result.motors
    if len(motors) == 1 and motors[0].id in done and motors[0].baud == DEFAULT_BAUDRATE:
        other = done[motors[0].id]
        raise SetupError(
            f'this motor has id {motors[0].id}: it is the one just set up as {other}. Connect '
            f'{wish.what} in its place; if it is the right one, give it its id with --joint.')


def _tell(front: Front, assigned: Assigned) -> None:
    front.say(f'  found: {assigned.before}')
    for change in assigned.changes:
        front.say(f'  wrote: {change}')
    if not assigned.changes:
        front.say('  nothing to write: it is set up already')
    front.say(f'  checked: {assigned.after}')


def _at_other_rates(port: DeadlinePort) -> str:
    try:
        port.open()
        strays = [motor for motor in scan(port).motors if motor.baud != DEFAULT_BAUDRATE]
    except BusError:
        # What the handshake said matters more than a port that went away since.
        return ''
    lines = [f'\n{motor}: set it up alone, with --joint.' for motor in strays]
    return ''.join(lines)
