# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The world's loop, seen from the serial ports."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import threading
import time

from apprentice_sim.arm_buses import TICKS_PER_RAD
from apprentice_sim.frames import Instruction
from apprentice_sim.frames import with_checksum
from apprentice_sim.physics import Physics
from apprentice_sim.world import LARGEST_LAG_NS
from apprentice_sim.world import RealTimeError
from apprentice_sim.world import World
from apprentice_sim.world import WorldConfig
from apprentice_sim.world import WorldState
import pytest
import serial

pytestmark = pytest.mark.timeout(60)


class Running:
    """A world in a thread; calls made with `do` happen in that thread."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.states: list[WorldState] = []
        self.stop = threading.Event()
        self._calls: list[Callable[[], None]] = []
        self.thread = threading.Thread(
            target=world.run, args=(self.stop, self._on_step, self.states.append))

    def do(self, call: Callable[[], None]) -> None:
        """Run something in the world's thread and wait for it."""
        done = threading.Event()

        def work() -> None:
            call()
            done.set()

        self._calls.append(work)
        assert done.wait(5.0)

    def until(self, condition: Callable[[WorldState], bool], timeout_s: float = 5.0) -> bool:
        """Wait until the newest state meets a condition."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.states and condition(self.states[-1]):
                return True
            time.sleep(0.01)
        return False

    def _on_step(self, _t_ns: int) -> None:
        while self._calls:
            self._calls.pop(0)()


@contextmanager
def running(folder: Path, **options: object) -> Iterator[Running]:
    """Run a world while the context lasts."""
    world = World(WorldConfig(folder / 'leader', folder / 'follower', **options))
    run = Running(world)
    run.thread.start()
    try:
        yield run
    finally:
        run.stop.set()
        run.thread.join()
        world.close()


def instruct(port: serial.Serial, servo_id: int, instruction: int, *parameters: int) -> bytes:
    """Send one instruction and return the reply's data."""
    frame = with_checksum(bytes(
        (0xFF, 0xFF, servo_id, len(parameters) + 2, instruction, *parameters, 0)))
    port.reset_input_buffer()
    port.write(frame)
    head = port.read(4)
    assert len(head) == 4 and head[2] == servo_id
    return port.read(head[3])[1:-1]


def present(port: serial.Serial, servo_id: int) -> int:
    """Return a servo's present position in ticks."""
    return int.from_bytes(instruct(port, servo_id, Instruction.READ, 56, 2), 'little')


def test_a_goal_written_to_the_bus_moves_the_follower(tmp_path: Path) -> None:
    """Torque and goal over the wire turn the simulated joint, and the servo reads it back."""
    with running(tmp_path) as run, \
            serial.Serial(str(tmp_path / 'follower'), 1_000_000, timeout=1.0) as port:
        goal = round(2048 + 0.6 * TICKS_PER_RAD)
        instruct(port, 1, Instruction.WRITE, 42, *goal.to_bytes(2, 'little'))
        assert abs(run.states[-1].follower[0] if run.states else 0.0) < 0.05
        instruct(port, 1, Instruction.WRITE, 40, 1)
        assert run.until(lambda state: abs(state.follower[0] - 0.6) < 0.03)
        assert abs(present(port, 1) - goal) < 0.03 * TICKS_PER_RAD


def test_the_hand_shows_on_the_leader_s_bus(tmp_path: Path) -> None:
    """Where the hand holds the leader is what its servos read."""
    with running(tmp_path) as run, \
            serial.Serial(str(tmp_path / 'leader'), 1_000_000, timeout=1.0) as port:
        run.do(lambda: run.world.hand.move_to({'shoulder_pan': -0.4}, time.monotonic_ns()))
        assert run.until(lambda state: abs(state.leader[0] + 0.4) < 1e-6)
        assert abs(present(port, 1) - (2068 - 0.4 * TICKS_PER_RAD)) <= 1


def test_both_arms_start_in_one_pose(tmp_path: Path) -> None:
    """Leader and follower start alike, so that engaging teleoperation moves nothing."""
    with running(tmp_path) as run:
        assert run.until(lambda state: True)
        state = run.states[0]
        assert state.leader == pytest.approx(state.follower, abs=0.02)


def test_time_keeps_pace_and_states_come_at_60_hz(tmp_path: Path) -> None:
    """A second of the world takes a second, and yields 60 states on a steady grid."""
    with running(tmp_path) as run:
        assert run.until(lambda state: True)
        run.world.pace()
        first, start = len(run.states), time.monotonic()
        time.sleep(1.5)
        pace, count, elapsed = run.world.pace(), len(run.states) - first, time.monotonic() - start
        assert pace.factor == pytest.approx(1.0, abs=0.1)
        assert count / elapsed == pytest.approx(60.0, abs=5.0)
        stamps = [state.t_ns for state in run.states]
        gaps = [b - a for a, b in zip(stamps, stamps[1:], strict=False)]
        assert all(15_000_000 <= gap <= 19_000_000 for gap in gaps)


def test_a_reset_shows_in_the_state(tmp_path: Path) -> None:
    """After a reset the state carries the new seed and the cube's new place."""
    with running(tmp_path, seed=1) as run:
        assert run.until(lambda state: state.seed == 1)
        before = run.states[-1].cube.position
        run.do(lambda: run.world.reset(2))
        assert run.until(lambda state: state.seed == 2)
        after = run.states[-1].cube.position
        assert max(abs(a - b) for a, b in zip(before, after, strict=True)) > 0.01


def test_falling_behind_real_time_is_an_error(tmp_path: Path) -> None:
    """A world that a busy host holds up ends with advice instead of running late."""
    world = World(WorldConfig(tmp_path / 'leader', tmp_path / 'follower'))
    held_up = threading.Event()

    def hold_up(_t_ns: int) -> None:
        if not held_up.is_set():
            held_up.set()
            time.sleep(LARGEST_LAG_NS * 1e-9 + 0.1)

    try:
        with pytest.raises(RealTimeError, match='close other programs'):
            world.run(threading.Event(), hold_up, lambda state: None)
    finally:
        world.close()


def test_a_short_hold_up_is_made_up(tmp_path: Path) -> None:
    """A stall of a fraction of a second loses no time, and the greatest lag is reported."""
    with running(tmp_path) as run:
        assert run.until(lambda state: True)
        run.world.pace()
        run.do(lambda: time.sleep(0.3))
        time.sleep(0.3)
        pace = run.world.pace()
        assert pace.factor == pytest.approx(1.0, abs=0.1)
        assert pace.lag_s > 0.29


def test_unplugging_leaves_the_other_arm_alone(tmp_path: Path) -> None:
    """While the follower's port is away, the leader answers; replugged, it answers again."""
    with running(tmp_path) as run, \
            serial.Serial(str(tmp_path / 'leader'), 1_000_000, timeout=1.0) as port:
        follower = run.world._ports[1]
        follower.unplug()
        assert not (tmp_path / 'follower').exists()
        assert present(port, 6) > 0
        follower.replug()
        with serial.Serial(str(tmp_path / 'follower'), 1_000_000, timeout=1.0) as back:
            assert present(back, 6) > 0


def test_ports_vanish_with_the_world(tmp_path: Path) -> None:
    """A closed world leaves no link behind."""
    with running(tmp_path):
        assert (tmp_path / 'leader').is_symlink() and (tmp_path / 'follower').is_symlink()
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_port_leaves_nothing_behind(tmp_path: Path) -> None:
    """If the second port cannot be made, the first is taken back and the error names the path."""
    with pytest.raises(OSError, match='nowhere'):
        World(WorldConfig(tmp_path / 'leader', tmp_path / 'nowhere' / 'follower'))
    assert list(tmp_path.iterdir()) == []


def test_physics_and_world_agree_on_joint_order(tmp_path: Path) -> None:
    """States list the joints in motor order."""
    with running(tmp_path) as run:
        assert run.world.joint_names == Physics('so101', 0).joint_names
        assert [servo.servo_id for servo in run.world.follower.servos] == [1, 2, 3, 4, 5, 6]
