# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The contract's page and its figures against the code."""
from __future__ import annotations

from pathlib import Path
import re
import sys

from apprentice_contract.contract import parse_contract
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tools'))

from workspace import contract_page  # noqa: E402  (the path above must come first)
from workspace import sampler_figures  # noqa: E402

PAGE = (ROOT / 'docs' / 'contract.md').read_text()


def test_every_key_is_explained() -> None:
    """The reference on the page is the one that the code gives."""
    assert contract_page.with_reference(PAGE) == PAGE, \
        'run python tools/workspace/contract_page.py'


def test_the_example_is_a_contract() -> None:
    """Joints, cameras and rates of the arm that is not ours."""
    examples = re.findall(r'```yaml\n(.*?)```', PAGE, re.DOTALL)
    found = parse_contract(examples[0], 'docs/contract.md')
    assert set(found.streams) == {'camera', 'arm', 'commands'} and len(examples) == 1
    assert [part.names for part in found.vectors['observation.state']] == [
        ('shoulder.pos', 'elbow.pos'), ('elbow.effort',)]


@pytest.mark.parametrize('name', sampler_figures.figures())
def test_figures_show_what_the_sampler_does(name: str) -> None:
    """Each is shown on the page, and is what the sampler draws today."""
    path = sampler_figures.path(name)
    assert f'(images/{path.name})' in PAGE
    assert path.read_text() == sampler_figures.draw(sampler_figures.figures()[name]), \
        'run python tools/workspace/sampler_figures.py'
