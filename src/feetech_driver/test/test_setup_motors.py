# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The program setup_motors from end to end, with a user who plugs motors in and out."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import os
from pathlib import Path
import queue
import subprocess
import sys
import threading
import time

from apprentice_sim.faults import Action
from apprentice_sim.frames import Instruction
from apprentice_sim.presets import chain
from apprentice_sim.presets import fresh_servo
from apprentice_sim.presets import so_arm
from apprentice_sim.testing import servo_bus
from apprentice_sim.testing import SimArm
from conftest import NAMES
from feetech_driver.errors import BusError
from feetech_driver.setup_arms import ARMS
from feetech_driver.setup_motors import main
from feetech_driver.setup_progress import Progress
from feetech_driver.setup_progress import progress_path
from feetech_driver.setup_run import check
import pytest

pytestmark = pytest.mark.timeout(180)
DEADLINE_S = 40.0


class User:
    """Somebody at a terminal: reads what the program says, plugs motors, presses Enter."""

    def __init__(self, bus: SimArm, state: Path, *arguments: str) -> None:
        """Start the program."""
        self.bus = bus
        self.said = ''
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'feetech_driver.setup_motors', '--port', bus.port, *arguments],
            env={**os.environ, 'XDG_STATE_HOME': str(state)}, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._output: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, text: str) -> None:
        """Read until the program has said something; what was said before is forgotten."""
        end = time.monotonic() + DEADLINE_S
        while text not in self.said:
            try:
                self.said += self._output.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f'expected {text!r} after:\n{self.said}') from None
        self.said = self.said.partition(text)[2]

    def enter(self) -> None:
        """Press Enter."""
        self._process.stdin.write('\n')

    def connect(self, name: str, description: str = '') -> None:
        """Put one motor on the board in place of all others, a fresh one if described."""
        for other in list(self.bus.servos):
            shelf[other] = self.bus.bus.detach(other)
        if description:
            shelf[name] = fresh_servo(description, name)
        self.bus.bus.attach(shelf.pop(name))

    def connect_all(self) -> None:
        """Put the arm together."""
        for name in NAMES:
            if name not in self.bus.servos:
                self.bus.bus.attach(shelf.pop(name))

    def end(self) -> tuple[int, str]:
        """Close the keyboard and wait; return the exit code and what was said since."""
        self._process.stdin.close()
        code = self._process.wait(DEADLINE_S)
        while (text := self._output.get(timeout=DEADLINE_S)):
            self.said += text
        return code, self.said

    def kill(self) -> None:
        """End the program as a power cut of the computer would."""
        self._process.kill()
        self._process.wait(DEADLINE_S)

    def _read(self) -> None:
        while text := self._process.stdout.read(1):
            self._output.put(text)
        self._output.put('')


shelf: dict = {}


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[SimArm]:
    """Serve a board with one motor that is not of the arm."""
    with servo_bus(chain('sts3215:77'), tmp_path / 'board') as served:
        served.bus.detach('servo_1')
        shelf.clear()
        yield served


@pytest.fixture
def start(bus: SimArm, tmp_path: Path) -> Iterator[Callable[..., User]]:
    """Start the program, and end it when the test ends."""
    users: list[User] = []

    def begin(*arguments: str) -> User:
        users.append(User(bus, tmp_path / 'state', *arguments))
        return users[-1]

    yield begin
    for user in users:
        user.kill()


def test_an_arm_is_set_up_at_the_keyboard(
        bus: SimArm, start: Callable[..., User], tmp_path: Path) -> None:
    """Six motors in six states; mistakes are told and asked for again; then the whole chain."""
    user = start('--arm', 'so101_leader')
    user.until('[1/6] gripper: id 6, sts3215, gear 1/147')
    user.until('Then press Enter: ')
    user.connect('gripper', 'sts3215:1')
    bus.bus.attach(fresh_servo('sts3215:1', 'wrist_roll'))
    user.enter()
    user.until('two or more motors answer as id 1 at 1000000 baud')
    shelf['wrist_roll'] = bus.bus.detach('wrist_roll')
    user.enter()
    user.until('wrote: id 1 -> 6')
    user.until('[2/6] wrist_roll: id 5')
    user.until('Enter: ')
    bus.unplug()
    user.enter()
    user.until('there is no serial port')
    user.until('Enter to try again')
    bus.replug()
    user.enter()
    user.until('it is the one just set up as gripper')
    user.until('Enter to try again')
    user.connect('wrist_roll')
    user.enter()
    user.until('wrote: id 1 -> 5')
    for name, description in zip(
            NAMES[3::-1], ('sts3215:4', 'sts3215:1@500000', 'sts3215:9@57600', 'sts3215:1')):
        user.until(f'] {name}: id')
        user.until('Enter: ')
        user.connect(name, description)
        user.enter()
        user.until('checked: id')
    user.until('All six motors are set up.')
    user.until('Enter: ')
    user.enter()
    user.until('The chain is broken between id 1 (shoulder_pan) and id 2 (shoulder_lift)')
    user.connect_all()
    user.enter()
    user.until('id 6 gripper: sts3215, firmware 3.10, 7.4 V')
    code, said = user.end()
    assert (code, said.strip().splitlines()[-1]) == (0, 'The chain is complete.')
    bus.power_cycle()
    assert bus.registers('id') == {name: ident for ident, name in enumerate(NAMES, 1)}
    assert set(bus.registers('baud_rate').values()) == {0}
    assert not list((tmp_path / 'state').rglob('*.json'))


def test_it_goes_on_where_it_stopped(
        bus: SimArm, start: Callable[..., User], tmp_path: Path) -> None:
    """Without a keyboard: the cable pulled, the program killed, the supply lost on the way."""
    arguments = ('--arm', 'so100_follower', '--yes')
    before = Progress(progress_path('so100_follower', bus.port, tmp_path / 'state'), print)
    for name in NAMES[:3]:
        before.add(name)
        shelf[name] = fresh_servo(f'sts3215:{NAMES.index(name) + 1}', name)
    user = start(*arguments)
    user.until('no motor answers')
    user.connect('gripper', 'sts3215:1')
    user.until('[2/6] wrist_roll')
    user.until('just set up as gripper')
    bus.unplug()
    user.until('waiting: there is no serial port')
    user.connect('wrist_roll', 'sts3215:1@115200')
    bus.replug()
    user.until('wrote: baud rate 115200 -> 1000000')
    user.until('[3/6] wrist_flex')
    user.kill()
    user = start(*arguments)
    user.until(f'Going on where it stopped: {", ".join(NAMES[:3])}, gripper, wrist_roll done')
    user.until('[3/6] wrist_flex')
    bus.faults.add(
        Action.POWER_LOSS, instructions=[Instruction.WRITE], address=6, count=1, value=2)
    user.connect('wrist_flex', 'sts3215:1@500000')
    user.until('stopped answering')
    user.until('wrote: id 1 -> 4')
    code, said = user.end()
    assert code == 0 and 'All six motors are set up.' in said
    user.connect_all()
    user = start(*arguments)
    user.until('All six motors are set up; nothing was written.')
    assert user.end()[0] == 0


def test_patience_ends(bus: SimArm, start: Callable[..., User]) -> None:
    """With --yes and no motor the program ends with the reason, and code 1."""
    user = start('--arm', 'so100_leader', '--yes', '--timeout', '0')
    code, said = user.end()
    assert code == 1 and 'setup_motors: no motor answers at any baud rate' in said
    assert 'Set up and checked: none. Not yet: gripper, wrist_roll, wrist_flex' in said
    assert 'Traceback' not in said


def test_no_keyboard_is_told(bus: SimArm, start: Callable[..., User]) -> None:
    """Where standard input has ended the program says what to use."""
    code, said = start('--arm', 'so100_leader').end()
    assert code == 2 and 'without a keyboard use --yes' in said and 'Traceback' not in said


def test_one_joint_alone(bus: SimArm, start: Callable[..., User]) -> None:
    """A spare motor is set up without the others, whatever id it has."""
    user = start('--arm', 'so101_follower', '--joint', 'elbow_flex', '--yes')
    user.connect('elbow_flex', 'sts3215:6')
    user.until('wrote: id 6 -> 3')
    code, said = user.end()
    assert code == 0
    assert 'Not set up with this tool yet: shoulder_pan, shoulder_lift, wrist_flex' in said


def test_a_chain_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check lists the motors and warns of mixed firmware; nothing is written."""
    servos = so_arm('follower')
    servos[2].set('firmware_minor', 9)
    with servo_bus(servos, tmp_path / 'arm') as arm:
        assert main(['--arm', 'so101_follower', '--port', arm.port, '--check']) == 0
        assert arm.taps.events == []
    out = capsys.readouterr().out
    assert 'id 3 elbow_flex: sts3215, firmware 3.9, 7.4 V' in out
    assert 'warning: motors run different firmware (shoulder_pan 3.10' in out


def break_it(arm: SimArm, how: str) -> None:
    """Bring a complete chain into a state that a check must name."""
    if how == 'rate':
        arm.set('elbow_flex', 'baud_rate', 1)
    else:
        for servo in arm.servos.values():
            servo.voltage_v = 12.1


@pytest.mark.parametrize(('how', 'message'), [
    ('rate', 'id 3 at 500000 baud, sts3215, firmware 3.10, 7.4 V, 30 C: set it up alone'),
    ('supply', 'is 12.1 V, expected 4.5 to 9 V for so101_leader'),
    ('supply', 'If the motors of this leader are the 12 V build'),
])
def test_what_is_wrong_with_a_chain_is_named(tmp_path: Path, how: str, message: str) -> None:
    """Each fault of a chain has its sentence."""
    with servo_bus(so_arm('leader'), tmp_path / 'arm') as arm:
        break_it(arm, how)
        with pytest.raises(BusError) as caught:
            check(ARMS['so101_leader'], arm.port, 0.1)
    assert message in str(caught.value)


def test_a_leader_of_12_v_motors_is_taken_on_request(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """12 V is refused until somebody says that the motors are made for it; 13.5 V always."""
    with servo_bus(so_arm('leader', voltage_v=12.1), tmp_path / 'arm') as arm:
        arguments = ['--arm', 'so101_leader', '--port', arm.port, '--check']
        assert main(arguments) == 1 and 'add --accept-12v' in capsys.readouterr().err
        assert main([*arguments, '--accept-12v']) == 0
        for servo in arm.servos.values():
            servo.voltage_v = 13.5
        assert main([*arguments, '--accept-12v']) == 1
        assert 'expected 4.5 to 13 V' in capsys.readouterr().err


@pytest.mark.parametrize(('arguments', 'message'), [
    (['--arm', 'so102'], "invalid choice: 'so102'"),
    (['--arm', 'so100_leader', '--joint', 'thumb'], "invalid choice: 'thumb'"),
    (['--arm', 'so100_leader', '--check', '--restart'], '--check writes nothing'),
    (['--arm', 'so100_leader', '--timeout', 'nan'], 'found nan, expected 0 to 3600 seconds'),
])
def test_wrong_arguments(
        capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Exit code 2 and what would be right."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_a_missing_port_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that leads nowhere is an error that names it."""
    path = str(tmp_path / 'nothing')
    assert main(['--arm', 'so100_leader', '--port', path]) == 1
    assert f'setup_motors: there is no serial port {path}' in capsys.readouterr().err


@pytest.mark.parametrize('content', ['', '[]', '{"done": 3}', '{"done": ["thumb"]}'])
def test_a_bad_progress_file_begins_anew(tmp_path: Path, content: str) -> None:
    """A damaged file is told of by name and costs no more than the progress."""
    path = tmp_path / 'p.json'
    path.write_text(content)
    said: list[str] = []
    progress = Progress(path, said.append)
    assert progress.done == () and str(path) in said[0] and 'first motor' in said[0]
    progress.add('gripper')
    assert Progress(path, said.append).done == ('gripper',) and len(said) == 1


def test_progress_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """A folder that cannot be made does not stop the set-up."""
    (tmp_path / 'file').write_text('')
    said: list[str] = []
    progress = Progress(tmp_path / 'file' / 'p.json', said.append)
    progress.add('gripper')
    assert progress.done == ('gripper',) and 'cannot be' in said[-1]


def test_each_arm_and_port_has_its_own_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file lies where the user's state lies, and its name is one word."""
    monkeypatch.setenv('XDG_STATE_HOME', '/state')
    assert progress_path('a', 'b', Path('/other')) == Path('/other/apprentice/setup/a.b.json')
    assert str(progress_path('so100_leader', '/dev/serial/by-id/usb-1a86_X-if00')) == (
        '/state/apprentice/setup/so100_leader.dev_serial_by_id_usb_1a86_X_if00.json')
