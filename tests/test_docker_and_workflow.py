# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What neither docker nor a hosted runner has run here is at least in step with the repository."""

from __future__ import annotations

from collections.abc import Iterator
import re
import shlex
import sys

import pytest
from repository import ROOT
import yaml

sys.path.insert(0, str(ROOT / 'tools'))

from workspace import system  # noqa: E402,I100

WORKFLOW = ROOT / '.github' / 'workflows' / 'ci.yml'
DOCKERFILE = (ROOT / 'docker' / 'Dockerfile').read_text()
COMPOSE = yaml.safe_load((ROOT / 'docker' / 'compose.yaml').read_text())
PINNED = yaml.safe_load((ROOT / 'tests' / 'rosdep_keys.yaml').read_text())['pip']
# Programs that the runner, the image or the sourced environment brings.
FOREIGN = {'apt-get', 'colcon', 'docker', 'export', 'rosdep', 'source', 'sudo'}


def jobs() -> dict[str, dict]:
    """Return the jobs of the workflow."""
    return yaml.safe_load(WORKFLOW.read_text())['jobs']


def commands() -> Iterator[list[str]]:
    """Yield the words of every command of the workflow."""
    for job in jobs().values():
        for step in job['steps']:
            for line in step.get('run', '').splitlines():
                if line and not line.startswith('#'):
                    yield shlex.split(line)


def test_a_step_does_one_thing() -> None:
    """Every step runs or uses something, and jobs have a runner and a limit."""
    for job in jobs().values():
        assert job['runs-on'].startswith('ubuntu-') and job['timeout-minutes'] <= 90
        assert all(('run' in step) != ('uses' in step) for step in job['steps'])
        assert job['steps'][0]['uses'].startswith('actions/checkout@')


def test_every_command_is_there() -> None:
    """A program is a foreign one by name, or a file of the repository that can be executed."""
    found = list(commands())
    assert ['./ws', 'test'] in found
    for words in found:
        path = ROOT / words[0]
        assert words[0] in FOREIGN or path.is_file() and path.stat().st_mode & 0o111, words
        if '--base-paths' in words:
            assert (ROOT / words[words.index('--base-paths') + 1]).is_dir()
        if '-f' in words:
            assert (ROOT / words[words.index('-f') + 1]).is_file()


def test_the_bare_job_installs_what_ws_asks_for() -> None:
    """Where `ws` is not root it would only print the line; the runner installs it beforehand."""
    installed = {word for words in commands() if words[:3] == ['sudo', 'apt-get', 'install']
                 for word in words[3:] if not word.startswith('-')}
    assert installed == {*system._BUILD, *system._SIMULATION, 'python3.12-dev', 'python3.12-venv'}


def test_no_browser_is_an_error_where_the_runner_has_one() -> None:
    """Where all tests run, those that look at pages are never skipped."""
    steps = [step for job in jobs().values() for step in job['steps']
             if './ws test' in step.get('run', '')]
    assert steps and all(step['env']['APPRENTICE_BROWSER'] == 'required' for step in steps)


def test_the_image_installs_what_ws_asks_for() -> None:
    """The build stage needs all of it (the distribution brings a compiler), the rest renders."""
    build, runtime = (text.split() for text in re.findall(
        r'--no-install-recommends([^&]*)&&', DOCKERFILE.replace('\\\n', ' ')))
    assert {*system._SIMULATION, 'ffmpeg', 'python3.12-dev', 'python3.12-venv'} == set(build)
    assert set(system._SIMULATION) == set(runtime)


def test_what_rosdep_would_fetch_with_pip_is_left_to_the_locks() -> None:
    """Else pip would be asked to write into the system's Python, and take any version."""
    skipped = re.findall(r'--skip-keys "(.*?)"', WORKFLOW.read_text())
    skipped += re.findall(r'ARG PINNED="(.*?)"', DOCKERFILE)
    assert len(skipped) == 2
    for keys in skipped:
        assert set(keys.split()) == PINNED.keys()


def test_stages_and_files_of_the_image_are_there() -> None:
    """Each stage builds on an image of ROS or on one above it; what is copied exists."""
    stages: list[str] = []
    for base, name in re.findall(r'^FROM (\S+) AS (\S+)$', DOCKERFILE, re.MULTILINE):
        assert base in stages or base.startswith('ros:jazzy'), base
        stages.append(name)
    assert stages[-1] == 'runtime' and DOCKERFILE.count('FROM ') == len(stages)
    for stage in re.findall(r'^COPY --from=(\S+)', DOCKERFILE, re.MULTILINE):
        assert stage in stages
    ignored = (ROOT / '.dockerignore').read_text().splitlines()
    for source in re.findall(r'^COPY ([^-]\S*) ', DOCKERFILE, re.MULTILINE):
        assert (ROOT / source).exists() and source not in ignored, source
    assert not {'src', 'launch', 'config', 'tools', 'locks', 'ws', 'colcon.meta'} & set(ignored)


@pytest.mark.parametrize('name', sorted(COMPOSE['services']))
def test_compose_builds_from_the_repository(name: str) -> None:
    """The context is the root, and the Dockerfile is there."""
    service = COMPOSE['services'][name]
    service = COMPOSE['services'].get(service.get('extends', {}).get('service'), service)
    context = (ROOT / 'docker' / service['build']['context']).resolve()
    assert context == ROOT and (context / service['build']['dockerfile']).is_file()
