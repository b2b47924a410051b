# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Add a policy by a package of a third party: built, installed, chosen by its type."""

from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import subprocess
import sys

from apprentice_policies.errors import PolicyError
from apprentice_policies.registry import policy_class
import pytest
from tiny import config

pytest_plugins = ['tiny_fixtures']
HERE = Path(__file__).parent
SETUP = """
from setuptools import setup
setup(name='theirs', version='1.0', packages=['theirs'],
      entry_points={'apprentice_policies.policies': ['theirs = theirs']})
"""
SCRIPT = """
import json, sys
from apprentice_policies.checkpoint import build, load_pretrained, save_pretrained
from apprentice_policies.config import PolicyConfig
from apprentice_policies.processors import make_processors
from apprentice_policies.registry import policy_class
config = PolicyConfig.from_dict(json.loads(sys.argv[1]))
policy = build(config)
save_pretrained(sys.argv[2], policy, *make_processors(config, None))
loaded = load_pretrained(sys.argv[2])[0]
rate = config.preset().optimizer.lr
print(type(loaded).__module__, type(loaded) is policy_class('theirs'), rate)
"""


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build and install a package that has a policy, as pip does it, without a network."""
    source = tmp_path_factory.mktemp('source')
    shutil.copytree(HERE / 'tiny_policy', source / 'theirs',
                    ignore=shutil.ignore_patterns('__pycache__'))
    for path in (source / 'theirs').glob('*.py'):
        text = path.read_text().replace('tiny_policy', 'theirs')
        path.write_text(text.replace("'tiny'", "'theirs'"))
    (source / 'setup.py').write_text(SETUP)
    target = tmp_path_factory.mktemp('target')
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index',
                    '--no-build-isolation', '--disable-pip-version-check', '--target',
                    str(target), str(source)], check=True)
    return target


def test_a_package_adds_a_policy(site: Path, tmp_path: Path) -> None:
    """Its type builds, saves and loads; nothing here has to know of it."""
    values = {**config().to_dict(), 'type': 'theirs'}
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get('PYTHONPATH')])])
    result = subprocess.run(
        [sys.executable, '-c', SCRIPT, json.dumps(values), str(tmp_path / 'saved')],
        env={**os.environ, 'PYTHONPATH': path}, capture_output=True, text=True)
    assert (result.stdout.split(), result.stderr) == (['theirs.policy', 'True', '0.01'], '')


def test_without_the_package_its_type_is_unknown(site: Path) -> None:
    """The error says that a package is missing, and what there is."""
    with pytest.raises(PolicyError, match="found 'theirs', expected one of .*tiny"):
        policy_class('theirs')
    with pytest.raises(PolicyError, match='a policy of another package has to be installed'):
        config(type='theirs')
