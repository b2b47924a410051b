# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Find the command blocks of the documents, and run them as a reader would.

The info string of a fence says how a block runs; what is not said here is an error:

- `bash`: every command runs to its end and returns 0.
- `bash background: TOPIC`: one command that stays; it is up when TOPIC has a message, and Ctrl-C
  ends it.
- `bash during: WORDS`: runs while the block above whose command contains WORDS is up.
- `bash notest: REASON`: cannot run here, for this reason.
"""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
import os
from pathlib import Path
import re
import signal
import subprocess
import tempfile
import time

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r'^( *)```(.*)$')
# These run until Ctrl-C: they are right when they print something.
ENDLESS = re.compile(r'ros2 topic (hz|bw|delay|echo(?!.* --once))\b')
LIMIT_S = 300.0
UP_S = 60.0
FIRST_OUTPUT_S = 20.0
DOWN_S = 20.0


class Kind(Enum):
    """Say how a block runs."""

    PLAIN = ''
    BACKGROUND = 'background'
    DURING = 'during'
    NOTEST = 'notest'


class DocumentError(ValueError):
    """Say which block of which document is not what it should be."""


@dataclass(frozen=True)
class Block:
    """Hold one command block: where it is, how it runs, and its commands."""

    place: str
    kind: Kind
    argument: str
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """Hold a block and those that run while it is up."""

    block: Block
    during: tuple[Block, ...]


def fences(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield line number, info string and lines of every fenced block."""
    opened: tuple[int, str, str, list[str]] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        match = FENCE.match(line)
        if opened is None and match:
            opened = (number, match[1], match[2].strip(), [])
        elif opened is not None and match and not match[2].strip():
            yield opened[0], opened[2], opened[3]
            opened = None
        elif opened is not None:
            opened[3].append(line.removeprefix(opened[1]))
    if opened is not None:
        raise DocumentError(f'the block that begins on line {opened[0]} has no end')


def parse_blocks(text: str, name: str) -> list[Block]:
    """Find the bash blocks of a document."""
    return [_block(f'{name}:{number}', info, lines) for number, info, lines in fences(text)
            if re.match(r'(bash|sh|shell|console)\b', info)]


def _block(place: str, info: str, lines: list[str]) -> Block:
    language, _, rest = info.partition(' ')
    word, colon, argument = (part.strip() for part in rest.partition(':'))
    if language != 'bash' or word not in [kind.value for kind in Kind]:
        raise DocumentError(f"{place}: '{info}': expected 'bash', 'bash background: TOPIC', "
                            "'bash during: WORDS' or 'bash notest: REASON'")
    kind = Kind(word)
    if (kind is not Kind.PLAIN) != bool(colon and argument):
        raise DocumentError(f"{place}: '{info}': what follows the colon is missing")
    # A backslash at the end of a line carries a command on.
    text = re.sub(r'\\\n\s*', '', '\n'.join(lines))
    commands = tuple(line.strip() for line in text.splitlines()
                     if line.strip() and not line.strip().startswith('#'))
    if not commands or kind is Kind.BACKGROUND and len(commands) > 1:
        raise DocumentError(f'{place}: expected {"one command" if commands else "commands"}')
    return Block(place, kind, argument, commands)


def parse_scenes(text: str, name: str) -> list[Scene]:
    """Group the blocks of a document: each by itself, but `during` with its background."""
    blocks = parse_blocks(text, name)
    scenes: dict[str, Scene] = {}
    for block in blocks:
        if block.kind is not Kind.DURING:
            scenes[block.place] = Scene(block, ())
            continue
        hosts = [scene for scene in scenes.values() if scene.block.kind is Kind.BACKGROUND
                 and block.argument in scene.block.commands[0]]
        if not hosts:
            raise DocumentError(f'{block.place}: no background block above runs '
                                f"'{block.argument}'")
        host = hosts[-1]
        scenes[host.block.place] = Scene(host.block, (*host.during, block))
    return [scene for scene in scenes.values() if scene.block.kind is not Kind.NOTEST]


def play(scene: Scene, environment: Mapping[str, str]) -> None:
    """Run a scene; raise AssertionError with the output where a command does not do."""
    if scene.block.kind is Kind.PLAIN:
        _run_block(scene.block, environment)
        return
    with _background(scene.block, environment):
        for block in scene.during:
            _run_block(block, environment)


def _run_block(block: Block, environment: Mapping[str, str]) -> None:
    for command in block.commands:
        if ENDLESS.match(command):
            _run_endless(block, command, environment)
        else:
            _run_once(block, command, environment)


def _run_once(block: Block, command: str, environment: Mapping[str, str]) -> None:
    with _started(command, environment) as (process, log):
        try:
            process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            raise _failure(block, command, f'did not end within {LIMIT_S:g} s', log) from None
        if process.returncode != 0:
            raise _failure(block, command, f'returned {process.returncode}', log)
        _check_words(block, command, log)


def _run_endless(block: Block, command: str, environment: Mapping[str, str]) -> None:
    with _started(command, environment) as (process, log):
        deadline = time.monotonic() + FIRST_OUTPUT_S
        while not log.stat().st_size and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if process.poll() is not None:
            raise _failure(block, command, f'ended by itself with {process.returncode}', log)
        if not log.stat().st_size:
            raise _failure(block, command, f'printed nothing within {FIRST_OUTPUT_S:g} s', log)
        _interrupt(block, command, process, log)
        _check_words(block, command, log)


@contextmanager
def _background(block: Block, environment: Mapping[str, str]) -> Iterator[None]:
    command = block.commands[0]
    with _started(command, environment) as (process, log):
        deadline = time.monotonic() + UP_S
        while not _has_message(block.argument, environment):
            if process.poll() is not None:
                raise _failure(block, command, f'ended with {process.returncode}', log)
            if time.monotonic() > deadline:
                raise _failure(block, command, f'brought no message on {block.argument} within '
                               f'{UP_S:g} s', log)
        try:
            yield
        except AssertionError as error:
            raise AssertionError(f'{error}\n--- {command}\n{_tail(log)}') from None
        if process.poll() is not None:
            raise _failure(block, command, f'ended early with {process.returncode}', log)
        _interrupt(block, command, process, log)
        _check_words(block, command, log)


def _has_message(topic: str, environment: Mapping[str, str]) -> bool:
    echo = ['ros2', 'topic', 'echo', '--once', topic]
    try:
        return subprocess.run(echo, env=dict(environment), capture_output=True,
                              timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextmanager
def _started(command: str, environment: Mapping[str, str]) \
        -> Iterator[tuple[subprocess.Popen, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / 'log'
        with log.open('wb') as out:
            # exec, so that signals reach the command itself and not a shell around it.
            process = subprocess.Popen(
                ['bash', '-euo', 'pipefail', '-c', _direct(command)], cwd=ROOT,
                env=dict(environment), stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield process, log
        finally:
            _end(process)


def _direct(command: str) -> str:
    simple = not re.search(r'[|&;<>]|^(\w+=|cd |export |source |\. )', command)
    return f'exec {command}' if simple else command


def _end(process: subprocess.Popen) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(DOWN_S)
            except subprocess.TimeoutExpired:
                continue
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _interrupt(block: Block, command: str, process: subprocess.Popen, log: Path) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(DOWN_S)
    except subprocess.TimeoutExpired:
        raise _failure(block, command, f'did not end within {DOWN_S:g} s of Ctrl-C', log) from None


def _check_words(block: Block, command: str, log: Path) -> None:
    text = log.read_text(errors='replace')
    for word in ('Traceback (most recent call last)', 'success=False'):
        if word in text:
            raise _failure(block, command, f"printed '{word}'", log)


def _failure(block: Block, command: str, what: str, log: Path) -> AssertionError:
    return AssertionError(f'{block.place}: `{command}` {what}\n{_tail(log)}')


def _tail(log: Path) -> str:
    return '\n'.join(log.read_text(errors='replace').splitlines()[-60:])
