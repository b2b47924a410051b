# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run policies of an installed lerobot through our interface, beside our own."""
from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name('lerobot_policy.py')
LEROBOT = os.environ.get('APPRENTICE_REFERENCE_PYTHON', '')
TYPES = ('act', 'vqbet')


def run(python: str, *arguments: object) -> str:
    """Run the script; under lerobot's Python our packages lie beside, under ours installed."""
    paths = [str(ROOT / 'src' / name) for name in ('apprentice_policies', 'apprentice_dataset')]
    paths += filter(None, [os.environ.get('PYTHONPATH') if python == sys.executable else None])
    result = subprocess.run(
        [python, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'OMP_NUM_THREADS': '1'})
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


def acted(folder: Path, way: str) -> dict[str, Any]:
    """Return what a policy does by lerobot or by us."""
    python = sys.executable if way == 'ours' else LEROBOT
    return json.loads(run(python, 'act', folder, way).splitlines()[-1])


@pytest.mark.parametrize('kind', TYPES)
def test_lerobot_acts_through_our_interface(kind: str, tmp_path: Path) -> None:
    """Its checkpoint acts alike by it and by us; so does ours, made of it."""
    run(LEROBOT, 'make', tmp_path / 'theirs', kind)
    theirs = acted(tmp_path / 'theirs', 'lerobot')
    assert theirs['type'] == kind and theirs['seeded']
    assert theirs['inputs'] == {'observation.images.front': ['VISUAL', 3, 96, 96],
                                'observation.state': ['STATE', 6]}
    assert np.ptp(np.array(theirs['actions']), axis=0).min() > 0
    run(sys.executable, 'resave', tmp_path / 'theirs', tmp_path / 'ours')
    for folder, way in (('theirs', 'ours'), ('ours', 'lerobot')):
        found = acted(tmp_path / folder, way)
        scale = np.abs(theirs['actions']).max()
        np.testing.assert_allclose(found['actions'], theirs['actions'], rtol=0, atol=1e-5 * scale)
        assert found['loss'] == pytest.approx(theirs['loss'], rel=1e-5)
        assert found['seeded'] and found['inputs'] == theirs['inputs']
    for path in (tmp_path / 'theirs').glob('policy_p*.json'):
        assert path.read_bytes() == (tmp_path / 'ours' / path.name).read_bytes()
