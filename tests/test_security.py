# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Policies against the running graph, keystores against OpenSSL, and launch files that ask."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from contextlib import ExitStack
from contextlib import suppress
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from fnmatch import fnmatchcase
import os
from pathlib import Path
import pty
import signal
import stat
import subprocess
import sys
import time
from xml.etree import ElementTree

import domain_coordinator
import pytest
from robot_harness import launched
from robot_harness import Watcher
from so100_bringup.security import check_enclave
from so100_bringup.security import FILES
from so100_bringup.security import Security
from so100_bringup.security import SecurityError

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / 'tools' / 'security'
sys.path.insert(0, str(TOOLS))

import graph  # noqa: E402,I100  (the path must come first)
import policy  # noqa: E402
from policy import Kind  # noqa: E402

pytestmark = pytest.mark.timeout(120)
POLICIES = ROOT / 'config' / 'security' / 'policies.xml'
OPERATOR = '/operator'
COMMAND_LINE = '_ros2cli'
SEEN_S = 45.0
# Subscribed for a moment only, while the recorder is configured.
BRIEF = {('/recorder', Kind.SUBSCRIBE, '/follower/joint_ranges')}
# Real cameras are not part of the simulated robot; one of them is started beside it.
CAMERA, OTHER_CAMERA = '/front/camera', '/wrist/camera'


def rules_of(enclaves: tuple[policy.Enclave, ...]) -> set[tuple[str, Kind, str]]:
    """Return every rule with its enclave."""
    return {(enclave.path, kind, name) for enclave in enclaves for profile in enclave.profiles
            for kind, names in profile.rules.items() for name in names}


# The graph ----------------------------------------------------------------------------------


@contextmanager
def process(*command: str, domain: str) -> Iterator[subprocess.Popen]:
    """Run a command in a domain until the block ends."""
    running = subprocess.Popen(
        command, env={**os.environ, 'ROS_DOMAIN_ID': domain}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield running
    finally:
        # To all of it, as a terminal does: upstream's `ros2 run` does not tell its child.
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGINT)
        try:
            running.wait(15.0)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


@contextmanager
def whole_robot(domain: str, folder: Path) -> Iterator[Watcher]:
    """Run every node that we have, and an operator's commands."""
    video = folder / 'video.avi'
    subprocess.run(['python', '-c', MAKE_VIDEO, str(video)], check=True)
    commands = (
        ('ros2', 'run', 'apprentice_teleop', 'view', '--ros-args', '-p',
         f'save:={folder / "view.rrd"}', '-p', 'cameras:=[front, wrist]'),
        ('ros2', 'run', 'apprentice_sim', 'demonstrator'),
        ('ros2', 'run', 'opencv_camera_driver', 'camera', '--ros-args', '-r', '__ns:=/front',
         '-r', '__node:=camera', '-p', f'index_or_path:={video}', '-p', 'fps:=30.0'),
        ('ros2', 'run', 'feetech_driver', 'calibration'),
        ('ros2', 'run', 'feetech_driver', 'setup_node', '--ros-args', '-p', 'use_sim_time:=true'),
        ('ros2', 'topic', 'echo', '/teleop/transition_event'),
        ('ros2', 'topic', 'pub', '-r', '1', '/teleop/deadman', 'std_msgs/msg/Bool',
         '{data: false}'))
    with ExitStack() as stack:
        _, watcher = stack.enter_context(launched(
            'so100_bringup', 'record.launch.py', 'hardware:=sim', 'task:=x',
            f'dataset:={folder / "data"}', domain=domain, folder=folder))
        for command in commands:
            stack.enter_context(process(*command, domain=domain))
        yield watcher


MAKE_VIDEO = """
import sys, av, numpy
with av.open(sys.argv[1], 'w', format='avi') as container:
    stream = container.add_stream('mjpeg', rate=30, width=640, height=480, pix_fmt='yuvj420p')
    frame = av.VideoFrame.from_ndarray(numpy.zeros((480, 640, 3), 'uint8'), format='rgb24')
    for packet in [*stream.encode(frame), *stream.encode()]:
        container.mux(packet)
"""


# A dozen processes, all of which may be slow to begin and to end on a small machine.
@pytest.mark.timeout(300)
def test_policies_are_those_of_the_graph(tmp_path: Path) -> None:
    """No node does what its policy does not allow, none is allowed what it does not do."""
    allowed = rules_of(policy.load(POLICIES))
    expected = {rule for rule in allowed - BRIEF if rule[0] not in (OPERATOR, OTHER_CAMERA)}
    seen: set[tuple[str, Kind, str]] = set()
    with domain_coordinator.domain_id() as domain, whole_robot(str(domain), tmp_path) as watcher:
        ends = time.monotonic() + SEEN_S
        while expected - seen and time.monotonic() < ends:
            watcher.wait(lambda: False, 0.2)
            seen |= _look(watcher)
        heard = dict(watcher.node.get_subscriber_names_and_types_by_node('feetech_setup', '/'))
        assert '/clock' in heard, 'use_sim_time needs something else'
        # What begins late must be seen as well.
        watcher.wait(lambda: False, 1.0)
        seen |= _look(watcher)
        printed = subprocess.run(
            ['python', str(TOOLS / 'make_policies.py'), '--keep', str(POLICIES), '--wait', '3'],
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain)}, check=True, capture_output=True)
    commands = {rule for rule in seen if rule[0].startswith(f'/{COMMAND_LINE}')}
    # Upstream's daemon stays in its domain after the command that needed it.
    commands -= {rule for rule in commands if 'daemon' in rule[0]}
    assert not {rule for rule in seen - allowed if not rule[0].startswith(f'/{COMMAND_LINE}')}, \
        'the policies lack this'
    assert not expected - seen, 'the policies grant this, which nobody needs'
    assert len({rule[0] for rule in commands}) == 2
    _assert_operator_may(commands)
    (tmp_path / 'printed.xml').write_bytes(printed.stdout)
    assert allowed - BRIEF == {rule for rule in rules_of(policy.load(tmp_path / 'printed.xml'))
                               if not rule[0].startswith((f'/{COMMAND_LINE}', '/watcher'))}


def _look(watcher: Watcher) -> set[tuple[str, Kind, str]]:
    return rules_of(graph.read_enclaves(watcher.node, graph.node_names(watcher.node)))


def _assert_operator_may(commands: set[tuple[str, Kind, str]]) -> None:
    operator = {found.path: found for found in policy.load(POLICIES)}[OPERATOR].profiles[0]
    for _, kind, name in commands:
        for mine, patterns in zip(
                policy.Profile('/', 'x', {kind: frozenset([name])}).dds_topics(),
                operator.dds_topics()):
            refused = [topic for topic in mine
                       if not any(fnmatchcase(topic, pattern) for pattern in patterns)]
            assert not refused, (kind, refused)


def test_every_node_may_hear_the_clock() -> None:
    """With use_sim_time, which any of them may be given, it could not stamp anything without."""
    rules = rules_of(policy.load(POLICIES))
    paths = {path for path, _, _ in rules} - {OPERATOR}
    assert {path for path, kind, name in rules
            if (kind, name) == (Kind.SUBSCRIBE, '/clock')} == paths


def test_both_cameras_may_do_the_same() -> None:
    """The camera that the graph is not compared with has the rules of the one that it is."""
    by_path: dict[str, set[tuple[Kind, str]]] = {}
    for path, kind, name in rules_of(policy.load(POLICIES)):
        by_path.setdefault(path, set()).add((kind, name.replace('/wrist/', '/front/')))
    assert by_path[CAMERA] == by_path[OTHER_CAMERA]


# Policies -----------------------------------------------------------------------------------


def test_names_become_dds_topics() -> None:
    """The names under which rmw sees topics, services and actions."""
    profile = policy.Profile('/', 'n', {
        Kind.PUBLISH: frozenset(['/a/b']), Kind.REPLY: frozenset(['/s']),
        Kind.CALL: frozenset(['/act'])})
    publish, subscribe = profile.dds_topics()
    assert publish == {'rt/a/b', 'rr/sReply', 'rq/act/_action/cancel_goalRequest',
                       'rq/act/_action/get_resultRequest', 'rq/act/_action/send_goalRequest'}
    assert subscribe == {'rq/sRequest', 'rr/act/_action/cancel_goalReply',
                         'rr/act/_action/get_resultReply', 'rr/act/_action/send_goalReply',
                         'rt/act/_action/feedback', 'rt/act/_action/status'}


def test_policies_are_written_as_they_are_read(tmp_path: Path) -> None:
    """Short names and sorting lose nothing, in a namespace neither."""
    enclaves = policy.load(POLICIES)
    left = tuple(policy.moved(enclave, '/left') for enclave in enclaves)
    for found in enclaves, left:
        (tmp_path / 'p.xml').write_text(policy.to_xml(found))
        assert rules_of(policy.load(tmp_path / 'p.xml')) == rules_of(found)
    rules = rules_of(left)
    assert ('/left/teleop', Kind.SUBSCRIBE, '/left/leader/joint_states') in rules
    assert ('/left/follower/feetech_driver', Kind.SUBSCRIBE, '/estop') in rules
    assert {path.split('/')[1] for path, _, _ in rules} == {'left'}


@pytest.mark.parametrize('right, wrong, words', [
    ('version="0.2.0"', 'version="9"', "version='9'"),
    ('path="/teleop"', 'path="teleop"', "enclave path 'teleop'"),
    ('path="/view"', 'path="/teleop"', 'expected each once'),
    ('publish="ALLOW"', 'publish="DENY"', 'attributes that say ALLOW'),
    ('subscribe="ALLOW"', 'ask="ALLOW"', 'attributes that say ALLOW'),
    ('<topic>guard_state</topic>', '<topic>guard state</topic>', '<topic>guard state'),
    ('<topic>guard_state</topic>', '<service>guard_state</service>', 'expected <topic>'),
    ('ns="/follower"', 'ns="follower"', "ns='follower'"),
    ('</policy>', '', 'cannot be read'),
])
def test_a_bad_policy_is_told(tmp_path: Path, right: str, wrong: str, words: str) -> None:
    """The file, the entry, what was found."""
    text = POLICIES.read_text()
    assert right in text
    path = tmp_path / 'p.xml'
    path.write_text(text.replace(right, wrong))
    with pytest.raises(policy.PolicyError) as caught:
        policy.load(path)
    assert str(path) in str(caught.value) and words in str(caught.value)


# Keystores ----------------------------------------------------------------------------------


def make_keystore(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the tool as an operator does."""
    return subprocess.run(
        ['python', str(TOOLS / 'make_keystore.py'), *map(str, arguments)], text=True,
        capture_output=True)


def openssl(*arguments: object) -> str | None:
    """Return what openssl says, or nothing where it refuses."""
    result = subprocess.run(['openssl', *map(str, arguments)], text=True, capture_output=True)
    return result.stdout if result.returncode == 0 else None


@pytest.fixture(scope='module')
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a keystore of all enclaves for domains 0 to 232."""
    root = tmp_path_factory.mktemp('security') / 'keystore'
    result = make_keystore(root, '--domain', '0-232')
    assert result.returncode == 0, result.stderr
    return root


def enclave_paths() -> list[str]:
    """Return the enclaves of the policies."""
    return [enclave.path for enclave in policy.load(POLICIES)]


@pytest.mark.parametrize('path', enclave_paths())
def test_openssl_trusts_every_enclave(keystore: Path, path: str) -> None:
    """The identity is the authority's, the documents are signed, the key is secret."""
    folder = keystore / 'enclaves' / path[1:]
    assert all((folder / name).is_file() for name in FILES)
    assert openssl('verify', '-CAfile', folder / 'identity_ca.cert.pem', folder / 'cert.pem')
    subject = openssl('x509', '-in', folder / 'cert.pem', '-noout', '-subject', '-nameopt',
                      'multiline')
    assert f'commonName                = {path}\n' in subject
    signed = openssl('smime', '-verify', '-text', '-in', folder / 'permissions.p7s', '-CAfile',
                     folder / 'permissions_ca.cert.pem')
    assert signed == (folder / 'permissions.xml').read_text()
    assert openssl('smime', '-verify', '-text', '-in', folder / 'governance.p7s', '-CAfile',
                   folder / 'permissions_ca.cert.pem')
    key = openssl('pkey', '-in', folder / 'key.pem', '-pubout')
    assert key == openssl('x509', '-in', folder / 'cert.pem', '-noout', '-pubkey')
    assert stat.S_IMODE((folder / 'key.pem').stat().st_mode) == 0o600
    grant = ElementTree.fromstring(signed).find('permissions/grant')
    assert grant.findtext('subject_name') == f'CN={path}' and grant.findtext('default') == 'DENY'


def test_changed_permissions_are_not_trusted(keystore: Path, tmp_path: Path) -> None:
    """Who adds a topic for himself breaks the signature."""
    folder = keystore / 'enclaves' / 'view'
    text = (folder / 'permissions.p7s').read_bytes()
    changed = text.replace(b'<topic>rt/rosout</topic>', b'<topic>rt/estop</topic>', 1)
    assert changed != text
    (tmp_path / 'permissions.p7s').write_bytes(changed)
    assert openssl('smime', '-verify', '-text', '-in', tmp_path / 'permissions.p7s', '-CAfile',
                   folder / 'permissions_ca.cert.pem') is None


def test_an_enclave_is_renewed_alone(keystore: Path) -> None:
    """A new key for one leaves the others and the authority as they are."""
    before = {path: (keystore / 'enclaves' / path / 'key.pem').read_bytes()
              for path in ('view', 'teleop')}
    authority = (keystore / 'public' / 'ca.cert.pem').read_bytes()
    result = make_keystore(keystore, '--add', '--enclave', '/view', '--domain', '0-232')
    assert result.returncode == 0, result.stderr
    after = {path: (keystore / 'enclaves' / path / 'key.pem').read_bytes() for path in before}
    assert after['teleop'] == before['teleop'] and after['view'] != before['view']
    assert (keystore / 'public' / 'ca.cert.pem').read_bytes() == authority
    assert openssl('verify', '-CAfile', keystore / 'public' / 'ca.cert.pem',
                   keystore / 'enclaves' / 'view' / 'cert.pem')


@pytest.mark.parametrize('arguments, words', [
    ((), 'there is something already'),
    (('--add', '--enclave', '/nobody'), '--enclave /nobody: not in'),
    (('--add', '--domain', '233'), '--domain 233: expected a number from 0 to 232'),
    (('--add', '--namespace', 'a b'), "--namespace 'a b'"),
    (('--add', '--policies', '/nowhere.xml'), 'policy /nowhere.xml: cannot be read'),
    (('--add', '--days', '0'), '--days 0: expected at least 1'),
])
def test_a_wrong_wish_is_told(keystore: Path, arguments: tuple[str, ...], words: str) -> None:
    """One message, exit code 1, no traceback."""
    result = make_keystore(keystore, *arguments)
    assert result.returncode == 1
    assert words in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr


def test_a_keystore_without_its_authority_cannot_grow(keystore: Path, tmp_path: Path) -> None:
    """What is copied to a robot has no private folder, and says so."""
    (tmp_path / 'public').symlink_to(keystore / 'public')
    result = make_keystore(tmp_path, '--add')
    assert result.returncode == 1 and 'no authority' in result.stderr


# Launch files -------------------------------------------------------------------------------


def secured(keystore: str, mode: str = 'enforce', namespace: str = '') -> Security:
    """Return what a launch with another middleware gets: nothing is known of that."""
    return Security(mode, keystore, namespace, {'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'})


def test_nodes_are_put_into_their_enclaves(keystore: Path) -> None:
    """Arguments and environment are those of rcl; off adds nothing."""
    found = secured(str(keystore))
    assert found.arguments('follower', 'feetech_driver') == [
        '--enclave', '/follower/feetech_driver']
    assert found.arguments('', 'teleop') == ['--enclave', '/teleop']
    assert found.environment == {
        'ROS_SECURITY_ENABLE': 'true', 'ROS_SECURITY_STRATEGY': 'Enforce',
        'ROS_SECURITY_KEYSTORE': str(keystore)}
    off = secured('', 'off')
    assert (off.arguments('', 'teleop'), off.environment) == ([], {})
    # To run beside nodes that have no keys yet is what this mode is for.
    permissive = secured(str(keystore), 'permissive')
    assert permissive.arguments('nobody') == ['--enclave', '/nobody']
    assert permissive.environment['ROS_SECURITY_STRATEGY'] == 'Permissive'


@pytest.mark.parametrize('namespace, names, words', [
    ('', ('nobody',), 'enclave /nobody: '),
    ('left', ('teleop',), 'enclave /left/teleop: '),
])
def test_a_missing_enclave_is_told(
    keystore: Path, namespace: str, names: tuple[str, ...], words: str,
) -> None:
    """The enclave, the folder, what is missing, and how to make it."""
    with pytest.raises(SecurityError) as caught:
        secured(str(keystore), namespace=namespace).arguments(*names)
    assert words in str(caught.value) and 'make_keystore.py --add' in str(caught.value)


def test_an_expired_enclave_is_told(keystore: Path) -> None:
    """By the end of its signed permissions, in UTC."""
    signed = (keystore / 'enclaves' / 'teleop' / 'permissions.xml').read_text()
    end = datetime.fromisoformat(
        ElementTree.fromstring(signed).findtext('.//not_after')).replace(tzinfo=timezone.utc)
    check_enclave('enforce', keystore, '/teleop', end - timedelta(seconds=1))
    for mode in 'enforce', 'permissive':
        with pytest.raises(SecurityError, match=rf'/teleop expired on {end:%Y-%m-%d}; renew it'):
            check_enclave(mode, keystore, '/teleop', end)


def launch(
    environment: Mapping[str, str], *arguments: str, package: str = 'so100_bringup',
) -> tuple[int, str]:
    """Run a launch to its end; return exit code and output."""
    result = subprocess.run(
        ['ros2', 'launch', package, *arguments], env={**os.environ, **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=90)
    return result.returncode, result.stdout


@pytest.mark.parametrize('arguments, words', [
    (('security:=enforce',), 'security:=enforce needs keystore:=DIR'),
    (('security:=enforce', 'keystore:=/nowhere'), '/nowhere/enclaves/governance.p7s is not there'),
    (('security:=sometimes',), 'sometimes'),
])
def test_a_launch_without_a_keystore_ends(arguments: tuple[str, ...], words: str) -> None:
    """Nothing is started, least of all without security."""
    code, output = launch({}, 'teleop.launch.py', 'hardware:=sim', *arguments)
    assert code == 1 and words in output and 'process started' not in output, output


@contextmanager
def prefix_with(content: bytes, folder: Path) -> Iterator[dict[str, str]]:
    """Give an environment whose first Fast DDS is a file with some content."""
    library = folder / 'prefix' / 'lib' / 'libfastrtps.so'
    library.parent.mkdir(parents=True)
    library.write_bytes(content)
    yield {'AMENT_PREFIX_PATH': f"{folder / 'prefix'}:{os.environ['AMENT_PREFIX_PATH']}"}


@pytest.mark.parametrize('arguments, words', [
    ((), 'security:=enforce needs keystore:=DIR'),
    (('keystore:=/nowhere',), '/nowhere/enclaves/governance.p7s is not there'),
    (('keystore:={keystore}', 'namespace:=left'), 'enclave /left/recorder: '),
])
def test_a_recorder_alone_is_secured_or_refused(
    keystore: Path, tmp_path: Path, arguments: tuple[str, ...], words: str,
) -> None:
    """As the robot whose launch file it has not got."""
    with prefix_with(b'... DDS:Auth:PKI-DH ...', tmp_path) as environment:
        code, output = launch(
            environment, 'record.launch.py', 'contract:=any', 'dataset:=any', 'security:=enforce',
            *(argument.format(keystore=keystore) for argument in arguments), package='apprentice')
    assert code == 1 and words in output and 'process started' not in output, output


def test_a_recorder_alone_runs_in_its_enclave(keystore: Path, tmp_path: Path) -> None:
    """Its rcl finds the folder of /recorder; what it then does depends on the middleware."""
    with prefix_with(b'... DDS:Auth:PKI-DH ...', tmp_path) as environment, \
            domain_coordinator.domain_id() as domain:
        _, output = launch(
            {**environment, 'ROS_DOMAIN_ID': str(domain)}, 'record.launch.py',
            f'contract:={tmp_path}/none.yaml', f'dataset:={tmp_path}/data', 'security:=enforce',
            f'keystore:={keystore}', package='apprentice')
    assert f'Found security directory: {keystore}/enclaves/recorder' in output


def test_a_middleware_without_security_is_told(keystore: Path, tmp_path: Path) -> None:
    """An operator who wants security gets it or an error, never a robot without."""
    with prefix_with(b'no plug-ins here', tmp_path) as environment:
        code, output = launch(environment, 'teleop.launch.py', 'hardware:=sim',
                              'security:=enforce', f'keystore:={keystore}')
    assert code == 1 and 'libfastrtps.so was built without DDS Security' in output, output
    assert 'process started' not in output


def test_a_secured_launch_hands_the_enclave_to_the_node(keystore: Path, tmp_path: Path) -> None:
    """The driver's rcl finds its folder; what the middleware then does depends on its build."""
    master, slave = pty.openpty()
    with prefix_with(b'... DDS:Auth:PKI-DH ...', tmp_path) as environment, \
            domain_coordinator.domain_id() as domain:
        _, output = launch(
            {**environment, 'ROS_DOMAIN_ID': str(domain)}, 'driver.launch.py', 'role:=follower',
            f'port:={os.ttyname(slave)}', 'hardware:=real', 'security:=enforce',
            f'keystore:={keystore}')
    os.close(slave)
    os.close(master)
    assert f'Found security directory: {keystore}/enclaves/follower/feetech_driver' in output


def test_rcl_itself_refuses_an_enclave_that_is_not_there(keystore: Path) -> None:
    """The argument and the variables mean to rcl what the launch file takes them for."""
    program = 'import rclpy, sys; rclpy.init(args=sys.argv)'
    result = subprocess.run(
        ['python', '-c', program, '--ros-args', '--enclave', '/nobody'], text=True,
        capture_output=True, env={**os.environ, **secured(str(keystore)).environment})
    assert result.returncode != 0
    assert f"directory '{keystore}/enclaves/nobody' does not exist" in result.stderr


@pytest.mark.parametrize('words', [
    'needs keystore:=DIR', 'governance.p7s', 'is not there', 'was built without DDS Security',
    'lacks', 'expired on'])
def test_the_guide_has_the_words_of_every_error(words: str) -> None:
    """Who searches the guide for a message finds its cure."""
    source = (ROOT / 'src' / 'so100_bringup' / 'so100_bringup' / 'security.py').read_text()
    section = (ROOT / 'docs' / 'security.md').read_text().split('## When it is refused')[1]
    assert words in source and words in section
