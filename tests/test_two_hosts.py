# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Drivers on one host, recorder on another: two network namespaces and a cable between them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from contextlib import ExitStack
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
from typing import Any

from ament_index_python.packages import get_package_share_directory
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
import pytest
from robot_harness import wait
import yaml

BENCHMARKS = Path(__file__).parent / 'benchmarks'
sys.path.insert(0, str(BENCHMARKS))

from _hosts import ADDRESSES  # noqa: E402,I100
from _hosts import Cable  # noqa: E402
from _hosts import end  # noqa: E402
from _hosts import Host  # noqa: E402
from _hosts import NoHosts  # noqa: E402
from _hosts import two_hosts  # noqa: E402
from _oracle import check  # noqa: E402
from _pictures import write_pictures  # noqa: E402
from _replay import CONTRACT  # noqa: E402
from _replay import Published  # noqa: E402
from _replay import STREAMS  # noqa: E402

pytestmark = pytest.mark.timeout(200)
CONFIG = Path(__file__).resolve().parents[1] / 'config'
EXAMPLES = CONFIG / 'two_hosts'
SECONDS = 3.0
# Whether other work on this machine delays a message is not asked here; whether one is lost is.
PATIENT = 'holds: {in_a_row: 1000, share: 1.0}\nlateness_ms: 3000\nrate_tolerance: 0.2\n'
DOMAIN = {'ROS_DOMAIN_ID': '7', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET',
          'FASTRTPS_DEFAULT_PROFILES_FILE': str(EXAMPLES / 'fastdds.xml')}


@contextmanager
def hosts(cable: Cable = Cable()) -> Iterator[tuple[Host, Host]]:
    """Make the two hosts; the test fails, and says why, where this machine forbids it."""
    with ExitStack() as stack:
        reason = ''
        try:
            pair = stack.enter_context(two_hosts(cable))
        except NoHosts as error:
            reason = str(error)
        if reason:
            pytest.fail(reason, pytrace=False)
        yield pair


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw the pictures that are replayed."""
    folder = tmp_path_factory.mktemp('replay')
    write_pictures(folder / 'pictures')
    return folder


@contextmanager
def replayed(robot: Host, pictures: Path, folder: Path, *before: str) -> Iterator[None]:
    """Publish two cameras and two arms on the robot."""
    (folder / 'pictures').symlink_to(pictures / 'pictures')
    (folder / 'contract.yaml').write_text(CONTRACT + PATIENT)
    process = robot.start(
        sys.executable, *before, str(BENCHMARKS / '_replay.py'), str(folder),
        environment={**os.environ, **DOMAIN}, stderr=subprocess.PIPE)
    try:
        yield
        assert process.poll() is None
    finally:
        end(process)


def record(
    desk: Host, folder: Path, *words: str, environment: Mapping[str, str] = DOMAIN,
) -> dict[str, Any]:
    """Record on the desk; or, with words, be refused with them."""
    return json.loads(desk.run(
        sys.executable, str(BENCHMARKS / '_desk.py'), str(folder), str(SECONDS), *words,
        environment={**os.environ, **environment}).splitlines()[-1])


@pytest.mark.parametrize('cable', [Cable(), Cable(5.0, 0.01)], ids=['good', 'lossy'])
def test_nothing_is_lost_between_hosts(folder: Path, tmp_path: Path, cable: Cable) -> None:
    """Found by multicast. With 1 % of the frames lost and 5 ms on the way every row is right."""
    with hosts(cable) as (robot, desk), replayed(robot, folder, tmp_path):
        found = record(desk, tmp_path)
    assert found['code'] == 0
    assert found['gaps'] == {}
    verdict = check(Dataset.open(tmp_path / 'data'), 0, Published(tmp_path), found['begun_ns'],
                    found['asked_ns'])
    assert verdict.is_whole, verdict
    assert verdict.rows >= 0.7 * SECONDS * 30
    assert set(found['ages']) == set(STREAMS)
    for ages in found['ages'].values():
        assert min(ages) >= cable.delay_ms * 1e-3


def test_a_host_whose_clock_is_ahead_is_refused(folder: Path, tmp_path: Path) -> None:
    """By more than the contract's 20 ms: no episode begins, and the message says what to do."""
    ahead = (str(BENCHMARKS / '_ahead.py'), '40')
    with hosts() as (robot, desk), replayed(robot, folder, tmp_path, *ahead):
        refusal = record(desk, tmp_path, "ahead of this host's clock")['refusal']
    assert re.search(r"left \(/left/joint_states\): stamped \d+ ms ahead of this host's clock, "
                     r'allowed 20 ms\. Synchronise the two clocks \(chrony\)', refusal), refusal
    assert not list((tmp_path / 'data').glob('data/**/*.parquet'))


def example(name: str) -> dict[str, str]:
    """Read an environment of config/two_hosts, with the addresses of our hosts."""
    text = (EXAMPLES / f'{name}.env').read_text()
    text = text.replace('$PWD/config', str(CONFIG))
    for number, address in enumerate(ADDRESSES.values(), 1):
        text = text.replace(f'192.168.10.{number}', address)
    return dict(re.findall(r'^(\w+)=(.*)$', text, re.MULTILINE))


def joints_contract() -> str:
    """Return the SO-100's contract at half the rate and without its cameras."""
    contract = yaml.safe_load((CONFIG / 'so100' / 'contract.yaml').read_text())
    contract['reference'] = 'clock'
    for camera in ('front', 'wrist'):
        del contract['streams'][camera], contract['features'][f'observation.images.{camera}']
    for stream in contract['streams'].values():
        stream.update({'rate_hz': 100} if 'rate_hz' in stream else {})
    return yaml.safe_dump(contract) + PATIENT


def test_arms_on_one_host_are_recorded_on_another(tmp_path: Path) -> None:
    """By the environments, and through the ports of the firewall, that config/two_hosts shows."""
    params = Path(get_package_share_directory('so100_bringup')) / 'config' / 'params.yaml'
    (tmp_path / 'params.yaml').write_text(
        params.read_text().replace('rate_hz: 200.0', 'rate_hz: 100.0'))
    (tmp_path / 'contract.yaml').write_text(joints_contract())
    with hosts() as (robot, desk), (tmp_path / 'log').open('wb') as log:
        launch = robot.start(
            'ros2', 'launch', 'so100_bringup', 'teleop.launch.py', 'hardware:=sim',
            'cameras:=none', f'params_file:={tmp_path / "params.yaml"}', stdout=log, stderr=log,
            environment={**os.environ, **example('robot')})
        try:
            found = record(desk, tmp_path, environment=example('desk'))
            ports = listening(robot)
        finally:
            launch.send_signal(signal.SIGINT)
            launch.wait(30.0)
    assert wait(lambda: (tmp_path / 'log').read_text().count('torque is off') == 1, 1.0)
    assert (found['code'], found['gaps']) == (0, {})
    assert validate(tmp_path / 'data', deep=True) == []
    dataset = Dataset.open(tmp_path / 'data')
    assert dataset.episodes[0].length >= 0.7 * SECONDS * 30
    low, high = opened()
    # Each process listens on one port for discovery and on one for messages.
    assert sum(low <= port <= high for port in ports) >= 8, ports


def opened() -> tuple[int, int]:
    """Return the ports that the firewall of config/two_hosts opens, which follow its domain."""
    text = (EXAMPLES / 'firewall.nft').read_text()
    first = 7400 + 250 * int(example('robot')['ROS_DOMAIN_ID'])
    assert set(re.findall(r'udp dport (\d+-\d+)', text)) == {f'{first}-{first + 249}'}
    return first, first + 249


def listening(host: Host) -> set[int]:
    """Return the UDP ports that are open on a host."""
    lines = host.run('cat', '/proc/net/udp').splitlines()[1:]
    return {int(line.split()[1].partition(':')[2], 16) for line in lines}
