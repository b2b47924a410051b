# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write the card of a dataset, and write it again without loss."""

from __future__ import annotations

import json
from pathlib import Path
import re

from apprentice_dataset.card import BEGIN
from apprentice_dataset.card import Card
from apprentice_dataset.card import END
from apprentice_dataset.card import write_card
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from hubbed import run
import pytest
import yaml

pytest_plugins = ['hub_fixtures']


def front(text: str) -> dict[str, object]:
    """Return the front matter as the Hub reads it."""
    return dict(yaml.safe_load(text.split('---\n')[1]))


def test_a_card_says_what_the_dataset_says(
    dataset: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    """As LeRobot's front matter, and in its body info.json whole."""
    run(capsys, 0, 'card', dataset, '--license', 'cc-by-4.0', '--tags', 'so100', 'no')
    text = (dataset / 'README.md').read_text()
    assert front(text) == {
        'license': 'cc-by-4.0', 'task_categories': ['robotics'],
        'tags': ['LeRobot', 'so100', 'no'],
        'configs': [{'config_name': 'default', 'data_files': 'data/*/*.parquet'}]}
    found = re.search(r'```json\n(.*?)\n```', text, re.DOTALL)
    assert found and json.loads(found[1]) == json.loads((dataset / 'meta/info.json').read_text())
    assert '| episodes | 3 |' in text and '\n- pick the cube\n' in text
    assert {path.name for path in dataset.iterdir()} == {'README.md', 'data', 'meta', 'videos'}


def test_a_second_time_nothing_is_lost(dataset: Path) -> None:
    """The same text; the user's own entries and words stay, and what is named is changed."""
    path = write_card(dataset)
    first = path.read_text()
    assert write_card(dataset).read_text() == first and front(first)['license'] == 'apache-2.0'
    mine = first.replace('---\n', '---\npretty_name: "Cubes"\nlanguage:\n- en\n', 1).replace(
        'license: apache-2.0', 'license: mit')
    head, begin, rest = mine.partition(BEGIN)
    path.write_text(f'{head}# Mine\n\n{begin}{rest}\nAnd more.\n')
    again = write_card(dataset, Card(tags=('so100',))).read_text()
    assert front(again) == {**front(first), 'pretty_name': 'Cubes', 'language': ['en'],
                            'license': 'mit', 'tags': ['LeRobot', 'so100']}
    assert '# Mine\n' in again and again.endswith('\nAnd more.\n')
    assert again.count(BEGIN) == again.count(END) == 1


def test_a_text_without_marks_stays_below(dataset: Path) -> None:
    """A card that was written by hand, or by LeRobot."""
    (dataset / 'README.md').write_text('---\r\nlicense: mit\r\n---\r\nBy hand.\r\n')
    text = write_card(dataset).read_text()
    assert front(text)['license'] == 'mit' and text.endswith(f'{END}\n\nBy hand.\n')
    assert write_card(dataset).read_text() == text


def test_names_of_the_dataset_cannot_forge_the_card(dataset: Path) -> None:
    """Robot and tasks are shown as they are."""
    path = dataset / 'meta/info.json'
    info = {**json.loads(path.read_text()), 'robot_type': f'a|b\n{END}\n```\n<script>'}
    path.write_text(json.dumps(info))
    text = write_card(dataset).read_text()
    assert write_card(dataset).read_text() == text
    assert '| robot | a\\|b \\<\\!' in text.replace('!', '\\!') and '\n````json\n' in text
    with pytest.raises(DatasetError, match='expected a word for the card'):
        write_card(dataset, Card(license_id='mit\nx: y'))


def test_a_card_that_is_no_text_is_told(dataset: Path) -> None:
    """It is not overwritten."""
    (dataset / 'README.md').write_bytes(b'\xff\xfe')
    with pytest.raises(DatasetBroken, match=r'README.md: found other bytes, expected text'):
        write_card(dataset)
