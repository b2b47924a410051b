# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a calibration is asked for, what it shows on its way, and how it ends."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple
from typing import Protocol

from apprentice_control.calibration import calibration_path
from apprentice_control.calibration import CalibrationError
from apprentice_control.calibration import FoundCalibration
from apprentice_control.calibration import JointCalibration
from apprentice_control.calibration import search_calibration
from apprentice_control.joint_travel import Travel
from apprentice_control.joint_travel import TRAVELS
from feetech_driver.calibration_journal import Journal
from feetech_driver.errors import BusError
from feetech_driver.motors import Motor
from feetech_driver.port import DEFAULT_BAUDRATE

CONNECT_S = 5.0
REPLUG_S = 60.0


class Mode(Enum):
    """What to do with the arm; the values are those of Calibrate.action."""

    FRESH = 0
    COMPARE = 1
    WRITE = 2
    SAVE = 3
    VERIFY_ZERO = 4
    RESTORE = 5


class Phase(Enum):
    """Where a calibration stands; some wait for the user."""

    CONNECT = 'connect'
    SUPPORT = 'support'
    RESET = 'reset'
    MIDDLE = 'middle'
    HOMING = 'homing'
    RANGE = 'range'
    DIRECTION = 'direction'
    REDO = 'redo'
    WRITE = 'write'
    ZERO = 'zero'
    PUT_BACK = 'put back'

    @property
    def waits(self) -> bool:
        """Whether the user's word ends it."""
        return self in (Phase.SUPPORT, Phase.MIDDLE, Phase.RANGE, Phase.DIRECTION, Phase.REDO,
                        Phase.ZERO)


class PlanError(ValueError):
    """Report a request that contradicts itself or the arm."""


class Refused(BusError):
    """
    Report that the arm was not calibrated because of how some joints were moved or read.

    `verdicts` says what is wrong and what to do, by joint.
    """

    def __init__(self, message: str, verdicts: Mapping[str, str] | None = None) -> None:
        """Keep the joints' verdicts beside the text for the user."""
        super().__init__(message)
        self.verdicts = dict(verdicts or {})


class Row(NamedTuple):
    """One joint as it is shown: positions in ticks, and a word or two about it."""

    joint: str
    position: int
    minimum: int
    maximum: int
    flag: str


class Front(Protocol):
    """The user's side of a calibration; called from the thread that runs it."""

    def tell(self, text: str) -> None:
        """Say what happened."""

    def warn(self, text: str) -> None:
        """Say what the user should know or do."""

    def begin(self, phase: Phase, prompt: str) -> None:
        """Begin a phase; the prompt says what to do."""

    def show(self, rows: Sequence[Row]) -> None:
        """Show where the joints are, many times a second."""

    def confirmed(self) -> bool:
        """Tell whether the user has confirmed the phase since this was last asked."""

    def stopped(self) -> bool:
        """Tell whether the user wants to stop; nothing is asked after that."""


@dataclass(frozen=True)
class Plan:
    """
    What the user asked for.

    `joints` are calibrated, empty means all; `accept` are taken however far they move and
    whichever way they run; `redo` lets the user repeat joints that are refused.
    """

    port: str
    arm: str = 'so101'
    role: str = 'follower'
    robot_id: str = ''
    calibration_file: str = ''
    folder: str = ''
    baud: int = DEFAULT_BAUDRATE
    mode: Mode = Mode.FRESH
    joints: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    check_directions: bool = True
    redo: bool = True
    connect_timeout_s: float = CONNECT_S
    replug_timeout_s: float = REPLUG_S

    def __post_init__(self) -> None:
        """Refuse what no arm can be asked for."""
        if (self.arm, self.role) not in TRAVELS:
            arms = sorted({arm for arm, _ in TRAVELS})
            roles = sorted({role for _, role in TRAVELS})
            raise PlanError(
                f'found arm {self.arm!r} and role {self.role!r}, expected one of '
                f'{", ".join(arms)} and one of {", ".join(roles)}')
        for what, names in (('joints', self.joints), ('accept', self.accept)):
            unknown = [name for name in names if name not in self.travels]
            if unknown:
                raise PlanError(
                    f'{what}: found {", ".join(unknown)}, expected names among '
                    f'{", ".join(self.travels)}')
        if not (self.robot_id or self.calibration_file):
            raise PlanError(
                'neither an id nor a calibration file was given: choose an id, a name for this '
                "arm that LeRobot calls robot.id, such as 'my_arm'")

    @property
    def travels(self) -> Mapping[str, Travel]:
        """Return what is known of the arm's joints, in bus order."""
        return TRAVELS[self.arm, self.role]

    @property
    def motors(self) -> dict[str, Motor]:
        """Return the motors of the arm: ids count from 1 along the chain."""
        return {name: Motor(ident) for ident, name in enumerate(self.travels, 1)}

    @property
    def ids(self) -> dict[str, int]:
        """Bus ids by joint."""
        return {name: motor.id for name, motor in self.motors.items()}

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the joints to calibrate, in bus order."""
        return tuple(name for name in self.travels if not self.joints or name in self.joints)

    def target(self) -> Path:
        """Return the file to write; CalibrationError for an id that is no file name."""
        if self.calibration_file:
            return Path(self.calibration_file).expanduser()
        return calibration_path(self.robot_id, self.role, self.folder)

    def source(self) -> FoundCalibration:
        """Return the file to read, which may lie in an older folder; CalibrationError if none."""
        if self.calibration_file or self.folder:
            return FoundCalibration(self.target())
        return search_calibration(self.robot_id, self.role)

    def has_file(self) -> bool:
        """Tell whether there is a file to read."""
        try:
            return self.source().path.is_file()
        except CalibrationError:
            return False

    def journal(self) -> Journal:
        """Return the journal of the file that the driver reads, be it there or not."""
        return Journal(self.source().path if self.has_file() else self.target())

    def again(self, joints: Sequence[str] = (), option: str = '') -> str:
        """Return the command that does this again for some joints, or with another option."""
        words = ['ros2 run feetech_driver calibrate', f'--port {self.port}',
                 f'--arm {self.arm}_{self.role}']
        if self.robot_id:
            words.append(f'--id {self.robot_id}')
        if self.calibration_file:
            words.append(f'--calibration-file {self.calibration_file}')
        if self.folder:
            words.append(f'--folder {self.folder}')
        if self.baud != DEFAULT_BAUDRATE:
            words.append(f'--baud {self.baud}')
        if joints:
            words.append(f'--joints {" ".join(joints)}')
        return ' '.join([*words, *filter(None, [option])])


@dataclass(frozen=True)
class Outcome:
    """How a calibration ended well: the file, its joints and one verdict a joint."""

    path: Path
    joints: Mapping[str, JointCalibration]
    verdicts: Mapping[str, str]
    different: bool = False
