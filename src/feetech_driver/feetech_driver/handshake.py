# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Check who is on a bus, and say in the user's words what is wrong."""

from __future__ import annotations

import time
from typing import Mapping

from feetech_driver.errors import HandshakeError
from feetech_driver.motors import BusInfo
from feetech_driver.motors import Motor
from feetech_driver.motors import MotorInfo
from feetech_driver.port import DeadlinePort
from feetech_driver.registers import model_name
from feetech_driver.registers import Protocol
from feetech_driver.scan_probe import Probe

_VOLTAGE_OFFSET = 6
_OTHERS_S = 0.3
_RATE_S = 0.08
_OTHER_RATES = (1_000_000, 500_000, 250_000, 128_000, 115_200, 76_800, 57_600, 38_400, 19_200)
_OLD_FIRMWARE = (3, 10)


class Handshake:
    """One check of the motors on an open port."""

    def __init__(
        self, port: DeadlinePort, motors: Mapping[str, Motor], protocol: Protocol,
    ) -> None:
        """Expect motors, by name in chain order, on port."""
        self._port = port
        self._probe = Probe(port)
        self._motors = motors
        self._protocol = protocol
        self._found: dict[int, MotorInfo] = {}
        self._duplicated: set[int] = set()

    def run(self, timeout_s: float) -> BusInfo:
        """Return what the motors said; HandshakeError names what is wrong."""
        give_up = time.monotonic() + timeout_s
        pending = tuple(motor.id for motor in self._motors.values())
        while True:
            for ident in pending:
                self._meet(ident)
            pending = tuple(ident for ident in pending if ident not in self._found)
            if not pending or self._duplicated or time.monotonic() >= give_up:
                break
        wrong = tuple(
            motor.id for motor in self._motors.values()
            if motor.id in self._found and self._found[motor.id].model != motor.model)
        missing = tuple(ident for ident in pending if ident not in self._duplicated)
        if missing or wrong or self._duplicated:
            raise HandshakeError(
                self._complaint(missing, wrong), missing=missing, wrong_model=wrong,
                duplicated=tuple(sorted(self._duplicated)))
        return BusInfo(
            {name: self._found[motor.id] for name, motor in self._motors.items()},
            self._warnings())

    def _meet(self, ident: int) -> None:
        meeting = self._probe.meet(ident)
        if meeting is None:
            return
        if meeting.duplicated:
            self._duplicated.add(ident)
        elif meeting.identity is not None:
            identity, state = meeting.identity, meeting.state
            voltage = state[_VOLTAGE_OFFSET] / 10 if state else None
            number = int.from_bytes(identity[3:5], self._protocol.order)
            self._found[ident] = MotorInfo(
                ident, model_name(number), (identity[0], identity[1]), voltage)

    def _warnings(self) -> tuple[str, ...]:
        warnings = []
        versions = {info.firmware for info in self._found.values()}
        if len(versions) > 1:
            listed = ', '.join(
                f'{name} {_version(self._found[motor.id])}'
                for name, motor in self._motors.items())
            warnings.append(f'motors run different firmware ({listed}); update the older ones')
        if self._protocol is Protocol.STS and min(versions) < _OLD_FIRMWARE:
            warnings.append('firmware older than 3.10 is known for corrupt replies; update it')
        if self._port.echo:
            warnings.append('the adapter echoes what is sent; echoes are stripped')
        return tuple(warnings)

    def _complaint(self, missing: tuple[int, ...], wrong: tuple[int, ...]) -> str:
        lines = [
            f'{self._port.path} at {self._port.baudrate} baud: {len(self._found)} of '
            f'{len(self._motors)} motors answered.']
        for name, motor in self._motors.items():
            lines.append(f'  id {motor.id} {name}: {self._verdict(motor, wrong)}')
        others = self._others(_OTHERS_S)
        if others:
            lines.append(f'Also on the bus: ids {", ".join(map(str, others))}.')
        elif not self._found and not self._duplicated:
            lines += self._at_other_rates()
        lines += self._advice(missing, wrong, bool(others))
        return '\n'.join(lines)

    def _verdict(self, motor: Motor, wrong: tuple[int, ...]) -> str:
        if motor.id in self._duplicated:
            return 'several motors answer at once'
        info = self._found.get(motor.id)
        if info is None:
            return 'silent'
        text = f'{info.model}, firmware {_version(info)}'
        if info.voltage is not None:
            text += f', {info.voltage:.1f} V'
        return f'{text}; expected {motor.model}' if motor.id in wrong else text

    def _advice(
        self, missing: tuple[int, ...], wrong: tuple[int, ...], others: bool,
    ) -> list[str]:
        advice = []
        chain = [(motor.id, name) for name, motor in self._motors.items()]
        silent = [ident in missing for ident, _name in chain]
        if self._duplicated:
            ids = ', '.join(map(str, sorted(self._duplicated)))
            advice.append(
                f'Two or more motors have id {ids}: connect one at a time and give each its id.')
        if wrong:
            advice.append('Another device is on this port, or leader and follower are swapped.')
        if all(silent) and not others:
            advice.append(
                'No motor answers: is the motor supply on (USB alone does not power motors), is '
                'this the right port, do the motors run at another baud rate?')
        elif any(silent):
            first = silent.index(True)
            if first and all(silent[first:]):
                (before, name), (after, after_name) = chain[first - 1], chain[first]
                advice.append(
                    f'The chain is broken between id {before} ({name}) and id {after} '
                    f'({after_name}): check the cable between them.')
            else:
                advice.append(
                    f'Check the cable of id {chain[first][0]} ({chain[first][1]}), and whether '
                    'it was given its id.')
        return advice

    def _at_other_rates(self) -> list[str]:
        configured = self._port.baudrate
        try:
            for rate in _OTHER_RATES:
                if rate != configured and self._port.setBaudRate(rate):
                    idents = self._others(_RATE_S, known=())
                    if idents:
                        return [f'Motors answer at {rate} baud: ids '
                                f'{", ".join(map(str, idents))}. Set the baud rate to match.']
        finally:
            self._port.setBaudRate(configured)
        return []

    def _others(self, listen_s: float, known: tuple[int, ...] | None = None) -> list[int]:
        if not self._protocol.sync_read:
            return []
        idents, _garbled = self._probe.broadcast(listen_s)
        if known is None:
            known = tuple(motor.id for motor in self._motors.values())
        return sorted(idents - set(known))


def _version(info: MotorInfo) -> str:
    return f'{info.firmware[0]}.{info.firmware[1]}'
