# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run every command block of the documents that can run here, and check what they point at."""
from __future__ import annotations

import ast
import os
from pathlib import Path
import re
import subprocess

from documents import DocumentError
from documents import fences
from documents import parse_blocks
from documents import parse_scenes
from documents import play
from documents import ROOT
from documents import Scene
import domain_coordinator
import pytest

LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')


def _files(*patterns: str) -> list[Path]:
    listing = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', *patterns]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in sorted(set(names.split('\0'))) if name
            and (ROOT / name).is_file()]


DOCUMENTS = {str(path.relative_to(ROOT)): path.read_text() for path in _files('*.md')}


def _scenes() -> list[Scene]:
    found = []
    for name, text in DOCUMENTS.items():
        try:
            found += parse_scenes(text, name)
        except DocumentError:
            continue  # test_blocks_are_marked tells
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize('scene', _scenes(), ids=lambda scene: scene.block.place)
def test_commands_work(scene: Scene) -> None:
    """What a reader is told to type works."""
    with domain_coordinator.domain_id() as domain:
        play(scene, dict(os.environ, ROS_DOMAIN_ID=str(domain)))


@pytest.mark.parametrize('name', DOCUMENTS)
def test_blocks_are_marked(name: str) -> None:
    """Every block says how it runs in the words of documents.py, and has an end."""
    parse_scenes(DOCUMENTS[name], name)


@pytest.mark.parametrize('name', DOCUMENTS)
def test_python_blocks_parse(name: str) -> None:
    """Every Python example is Python."""
    for number, info, lines in fences(DOCUMENTS[name]):
        if info == 'python':
            ast.parse('\n'.join(lines), f'{name}:{number}')


@pytest.mark.parametrize('name', DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link names a file of the repository."""
    text = re.sub(r'(?ms)^```.*?^```', '', DOCUMENTS[name])
    targets = [target.partition('#')[0] for target in LINK.findall(text)
               if not re.match(r'[a-z]+:|#', target)]
    missing = [target for target in targets if not (ROOT / name).parent.joinpath(target).exists()]
    assert not missing, f'{name} links to {missing}'


def test_a_block_that_must_run_is_the_default() -> None:
    """Continued lines are one command; comments are none."""
    block, = parse_blocks('```bash\n# first\nls -a \\\n    .\ntrue\n```\n', 'x.md')
    assert (block.place, block.kind.value, block.commands) == ('x.md:1', '', ('ls -a .', 'true'))


@pytest.mark.parametrize('info', [
    'bash notest', 'bash notest:', 'bash sometimes: x', 'bash: x', 'sh', 'console',
    'bash during: y', 'bash background:'])
def test_a_block_with_a_wrong_mark_is_refused(info: str) -> None:
    """No block is left out by a typing error."""
    with pytest.raises(DocumentError, match=r'x\.md:1'):
        parse_scenes(f'```{info}\nls\n```\n', 'x.md')


@pytest.mark.timeout(60)
@pytest.mark.parametrize('command, words', [
    ('false', 'returned 1'), ('false | true', 'returned 1'), ('echo success=False', 'printed'),
    ('nowhere_to_be_found', 'returned 127')])
def test_a_failing_command_fails(command: str, words: str) -> None:
    """A command that does not do what it should is told with its place."""
    scene, = parse_scenes(f'```bash\n{command}\n```\n', 'x.md')
    with pytest.raises(AssertionError, match=rf'x\.md:1: .*{words}'):
        play(scene, os.environ)


@pytest.mark.timeout(60)
def test_an_early_end_of_a_background_fails() -> None:
    """A background block that ends is told."""
    scene, = parse_scenes('```bash background: /nothing\nbash -c "exit 3"\n```\n', 'x.md')
    with pytest.raises(AssertionError, match='ended with 3'):
        play(scene, dict(os.environ, ROS_DOMAIN_ID='0'))
