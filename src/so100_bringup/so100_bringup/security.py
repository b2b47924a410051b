# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put nodes into the enclaves of a keystore, or say why that is impossible."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from datetime import timezone
from pathlib import Path
import re

STRATEGIES = {'permissive': 'Permissive', 'enforce': 'Enforce'}
MODES = ('off', *STRATEGIES)
# What rcl and the middleware read from an enclave's folder.
FILES = ('identity_ca.cert.pem', 'permissions_ca.cert.pem', 'cert.pem', 'key.pem',
         'governance.p7s', 'permissions.p7s')
_EXPIRY = re.compile(rb'<not_after>\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)')
# Fast DDS holds this name only if it was built with DDS Security.
_PLUGIN = b'DDS:Auth:PKI-DH'
_FAST_DDS = 'rmw_fastrtps_cpp'


class SecurityError(ValueError):
    """The keystore, an enclave or the middleware cannot do what `security` asks for."""


class Security:
    """What every node of a launch gets in addition; nothing where security is off."""

    def __init__(
        self, mode: str, keystore: str, namespace: str, environment: Mapping[str, str],
    ) -> None:
        """Check the keystore; raise SecurityError if it, or the middleware, is of no use."""
        self.environment: dict[str, str] = {}
        self._mode = mode
        self._namespace = namespace
        if mode != 'off':
            self._keystore = check_keystore(mode, keystore, environment)
            # The variables by which rcl secures a process.
            self.environment = {
                'ROS_SECURITY_ENABLE': 'true', 'ROS_SECURITY_STRATEGY': STRATEGIES[mode],
                'ROS_SECURITY_KEYSTORE': str(self._keystore)}

    def arguments(self, *names: str) -> list[str]:
        """Return the ROS arguments of the node with this namespace and name."""
        if self._mode == 'off':
            return []
        parts = '/'.join((self._namespace, *names)).split('/')
        enclave = '/' + '/'.join(filter(None, parts))
        check_enclave(self._mode, self._keystore, enclave)
        return ['--enclave', enclave]


def check_keystore(mode: str, keystore: str, environment: Mapping[str, str]) -> Path:
    """Return the keystore's folder; SecurityError if it, or the middleware, is of no use."""
    if not keystore:
        raise SecurityError(f'security:={mode} needs keystore:=DIR: expected the folder that '
                            '`ros2 security` or tools/security/make_keystore.py made')
    root = Path(keystore).expanduser().absolute()
    governance = root / 'enclaves' / 'governance.p7s'
    if not governance.is_file():
        raise SecurityError(f'keystore:={keystore}: {governance} is not there; expected a folder '
                            'that `ros2 security` or tools/security/make_keystore.py made')
    if environment.get('RMW_IMPLEMENTATION', _FAST_DDS) == _FAST_DDS:
        library = _fast_dds(environment)
        if library is not None and _PLUGIN not in library.read_bytes():
            raise SecurityError(
                f'security:={mode}: {library} was built without DDS Security, as is the Fast DDS '
                'of PyPI; expected that of a ROS 2 distribution. Use security:=off here')
    return root


def check_enclave(mode: str, keystore: Path, enclave: str, now: datetime | None = None) -> None:
    """Raise SecurityError for an enclave that is not whole or has expired."""
    folder = keystore / 'enclaves' / enclave.lstrip('/')
    if not folder.is_dir() and mode == 'permissive':
        return
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise SecurityError(
            f"security:={mode}: enclave {enclave}: {folder} lacks {', '.join(missing)}; make it "
            'with `ros2 security create_enclave` or make_keystore.py --add, with --namespace if '
            'the robot has one')
    found = _EXPIRY.search((folder / 'permissions.p7s').read_bytes())
    if found is None:
        raise SecurityError(f"security:={mode}: enclave {enclave}: {folder / 'permissions.p7s'} "
                            'tells no <not_after>; expected signed permissions: make it again')
    expiry = datetime.fromisoformat(found[1].decode()).replace(tzinfo=timezone.utc)
    if expiry <= (now or datetime.now(timezone.utc)):
        raise SecurityError(f'security:={mode}: enclave {enclave} expired on {expiry:%Y-%m-%d}; '
                            'renew it: make_keystore.py --add')


def _fast_dds(environment: Mapping[str, str]) -> Path | None:
    for prefix in environment.get('AMENT_PREFIX_PATH', '').split(':'):
        for library in sorted(Path(prefix, 'lib').glob('libfastrtps.so*')) if prefix else ():
            return library
    return None
