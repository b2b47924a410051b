# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write the card of a dataset, README.md: what the Hub searches and what a reader asks."""

from __future__ import annotations

from dataclasses import dataclass
import json
import os
from pathlib import Path
import re

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import replace_file
from apprentice_dataset.files import storage_errors
from apprentice_dataset.layout import INFO
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata

README = 'README.md'
LICENSE = 'apache-2.0'
BEGIN = '<!-- Made from meta/info.json: what stands between these two lines is made anew. -->'
END = '<!-- End of what is made from meta/info.json. -->'
_FRONT = re.compile(r'\A---\n(.*?\n)?---\n', re.DOTALL)
_KEY = re.compile(r'^([A-Za-z_][\w-]*)\s*:')
_MOST_BYTES = 1 << 20
_MOST_TASKS = 100


@dataclass(frozen=True)
class Card:
    """Hold what a card says beside what the dataset says; None and () leave it as it stands."""

    license_id: str | None = None
    tags: tuple[str, ...] = ()
    repo_id: str | None = None


def write_card(root: Path | str, card: Card | None = None) -> Path:
    """
    Write README.md of a dataset, or bring the one that is there up to date.

    Text outside the two marks and entries of the front matter that are not named stay.

    :raises DatasetBroken: the dataset cannot be read, or its README.md is no text.
    """
    root = Path(root)
    text = render_card(read_metadata(root), read_card(root), card)
    path = root / README
    with storage_errors(root):
        replace_file(path, path.with_name(f'.{README}.{os.getpid()}'), text.encode())
    return path


def read_card(root: Path) -> str:
    """Return README.md as it stands, '' where there is none; DatasetBroken when it is no text."""
    path = root / README
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DatasetBroken(str(path), f'more than {_MOST_BYTES} bytes', 'a short text')
        return path.read_text(encoding='utf-8')
    except FileNotFoundError:
        return ''
    except UnicodeDecodeError:
        raise DatasetBroken(str(path), 'other bytes', 'text in UTF-8') from None


def render_card(metadata: Metadata, before: str = '', card: Card | None = None) -> str:
    """Return the text of a card that replaces another."""
    card = card or Card()
    before = before.replace('\r\n', '\n')
    match = _FRONT.match(before)
    front = _front((match[1] or '') if match else '', card)
    rest = before[match.end():] if match else before
    made = f'{BEGIN}\n\n{_body(metadata, card)}\n{END}'
    begin, end = rest.find(BEGIN), rest.rfind(END)
    if 0 <= begin < end:
        rest = f'{rest[:begin]}{made}{rest[end + len(END):]}'
    else:
        rest = f'\n{made}\n' + (f'\n{rest.strip()}\n' if rest.strip() else '')
    return f'---\n{front}---\n{rest}'


def _front(before: str, card: Card) -> str:
    """Return the front matter: an entry that is there stays unless the card names it."""
    blocks: dict[str, str] = {}
    key = ''
    for line in before.splitlines(keepends=True):
        found = _KEY.match(line)
        key = found[1] if found else key
        blocks[key] = blocks.get(key, '') + line
    if card.license_id is not None or 'license' not in blocks:
        blocks['license'] = f'license: {_word(card.license_id or LICENSE)}\n'
    blocks.setdefault('task_categories', 'task_categories:\n- robotics\n')
    if card.tags or 'tags' not in blocks:
        words = dict.fromkeys(['LeRobot', *card.tags])
        blocks['tags'] = 'tags:\n' + ''.join(f'- {_word(word)}\n' for word in words)
    blocks.setdefault('configs', 'configs:\n- config_name: default\n'
                                 '  data_files: data/*/*.parquet\n')
    return ''.join(blocks.values())


def _word(text: str) -> str:
    # Anything but a plain word is quoted as JSON, which YAML reads alike.
    if not text.isprintable() or not text.strip():
        raise DatasetError(f'found {text!r}, expected a word for the card')
    plain = re.fullmatch(r'[A-Za-z][\w.+-]*', text, re.ASCII)
    reserved = text.lower() in ('true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n')
    return text if plain and not reserved else json.dumps(text)


def _body(metadata: Metadata, card: Card) -> str:
    info = metadata.info
    title = card.repo_id or metadata.root.resolve().name
    length_s = info.total_frames / info.fps
    lines = [
        f'# {_inline(title)}', '',
        'A [LeRobotDataset](https://github.com/huggingface/lerobot) '
        f'{info.codebase_version} of robot data.', '',
        '| | |', '|---|---|',
        f'| robot | {_inline(info.robot_type or "not named")} |',
        f'| episodes | {info.total_episodes} |',
        f'| frames | {info.total_frames} at {info.fps:g}/s, {length_s / 60:.1f} min |',
        f'| cameras | {_inline(", ".join(info.cameras) or "none")} |', '',
        '## Tasks', '',
        *(f'- {_inline(task)}' for task in metadata.tasks[:_MOST_TASKS])]
    if len(metadata.tasks) > _MOST_TASKS:
        lines.append(f'- and {len(metadata.tasks) - _MOST_TASKS} more')
    text = json.dumps(json.loads((metadata.root / INFO).read_text('utf-8')), indent=4,
                      ensure_ascii=False)
    # A name inside may hold backticks; the fence is longer than any run of them.
    fence = '`' * max(3, 1 + max((len(run) for run in re.findall('`+', text)), default=0))
    return '\n'.join([*lines, '', '## meta/info.json', '', f'{fence}json', text, fence, ''])


def _inline(text: str) -> str:
    """Return text that Markdown shows as it is, on one line; the marks cannot be forged."""
    return re.sub(r'([\\`*_{}\[\]<>#|])', r'\\\1', ' '.join(text.split()))
