# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An episode's report in numbers and in words."""
from __future__ import annotations

import json
from pathlib import Path

from apprentice_contract.features import dataset_spec
from apprentice_dataset.reader import Dataset
from apprentice_dataset.writer import DatasetWriter
from apprentice_recorder.report import EpisodeRecord
from apprentice_recorder.report import Offsets
from apprentice_recorder.report import read_record
from apprentice_recorder.report import to_text
from apprentice_recorder.session import Session
import pytest
from small_robot import contract
from test_session import play
from test_session import save
from test_session import START_NS


def test_offsets_are_summed_up() -> None:
    """Both ends, the middle, and the size that one in a hundred exceeds."""
    offsets = Offsets()
    assert offsets.summary() is None
    offsets.values = [-number * 1_000_000 for number in range(101)]
    assert offsets.summary() == pytest.approx(
        {'min_s': -0.1, 'median_s': -0.05, 'max_s': 0.0, 'p99_abs_s': 0.099})


def test_a_record_is_json_whatever_it_holds() -> None:
    """What is not finite has no word in JSON and becomes null."""
    record = EpisodeRecord('wave', 5, 'abc', streams={'front': {'rate_hz': float('nan')}})
    assert json.loads(record.to_json())['streams']['front']['rate_hz'] is None


def test_the_report_of_a_recording(tmp_path: Path) -> None:
    """Rows, rates, offsets, holds, encoder, size and marks; an unknown episode says so."""
    robot = contract()
    with DatasetWriter.create(tmp_path / 'data', dataset_spec(robot)) as writer:
        session = Session(robot, writer)
        for force in (False, True):
            session.start('wave', START_NS)
            play(session, 40, missing=(9, 10, 11, 12) if force else ())
            assert session.backlog.keys() == {'observation.images.front'}
            assert save(session, success=True, force=force).success
    dataset = Dataset.open(tmp_path / 'data')
    text = '\n'.join(to_text(dataset, 0))
    for words in ('episode 0: 40 rows, 1.3 s, 0 held, success: wave', 'front          40 samples',
                  'Hz   lost 0   offset median +0.0 ms', 'h264 crf', 'group of', 'MB'):
        assert words in text, (words, text)
    assert '!' not in text
    text = '\n'.join(to_text(dataset, 1))
    assert '4 held' in text and '! 4 rows in a row' in text
    (tmp_path / 'data/meta/apprentice/episodes/episode-000001.json').unlink()
    assert read_record(tmp_path / 'data', 1) == {}
    assert 'no record of its recording' in to_text(dataset, 1)[0]
