# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints are whole or not there; the newest and the best are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import resource

import pytest

pytest.importorskip('torch')
from apprentice_training.errors import TrainingError  # noqa: E402, I100
from apprentice_training.run import RunFolder  # noqa: E402, I100


def write(folder: Path) -> None:
    """Fill a checkpoint."""
    (folder / 'training_state').mkdir()
    (folder / 'weights').write_bytes(b'w' * 4096)


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_names(tmp_path: Path) -> None:
    """Six digits, or as many as the last step has; links are relative."""
    folder = RunFolder(tmp_path, 12_345_678)
    folder.save(500, write)
    assert folder.place(500).name == '00000500'
    assert os.readlink(tmp_path / 'checkpoints' / 'last') == '00000500'
    assert RunFolder(tmp_path, 10).place(7).name == '000007'


def test_keep_newest_and_best(tmp_path: Path) -> None:
    """Two of the newest stay, and the best, however old it is."""
    folder = RunFolder(tmp_path, 9, keep=2)
    for step, score in enumerate((0.5, 0.2, 0.4, None, 0.3), 1):
        folder.save(step, write)
        if score is not None:
            folder.rate(step, score)
    assert folder.steps() == [2, 4, 5]
    assert folder.linked('best') == folder.place(2)
    assert folder.linked('last') == folder.place(5)
    assert folder.best_score() == 0.2


def test_disk_full_for_a_score(tmp_path: Path) -> None:
    """The checkpoint stays whole and the last; nothing half written is left in it."""
    folder = RunFolder(tmp_path, 9)
    folder.save(1, write)
    with small_disk(4), pytest.raises(TrainingError, match='score of step 1 was not written'):
        folder.rate(1, 0.5)
    assert folder.linked('last') == folder.place(1) and folder.linked('best') is None
    assert not list((folder.place(1) / 'training_state').iterdir())


def test_disk_full(tmp_path: Path) -> None:
    """The checkpoint before is whole, and nothing half written is left."""
    folder = RunFolder(tmp_path, 9)
    folder.save(1, write)
    with small_disk(1024), pytest.raises(TrainingError, match='step 2 was not written') as raised:
        folder.save(2, write)
    assert str(folder.place(1)) in str(raised.value)
    assert folder.linked('last') == folder.place(1)
    assert sorted(path.name for path in folder.checkpoints.iterdir()) == ['000001', 'last']
    assert (folder.place(1) / 'weights').read_bytes() == b'w' * 4096


def test_disk_full_while_saving(tmp_path: Path, data: Path,
                                capsys: pytest.CaptureFixture[str]) -> None:
    """A whole training whose weights do not fit stops with the earlier checkpoint named."""
    from training_cases import ACT
    from training_cases import train
    run = tmp_path / 'run'
    assert train(data, run, *ACT, '--steps=2') == 0
    capsys.readouterr()
    from apprentice_training.train import main
    with small_disk(16_384):
        assert main(['--resume=true', f'--output_dir={run}', '--steps=3']) == 1
    message = capsys.readouterr().err
    assert 'step 3 was not written' in message
    assert str(run / 'checkpoints' / '000002') in message
    assert RunFolder(run, 3).steps() == [2]
    assert main(['--resume=true', f'--output_dir={run}', '--steps=3']) == 0


def test_save_again(tmp_path: Path) -> None:
    """A step that is saved twice has the newer contents."""
    folder = RunFolder(tmp_path, 9)
    folder.save(1, write)
    folder.save(1, lambda place: (place / 'new').write_text('new') and None)
    assert [path.name for path in folder.place(1).iterdir()] == ['new']


def test_left_over(tmp_path: Path) -> None:
    """What a killed process left half written is removed."""
    folder = RunFolder(tmp_path, 9)
    folder.save(1, write)
    (folder.checkpoints / '.000002.partial-123').mkdir()
    folder.clean()
    assert sorted(path.name for path in folder.checkpoints.iterdir()) == ['000001', 'last']
