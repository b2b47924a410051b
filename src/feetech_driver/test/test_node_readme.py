# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The README names every parameter of the node."""
from __future__ import annotations

from pathlib import Path

from feetech_driver.parameters import SPECS
import pytest

README = (Path(__file__).parents[1] / 'README.md').read_text(encoding='utf-8')


@pytest.mark.parametrize('name', [spec.name for spec in SPECS])
def test_parameter_is_documented(name: str) -> None:
    """A parameter that nobody can read of does not exist."""
    section = README.split('## Parameters')[1].split('## Inside')[0]
    rows = [row for row in section.splitlines()
            if row.startswith('|') and f'`{name}`' in row.split('|')[1]]
    assert rows, f'{name} is missing'
