# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Make a keystore as `ros2 security create_keystore`, create_enclave and create_permission do.

What the files hold is said by OMG DDS Security 1.1: identity (9.3.1), governance and permissions
(9.4.1), both signed with S/MIME by the permissions authority.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from datetime import timezone
import os
from pathlib import Path
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from policy import Enclave

AUTHORITY = 'apprentice CA'
ROLES = ('identity_ca', 'permissions_ca')
VALID = timedelta(days=3650)
# A clock of another host may be a little behind.
EARLIER = timedelta(days=1)
DISCOVERY = 'ros_discovery_info'
_SCHEMA = 'http://www.omg.org/spec/DDS-SECURITY/20170901/omg_shared_ca_{}.xsd'
_INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'


class KeystoreError(ValueError):
    """Say what of a keystore cannot be used, and what to do."""


@dataclass(frozen=True)
class Authority:
    """Hold the certificate that every host trusts, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def sign(self, content: bytes) -> bytes:
        """Return the content in clear with its S/MIME signature."""
        return pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(
            self.certificate, self.key, hashes.SHA256()).sign(
            serialization.Encoding.SMIME,
            [pkcs7.PKCS7Options.Text, pkcs7.PKCS7Options.DetachedSignature])


def create(root: Path, domains: str, valid: timedelta = VALID) -> Authority:
    """
    Make a keystore for some domains ('7', or '0-232'), with an authority of its own.

    Raises KeystoreError when there is something at that place already.
    """
    if root.exists() and any(root.iterdir()):
        raise KeystoreError(f'keystore {root}: there is something already; expected a new folder. '
                            'To add enclaves to a keystore, use --add')
    for folder in ('public', 'private', 'enclaves'):
        (root / folder).mkdir(parents=True)
    (root / 'private').chmod(0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    authority = Authority(_certificate(AUTHORITY, key, None, valid), key)
    _write(root / 'public' / 'ca.cert.pem', _pem(authority.certificate))
    _write(root / 'private' / 'ca.key.pem', _pem_key(key), secret=True)
    for role in ROLES:
        (root / 'public' / f'{role}.cert.pem').symlink_to('ca.cert.pem')
        (root / 'private' / f'{role}.key.pem').symlink_to('ca.key.pem')
    governance = governance_xml(domains)
    _write(root / 'enclaves' / 'governance.xml', governance)
    _write(root / 'enclaves' / 'governance.p7s', authority.sign(governance))
    return authority


def open_existing(root: Path) -> Authority:
    """Return the authority of a keystore; KeystoreError if it has none."""
    try:
        certificate = x509.load_pem_x509_certificate(
            (root / 'public' / 'identity_ca.cert.pem').read_bytes())
        key = serialization.load_pem_private_key(
            (root / 'private' / 'identity_ca.key.pem').read_bytes(), None)
    except (OSError, ValueError) as error:
        raise KeystoreError(f'keystore {root}: no authority: {error}; expected the folder that '
                            'make_keystore.py made, with private/') from None
    return Authority(certificate, key)


def add_enclave(
    root: Path, authority: Authority, enclave: Enclave, domains: str, valid: timedelta = VALID,
) -> Path:
    """Give an enclave a new key, certificate and signed permissions; return its folder."""
    folder = root / 'enclaves' / enclave.path.lstrip('/')
    folder.mkdir(parents=True, exist_ok=True)
    up = os.path.relpath(root, folder)
    for name, target in (
            *((f'{role}.cert.pem', f'{up}/public/{role}.cert.pem') for role in ROLES),
            ('governance.p7s', f'{up}/enclaves/governance.p7s')):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(enclave.path, key, authority, valid)
    permissions = permissions_xml(enclave, domains, certificate)
    _write(folder / 'key.pem', _pem_key(key), secret=True)
    _write(folder / 'cert.pem', _pem(certificate))
    _write(folder / 'permissions.xml', permissions)
    _write(folder / 'permissions.p7s', authority.sign(permissions))
    return folder


def governance_xml(domains: str) -> bytes:
    """Everything is authenticated, encrypted and under access control in these domains."""
    root = _dds('governance')
    rule = _below(root, 'domain_access_rules/domain_rule')
    _domains(rule, domains)
    for tag, text in (
            ('allow_unauthenticated_participants', 'false'),
            ('enable_join_access_control', 'true'), ('discovery_protection_kind', 'ENCRYPT'),
            ('liveliness_protection_kind', 'ENCRYPT'), ('rtps_protection_kind', 'SIGN')):
        ElementTree.SubElement(rule, tag).text = text
    topics = _below(rule, 'topic_access_rules/topic_rule')
    for tag, text in (
            ('topic_expression', '*'), ('enable_discovery_protection', 'true'),
            ('enable_liveliness_protection', 'true'), ('enable_read_access_control', 'true'),
            ('enable_write_access_control', 'true'), ('metadata_protection_kind', 'ENCRYPT'),
            ('data_protection_kind', 'ENCRYPT')):
        ElementTree.SubElement(topics, tag).text = text
    return _text(root)


def _instant(certificate: x509.Certificate, end: str) -> datetime:
    name = end.replace('not_', 'not_valid_')
    # Ubuntu 24.04 has a cryptography that knows the name without the time zone only, in UTC too.
    return getattr(certificate, f'{name}_utc', None) or getattr(certificate, name)


def permissions_xml(enclave: Enclave, domains: str, certificate: x509.Certificate) -> bytes:
    """Allow an enclave what its profiles allow, and ROS's own discovery; deny all else."""
    root = _dds('permissions')
    grant = _below(root, 'permissions/grant')
    grant.set('name', enclave.path)
    ElementTree.SubElement(grant, 'subject_name').text = f'CN={enclave.path}'
    validity = ElementTree.SubElement(grant, 'validity')
    for tag in ('not_before', 'not_after'):
        ElementTree.SubElement(validity, tag).text = \
            _instant(certificate, tag).strftime('%Y-%m-%dT%H:%M:%S')
    publish, subscribe = {DISCOVERY}, {DISCOVERY}
    for profile in enclave.profiles:
        out, into = profile.dds_topics()
        publish |= out
        subscribe |= into
    rule = ElementTree.SubElement(grant, 'allow_rule')
    _domains(rule, domains)
    for tag, names in (('publish', publish), ('subscribe', subscribe)):
        topics = _below(rule, f'{tag}/topics')
        for name in sorted(names):
            ElementTree.SubElement(topics, 'topic').text = name
    ElementTree.SubElement(grant, 'default').text = 'DENY'
    return _text(root)


def _dds(kind: str) -> ElementTree.Element:
    ElementTree.register_namespace('xsi', _INSTANCE)
    return ElementTree.Element(
        'dds', {f'{{{_INSTANCE}}}noNamespaceSchemaLocation': _SCHEMA.format(kind)})


def _below(element: ElementTree.Element, path: str) -> ElementTree.Element:
    for tag in path.split('/'):
        element = ElementTree.SubElement(element, tag)
    return element


def _domains(rule: ElementTree.Element, domains: str) -> None:
    element = ElementTree.SubElement(rule, 'domains')
    low, _, high = domains.partition('-')
    if high:
        element = ElementTree.SubElement(element, 'id_range')
        ElementTree.SubElement(element, 'min').text = low
        ElementTree.SubElement(element, 'max').text = high
    else:
        ElementTree.SubElement(element, 'id').text = low


def _text(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding='UTF-8', xml_declaration=True) + b'\n'


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: Authority | None, valid: timedelta,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(
        issuer.certificate.subject if issuer else subject, subject, key.public_key(),
        x509.random_serial_number(), now - EARLIER, now + valid).add_extension(
        x509.BasicConstraints(ca=issuer is None, path_length=None if issuer else 1),
        critical=issuer is None)
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption())


def _write(path: Path, content: bytes, secret: bool = False) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, 'wb') as file:
        file.write(content)
