# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Videos are encoded anew and statistics computed anew; all else stays as it was."""

from __future__ import annotations

from io import BytesIO
import json
from pathlib import Path

from apprentice_dataset.command_line import main
from apprentice_dataset.edit.anew import images_to_video
from apprentice_dataset.edit.anew import recompute_stats
from apprentice_dataset.edit.anew import reencode
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import VideoSettings
from apprentice_dataset.layout import STATS
from apprentice_dataset.reader import Dataset
import av
from edits import golden
from edits import is_made_of
from edits import is_sound
from edits import recorded
from edits import videos
import numpy as np
import pytest
from recording import check_counters
from recording import FRONT
from recording import WRIST


def test_videos_are_encoded_anew(tmp_path: Path) -> None:
    """Codec and groups are those asked for, info.json says so, rows and statistics stay."""
    source = Dataset.open(recorded(tmp_path / 'data', 12, 8))
    reencode(source.root, VideoSettings('av1', g=4), tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    for episode, length in enumerate((12, 8)):
        check_counters(result, episode, length, 100 * episode)
    info = result.info.features[FRONT].info or {}
    assert (info['video.codec'], info['video.g'], info['video.crf']) == ('av1', 4, 30)
    for name in videos(result):
        with av.open(str(result.root / name)) as container:
            assert container.streams.video[0].codec_context.name in ('libdav1d', 'av1')
            keys = [round(packet.pts * packet.time_base * 30)
                    for packet in container.demux(video=0) if packet.is_keyframe]
        assert sorted(keys) == [0, 4, 8, 12, 16]
    assert len(videos(result)) == 2
    for camera in (FRONT, WRIST):
        np.testing.assert_array_equal(result.metadata.stats[camera]['mean'],
                                      source.metadata.stats[camera]['mean'])


def test_what_is_not_encoded(tmp_path: Path) -> None:
    """Equal settings, unknown codecs and depth are left alone."""
    root = recorded(tmp_path / 'data', 6)
    with pytest.raises(DatasetError, match='nothing to encode'):
        reencode(root, VideoSettings('h264'), tmp_path / 'out')
    with pytest.raises(DatasetBroken, match='video.codec'):
        reencode(root, VideoSettings('vp9'), tmp_path / 'out')
    with pytest.raises(DatasetError, match='nothing to encode'):
        reencode(golden('depth_video', tmp_path), VideoSettings('h264'), tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_statistics_are_computed_anew(tmp_path: Path) -> None:
    """Wrong ones become right; those of cameras are of the decoded frames."""
    source = Dataset.open(recorded(tmp_path / 'data', 12, 8))
    right = source.metadata.stats
    path = source.root / STATS
    path.write_text(json.dumps({name: {key: (np.array(one) + 7).tolist()
                                       for key, one in found.items()}
                                for name, found in json.loads(path.read_bytes()).items()}))
    recompute_stats(source.root, tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    is_made_of(result, [(source, 0), (source, 1)], without=[FRONT, WRIST])
    assert videos(result) == videos(source)
    for name, stats in right.items():
        # The recorder saw the pictures before they were encoded.
        allowed = 0.02 if name in (FRONT, WRIST) else 1e-9
        for key in ('mean', 'std'):
            np.testing.assert_allclose(result.metadata.stats[name][key], stats[key], rtol=1e-9,
                                       atol=allowed)
    pictures = result.frames(0, FRONT) / 255
    np.testing.assert_allclose(result.metadata.episode_stats(0)[FRONT]['mean'].ravel(),
                               pictures.mean(axis=(0, 1, 2)), atol=1e-9)


def test_images_become_videos(tmp_path: Path) -> None:
    """Every picture is found in the video again; rows, tasks and statistics stay."""
    source = Dataset.open(golden('image', tmp_path))
    images = [name for name, feature in source.info.features.items() if feature.dtype == 'image']
    assert main(['images-to-video', str(source.root), '--output', str(tmp_path / 'out')]) == 0
    result = is_sound(tmp_path / 'out')
    assert list(result.info.cameras) == images and list(result.tasks) == list(source.tasks)
    for episode in range(len(source.episodes)):
        old, new = source.rows(episode), result.rows(episode)
        assert set(new.column_names) == set(old.column_names) - set(images)
        assert new['action'].to_pylist() == old['action'].to_pylist()
        for name in images:
            for row, picture in enumerate(result.frames(episode, name)):
                with av.open(BytesIO(old[name][row].as_py()['bytes'])) as container:
                    pixels = next(container.decode(video=0)).to_ndarray(format='rgb24')
                assert np.abs(picture.astype(float) - pixels).mean() < 6
            np.testing.assert_array_equal(result.metadata.episode_stats(episode)[name]['q50'],
                                          source.metadata.episode_stats(episode)[name]['q50'])
    with pytest.raises(DatasetError, match='no colour camera stored as images'):
        images_to_video(tmp_path / 'out', VideoSettings(), None)


def test_the_command_line(tmp_path: Path) -> None:
    """Both verbs do the same in place; cameras can be left as they are."""
    root = recorded(tmp_path / 'data', 6)
    before = Dataset.open(root).metadata.stats
    assert main(['reencode', str(root), '--in-place', '--crf', '30', '--preset', 'fast']) == 0
    info = is_sound(root).info.features[WRIST].info or {}
    assert (info['video.crf'], info['video.preset'], info['video.g']) == (30, 'fast', 10)
    assert main(['recompute-stats', str(root), '--in-place', '--skip-image-video']) == 0
    np.testing.assert_array_equal(is_sound(root).metadata.stats[FRONT]['mean'],
                                  before[FRONT]['mean'])
