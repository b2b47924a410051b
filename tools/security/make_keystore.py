#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make a keystore for the robot's policies, for hosts that have no `ros2 security`."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import timedelta
import os
from pathlib import Path
import re
import sys

import keystore
import policy

POLICIES = Path(__file__).resolve().parents[2] / 'config' / 'security' / 'policies.xml'
HIGHEST_DOMAIN = 232


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the keystore and list its enclaves; 1 with one message where that is impossible."""
    options = _parser().parse_args(arguments)
    try:
        enclaves = _chosen(options)
        domains = _domains(options.domain)
        valid = timedelta(days=options.days)
        root = options.keystore.expanduser()
        authority = keystore.open_existing(root) if options.add else \
            keystore.create(root, domains, valid)
        for enclave in enclaves:
            print(keystore.add_enclave(root, authority, enclave, domains, valid))
    except (policy.PolicyError, keystore.KeystoreError) as error:
        print(f'make_keystore: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'make_keystore: {error.filename}: {error.strerror}', file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='make_keystore', description=__doc__)
    parser.add_argument('keystore', type=Path, help='folder to make')
    parser.add_argument('--policies', type=Path, default=POLICIES,
                        help='SROS2 policy file (default: that of our graph)')
    parser.add_argument('--domain', default=os.environ.get('ROS_DOMAIN_ID') or '0',
                        help='ROS domain, or a range such as 0-9 (default: ROS_DOMAIN_ID, else 0)')
    parser.add_argument('--namespace', default='',
                        help='namespace of the robot, as given to the launch file')
    parser.add_argument('--enclave', action='append', default=[],
                        help='only this one; may be repeated (default: every one in the policies)')
    parser.add_argument('--add', action='store_true',
                        help='add to, or renew in, a keystore that is there')
    parser.add_argument('--days', type=int, default=keystore.VALID.days,
                        help='validity (default: ten years)')
    return parser


def _chosen(options: argparse.Namespace) -> list[policy.Enclave]:
    if options.days < 1:
        raise keystore.KeystoreError(f'--days {options.days}: expected at least 1')
    if options.namespace and not re.fullmatch(r'/?[A-Za-z]\w*(/[A-Za-z]\w*)*', options.namespace):
        raise policy.PolicyError(f'--namespace {options.namespace!r}: expected a ROS namespace '
                                 'such as left')
    base = f"/{options.namespace.strip('/')}"
    enclaves = [policy.moved(found, base) for found in policy.load(options.policies)]
    wanted = set(options.enclave) or {found.path for found in enclaves}
    unknown = sorted(wanted - {found.path for found in enclaves})
    if unknown:
        raise policy.PolicyError(
            f"--enclave {', '.join(unknown)}: not in {options.policies}; it has "
            f"{', '.join(found.path for found in enclaves)}")
    return [found for found in enclaves if found.path in wanted]


def _domains(text: str) -> str:
    numbers = [int(part) if part.isascii() and part.isdigit() else -1 for part in text.split('-')]
    if len(numbers) > 2 or any(not 0 <= number <= HIGHEST_DOMAIN for number in numbers) \
            or numbers != sorted(numbers):
        raise policy.PolicyError(
            f'--domain {text}: expected a number from 0 to {HIGHEST_DOMAIN}, or two as 0-9')
    return text


if __name__ == '__main__':
    sys.exit(main())
