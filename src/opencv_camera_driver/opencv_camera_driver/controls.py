# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Exposure, white balance and gain of a video device."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fcntl import ioctl

from opencv_camera_driver import v4l2_api as api
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.v4l2_device import Device

AUTO = 'auto'
_MANUAL_EXPOSURE = 1
# Aperture priority is how USB cameras call automatic exposure; others know only full automatic.
_AUTO_EXPOSURE = (3, 0)


@dataclass(frozen=True)
class Knob:
    """One quantity: its value's control in units of `scale`, and the control that automates it."""

    name: str
    unit: str
    value: int
    scale: float
    automatic: int
    on: tuple[int, ...] = (1,)
    off: int = 0


KNOBS = (
    Knob('exposure', ' ms', api.EXPOSURE_ABSOLUTE, 0.1, api.EXPOSURE_AUTO, _AUTO_EXPOSURE,
         _MANUAL_EXPOSURE),
    Knob('white_balance', ' K', api.WHITE_BALANCE_TEMPERATURE, 1.0, api.AUTO_WHITE_BALANCE),
    Knob('gain', '', api.GAIN, 1.0, api.AUTOGAIN),
)


def adjust(device: Device, settings: Mapping[str, str]) -> None:
    """
    Set each knob that is named to 'auto' or a number.

    :raises CameraError: where the camera has no such control or not that value.
    """
    for knob in KNOBS:
        setting = settings.get(knob.name, '')
        if setting == AUTO:
            _automate(device, knob)
        elif setting:
            _fix(device, knob, float(setting))


def readings(device: Device) -> dict[str, str]:
    """Return the value of every knob that the camera has, and whether it is automatic."""
    found = {}
    for knob in KNOBS:
        value = _get(device, knob.value)
        if value is not None:
            automatic = _get(device, knob.automatic)
            how = ' (auto)' if automatic is not None and automatic != knob.off else ''
            found[knob.name] = f'{value * knob.scale:g}{knob.unit}{how}'
    return found


def _automate(device: Device, knob: Knob) -> None:
    control = _query(device, knob.automatic)
    if control is None:
        return  # nothing automatic to switch on
    on = knob.on if len(knob.on) == 1 else [
        value for value in knob.on if _has_menu(device, knob.automatic, value)]
    if on:
        _set(device, knob.automatic, on[0], f'{knob.name} auto')
    if knob.automatic == api.EXPOSURE_AUTO and _query(device, api.EXPOSURE_AUTO_PRIORITY):
        # Else the camera halves its rate in dim light.
        _set(device, api.EXPOSURE_AUTO_PRIORITY, 0, 'exposure auto at a constant rate')


def _fix(device: Device, knob: Knob, value: float) -> None:
    control = _query(device, knob.value)
    if control is None:
        raise CameraError(f'{device.path} ({device.card}) has no control for {knob.name}: leave '
                          f"parameter '{knob.name}' at auto.")
    least, most = control.minimum * knob.scale, control.maximum * knob.scale
    if not least <= value <= most:
        raise CameraError(f"parameter '{knob.name}': found {value:g}{knob.unit}, expected "
                          f'{least:g} to {most:g}{knob.unit} or auto on {device.path} '
                          f'({device.card}).')
    if _query(device, knob.automatic) is not None:
        _set(device, knob.automatic, knob.off, f'{knob.name} manual')
    steps = round((value / knob.scale - control.minimum) / max(control.step, 1))
    _set(device, knob.value, control.minimum + steps * max(control.step, 1),
         f'{knob.name} {value:g}{knob.unit}')


def _query(device: Device, control: int) -> api.QueryControl | None:
    query = api.QueryControl(id=control)
    try:
        ioctl(device.fd, api.QUERYCTRL, query)
    except OSError:
        return None  # there is no such control
    return None if query.flags & api.CONTROL_DISABLED else query


def _has_menu(device: Device, control: int, index: int) -> bool:
    try:
        ioctl(device.fd, api.QUERYMENU, api.QueryMenu(id=control, index=index))
    except OSError:
        return False
    return True


def _get(device: Device, control: int) -> int | None:
    query = api.Control(id=control)
    try:
        ioctl(device.fd, api.G_CTRL, query)
    except OSError:
        return None  # there is no such control
    return query.value


def _set(device: Device, control: int, value: int, what: str) -> None:
    device.call(api.S_CTRL, api.Control(id=control, value=value), f'set to {what}')
