# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Episodes become pages that a browser shows: own packets, right curves, nothing half done."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
import json
import os
from pathlib import Path
import re
from typing import Any

from apprentice_dataset.command_line import main
from apprentice_dataset.edit.episodes import compact
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.reader import Dataset
from apprentice_dataset.view import folder as pages_folder
from apprentice_dataset.view.folder import write_pages
from apprentice_dataset.view.pages import MOST_POINTS
from apprentice_dataset.view.pages import page_data
from apprentice_dataset.view.plots import Line
from apprentice_dataset.view.plots import Plot
from apprentice_dataset.view.plots import plots
from apprentice_dataset.writer import DatasetWriter
import av
from browser import browsing
from browser import find_browser
from browser import NAMES
from browser import Page
from edits import golden
from edits import packets
import numpy as np
import pytest
from recording import CAMERAS
from recording import FPS
from recording import FRONT
from recording import HEIGHT
from recording import number_in
from recording import plain_spec
from recording import record
from recording import spec
from recording import WIDTH

LENGTHS = (12, 20, 9)
TASK = 'pick </script ><script>document.title = "taken"</script> & "put" <!-- it'
ODD = 'sync.<b>"&\''
SLOW = {'reward': Feature('float32', (1,)), ODD: Feature('int64', (1,))}


@pytest.fixture(scope='module')
def source(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three episodes in one mp4 a camera; in the last one a number is missing."""
    root = tmp_path_factory.mktemp('view') / 'source'
    with DatasetWriter.create(root, spec(**SLOW)) as writer:
        for episode, length in enumerate(LENGTHS):
            open_one = writer.begin_episode()
            for number in range(length):
                reward = np.nan if episode == 2 and number == 4 else number / 3
                record(open_one, 1, 100 * episode + number, f'{TASK} {number // 8}',
                       {'reward': np.float32(reward), ODD: number - 5})
            open_one.save()
    compact(root, root.with_name('packed'))
    return Dataset.open(root.with_name('packed'))


@pytest.fixture(scope='module')
def view(source: Dataset) -> Path:
    """Return its pages."""
    output = source.root.with_name('pages')
    write_pages(source, output, [0, 1, 2])
    return output


class _Reader(HTMLParser):
    """Take a page apart as a browser does."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.feed(path.read_text())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag = self.elements[-1][0] if self.elements else ''
        self.texts[tag] = self.texts.get(tag, '') + data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def data_of(path: Path) -> dict[str, Any]:
    """Return what a page's script draws."""
    found, = re.findall(r'type="application/json">(.*?)</script>', path.read_text(), re.DOTALL)
    assert not set('<>&') & set(found)
    return json.loads(found)


def lines_of(data: dict[str, Any]) -> dict[tuple[str, str], list[Any]]:
    """Return the curves by the titles of their plots and their labels."""
    return {(plot['title'], line['label']): line['values']
            for plot in data['plots'] for line in plot['lines']}


def test_videos_are_the_packets_of_their_episode(source: Dataset, view: Path) -> None:
    """Each mp4 begins at 0, has the episode's frames at n / fps and nothing encoded anew."""
    for episode, length in enumerate(LENGTHS):
        page = view / f'episode-{episode:06d}.html'
        found = [view / str(one['src']) for one in _Reader(page).of('video')]
        assert len(found) == 2 and '<small>' not in page.read_text()
        for camera, path in zip(CAMERAS, found):
            with av.open(str(path)) as container:
                shown = {packet.pts * packet.time_base * FPS: bytes(packet)
                         for packet in container.demux(video=0) if packet.pts is not None}
            assert list(shown) == list(range(length))
            assert list(shown.values()) == packets(source, episode, camera)


def test_curves_are_the_rows(source: Dataset, view: Path) -> None:
    """State and command of a joint lie in one plot; the rest has its own; all values are there."""
    lines = lines_of(data_of(view / 'episode-000002.html'))
    assert list(lines) == [
        *((joint, feature) for joint in ('a.pos', 'b.pos', 'c.pos')
          for feature in ('observation.state', 'action')), ('reward', 'reward'), (ODD, ODD)]
    rows = source.rows(2)
    for place, joint in enumerate(('a.pos', 'b.pos', 'c.pos')):
        for feature in ('observation.state', 'action'):
            assert lines[joint, feature] == [value[place] for value in rows[feature].to_pylist()]
    assert lines['reward', 'reward'] == [0, 0.333333, 0.666667, 1, None, 1.66667, 2, 2.33333,
                                         2.66667]
    assert lines[ODD, ODD] == list(range(-5, 4))


def test_texts_cannot_leave_their_place(view: Path) -> None:
    """A task that closes scripts and a feature with markup stay texts."""
    for name in ('index.html', 'episode-000001.html'):
        reader = _Reader(view / name)
        assert len(reader.of('script')) == (0 if name == 'index.html' else 2)
        assert not reader.of('b')
    assert data_of(view / 'episode-000001.html')['texts'] == [
        {'name': 'task', 'spans': [[0, f'{TASK} 0'], [8, f'{TASK} 1'], [16, f'{TASK} 2']]}]
    assert f'{TASK} 0 · {TASK} 1' in _Reader(view / 'index.html').texts['td']


@pytest.mark.parametrize('kind', ['image', 'depth_image', 'depth_metres', 'depth_video'])
def test_what_browsers_do_not_play_is_encoded(kind: str, tmp_path: Path) -> None:
    """Image files and depth become H.264, and the page says so."""
    dataset = Dataset.open(golden(kind, tmp_path))
    write_pages(dataset, tmp_path / 'out', [0])
    page = tmp_path / 'out' / 'episode-000000.html'
    path = tmp_path / 'out' / str(_Reader(page).of('video')[0]['src'])
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format='gray') for frame in container.decode(video=0)]
        assert container.streams.video[0].codec_context.name == 'h264'
    assert len(frames) == dataset.episodes[0].length
    note = 'stored as images' if kind == 'image' else r'distances: light \d+ mm, dark \d+ mm'
    assert re.search(f'<small>{note}', page.read_text())
    camera, = (name for name, one in dataset.info.features.items() if one.is_camera)
    stored = dataset.frames(0, camera).astype(float)
    # Near is light.
    stored = stored @ [0.299, 0.587, 0.114] if kind == 'image' else -stored
    assert np.corrcoef(np.ravel(stored), np.ravel(frames))[0, 1] > 0.95


@pytest.mark.parametrize(('encoder', 'options', 'note'), [
    ('libx264', {'g': '1000', 'sc_threshold': '0'}, 'begins between two key frames'),
    ('mpeg4', {'qscale': '2'}, 'recorded as mpeg4 yuv420p')])
def test_packets_that_cannot_be_cut_are_encoded(
    source: Dataset, tmp_path: Path, encoder: str, options: dict[str, str], note: str,
) -> None:
    """Every frame is still the one of its row."""
    compact(source.root, tmp_path / 'data')
    dataset = Dataset.open(tmp_path / 'data')
    path = next((tmp_path / 'data/videos' / FRONT).rglob('*.mp4'))
    with av.open(str(path)) as old, av.open(str(tmp_path / 'new.mp4'), 'w') as new:
        stream = new.add_stream(encoder, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
        for frame in old.decode(video=0):
            frame.pict_type = 0
            new.mux(stream.encode(frame))
        new.mux(stream.encode(None))
    os.replace(tmp_path / 'new.mp4', path)
    write_pages(dataset, tmp_path / 'out', [1])
    page = tmp_path / 'out' / 'episode-000001.html'
    assert f'<small>{note}' in page.read_text()
    with av.open(str(tmp_path / 'out' / str(_Reader(page).of('video')[0]['src']))) as container:
        assert [number_in(frame.to_ndarray(format='rgb24'))
                for frame in container.decode(video=0)] == list(range(100, 120))


def test_long_curves_keep_their_extremes() -> None:
    """Up to 20 000 points nothing is left out; beyond, each stretch keeps least and most."""
    plot = [Plot('x', (Line('x', 0, '', 'x'),))]

    def drawn(values: np.ndarray) -> dict[str, Any]:
        return page_data(30, plot, {'x': values[:, None]}, {}, values.size)

    values = np.random.default_rng(3).normal(size=MOST_POINTS).astype(np.float32)
    whole = drawn(values)
    assert whole['step'] == 1 and whole['frames'] is None
    np.testing.assert_allclose(whole['plots'][0]['lines'][0]['values'], values, rtol=1e-5)
    values = np.random.default_rng(4).normal(size=100_001).astype(np.float32)
    values[[70_003, 90_001]] = 50, np.nan
    values[20:31] = np.nan
    thin = drawn(values)
    shown = thin['plots'][0]['lines'][0]['values']
    assert thin['step'] == 11 and len(shown) == len(thin['frames']) == 2 * -(-100_001 // 11)
    assert max(value for value in shown if value is not None) == 50
    for place in range(0, 9000, 100):
        stretch = values[11 * place:11 * place + 11]
        np.testing.assert_allclose(sorted(shown[2 * place:2 * place + 2]),
                                   [np.nanmin(stretch), np.nanmax(stretch)], rtol=1e-5)
    assert shown[4:6] == [None, None] or None not in shown[4:6]
    assert thin['frames'] == sorted(thin['frames']) and thin['frames'][-1] <= 100_000


def test_names_of_values_are_understood() -> None:
    """Lists, LeRobot's dictionaries and none at all; much of a feature is drawn in parts."""
    def labels(name: str, names: Any, *shape: int) -> list[list[str]]:
        found = plots({name: Feature('float32', shape, names)})
        return [[line.label for line in plot.lines] for plot in found]

    assert labels('action', ['x', 'y'], 2) == [['x', 'y']]
    assert labels('action', {'motors': ['x', 'y']}, 2) == [['x', 'y']]
    assert labels('action', {'y': 1, 'x': 0}, 2) == [['x', 'y']]
    assert labels('action', None, 2) == [['0', '1']]
    assert labels('next.reward', None, 1) == [['next.reward']]
    assert labels('observation.jac', None, 1, 2) == [['0,0', '0,1']]
    assert [len(part) for part in labels('action', None, 19)] == [8, 8, 3]
    assert labels('observation.touch', None, 9, 9) == []
    both = {'observation.state': Feature('float32', (2,)), 'action': Feature('float32', (2,))}
    assert [plot.title for plot in plots(both)] == ['observation.state', 'action']


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob('*')) if path.is_file()}


def test_a_view_replaces_only_a_view(
    source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Foreign files stay; an earlier view is swapped whole, and stays when it is interrupted."""
    out = tmp_path / 'out'
    write_pages(source, out, [0])
    first = _files(out)
    assert [name for name in first if name.startswith('episode')] == ['episode-000000.html']

    def interrupted(*arguments: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(pages_folder, 'film', interrupted)
    for target in (out, tmp_path / 'new'):
        with pytest.raises(KeyboardInterrupt):
            write_pages(source, target, [1])
    assert _files(out) == first and [path.name for path in tmp_path.iterdir()] == ['out']
    monkeypatch.undo()
    # As if a process had died around the exchange.
    (tmp_path / '.out.apprentice-view' / 'videos').mkdir(parents=True)
    write_pages(source, out, [1])
    assert [path.name for path in out.glob('episode*')] == ['episode-000001.html']
    assert [path.name for path in tmp_path.iterdir()] == ['out']
    (out / 'notes.txt').write_text('mine')
    with pytest.raises(DatasetError, match='found notes.txt, expected a folder that is missing'):
        write_pages(source, out, [0])
    (tmp_path / 'site').mkdir()
    (tmp_path / 'site' / 'index.html').write_text('<title>mine</title>')
    with pytest.raises(DatasetError, match='found no view'):
        write_pages(source, tmp_path / 'site', [0])
    with pytest.raises(DatasetError, match='in or around the dataset'):
        write_pages(source, source.root / 'view', [0])
    assert len(_files(tmp_path / 'site')) == 1 and 'notes.txt' in _files(out)


def test_the_command_line(
    source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first ten are shown unless others are chosen; what does not exist is refused."""
    root = tmp_path / 'many'
    with DatasetWriter.create(root, spec()) as writer:
        for number in range(12):
            episode = writer.begin_episode()
            record(episode, 2, first=10 * number)
            episode.save()
    monkeypatch.chdir(tmp_path)
    assert main(['view', str(root)]) == 0
    assert capsys.readouterr().out == ('many_view/index.html: 10 of 12 episode(s); --episodes '
                                       'chooses others\n')
    index = _Reader(tmp_path / 'many_view/index.html')
    assert [one['href'] for one in index.of('a')] == [
        f'episode-{number:06d}.html' for number in range(10)]
    assert '10 of 12 episodes' in index.texts['p']
    assert main(['view', str(root), '--episodes', '11,2-3', '--output', 'some']) == 0
    links = [one['href'] for one in _Reader(tmp_path / 'some/episode-000003.html').of('a')]
    assert links == ['index.html', 'episode-000002.html', 'episode-000011.html']
    assert main(['view', str(root), '--episodes', '12']) == 1
    assert 'found episode 12, expected 0 to 11' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(['view', str(root), '--episodes', '3-'])


@pytest.fixture(scope='module')
def page(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Start a browser; skip where there is none, unless it is said that there must be one."""
    program = find_browser()
    if program is None:
        text = f'no browser: found none of {", ".join(NAMES)}'
        if os.environ.get('APPRENTICE_BROWSER') == 'required':
            pytest.fail(text)
        pytest.skip(text)
    with browsing(program, tmp_path_factory.mktemp('browser')) as page:
        page.call('Emulation.setDeviceMetricsOverride', width=1280, height=800,
                  deviceScaleFactor=1, mobile=False)
        yield page


def _shown_number(page: Page, place: int) -> int:
    """Read the number that is drawn in a video, from what the browser paints."""
    box = page.evaluate(f'(box => ({{x: box.x, y: box.y, width: box.width, height: box.height}}))'
                        f'(videos[{place}].getBoundingClientRect())')
    data = page.call('Page.captureScreenshot', format='png', clip={**box, 'scale': 1})['data']
    frame, = av.CodecContext.create('png', 'r').decode(av.Packet(base64.b64decode(data)))
    return number_in(frame.to_ndarray(format='rgb24', width=WIDTH, height=HEIGHT))


def test_a_browser_shows_videos_and_curves_at_one_frame(page: Page, view: Path) -> None:
    """Both videos decode; a click into a curve brings both, cursors and values to its frame."""
    page.open(view / 'episode-000001.html')
    page.wait('document.body.dataset.ready == 2')
    state = page.evaluate('({...document.body.dataset})')
    assert state == {'ready': '2', 'failed': '0', 'curves': '8', 'frame': '0'}
    for number in (0, 1):
        width, duration = page.evaluate(
            f'[videos[{number}].videoWidth, videos[{number}].duration]')
        assert width == WIDTH and duration == pytest.approx(20 / FPS, abs=0.002)
    assert page.evaluate('document.title') == 'packed, episode 1'
    area = page.evaluate('(box => [box.x, box.y, box.width, box.height])'
                         '(plots[0].area.getBoundingClientRect())')
    left, right = page.evaluate('[LEFT, RIGHT]')
    for frame in (13, 6, 19, 0):
        page.click(area[0] + left + (area[2] - left - right) * frame / 19, area[1] + area[3] / 2)
        page.wait('videos.every(video => !video.seeking)')
        assert page.evaluate('document.body.dataset.frame') == str(frame)
        assert page.evaluate('slider.value') == str(frame)
        assert page.evaluate('plots[0].lines[0].value.textContent') == str(100 + frame)
        cursor = page.evaluate('plots[3].cursor.getBoundingClientRect().x'
                               ' - plots[3].area.getBoundingClientRect().x')
        assert cursor == pytest.approx(left + (area[2] - left - right) * frame / 19, abs=1)
        assert [_shown_number(page, place) for place in (0, 1)] == [100 + frame, 1100 + frame]
        assert page.evaluate('document.querySelector("#texts dd").textContent') == \
            f'{TASK} {frame // 8}'


def test_a_browser_plays_to_the_end(page: Page, view: Path) -> None:
    """Play moves the cursor with the videos and stops at the last frame; keys step."""
    page.open(view / 'episode-000002.html')
    page.wait('document.body.dataset.ready == 2')
    page.evaluate('play.click()')
    assert page.evaluate('play.textContent') == 'Pause'
    page.wait('play.textContent === "Play"')
    assert page.evaluate('document.body.dataset.frame') == '8'
    assert page.evaluate('videos.every(video => video.paused && video.currentTime > 0.2)')
    assert page.evaluate('plots[3].lines[0].value.textContent') == '2.6667'
    page.evaluate('document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", '
                  'bubbles: true}))')
    assert page.evaluate('document.body.dataset.frame') == '7'


def test_a_browser_shows_episodes_without_videos(page: Page, tmp_path: Path) -> None:
    """Without a camera a clock of the page's own moves the cursor."""
    with DatasetWriter.create(tmp_path / 'data', plain_spec()) as writer:
        episode = writer.begin_episode()
        for number in range(10):
            episode.add({'action': [number]}, {}, 'wave')
        episode.save()
    write_pages(Dataset.open(tmp_path / 'data'), tmp_path / 'out', [0])
    page.open(tmp_path / 'out' / 'episode-000000.html')
    page.evaluate('play.click()')
    page.wait('play.textContent === "Play"')
    assert page.evaluate('document.body.dataset.frame') == '9'


def test_a_browser_says_what_it_cannot_play(page: Page, source: Dataset, tmp_path: Path) -> None:
    """A damaged video is named, and curves and the other video still work."""
    write_pages(source, tmp_path / 'out', [0])
    next((tmp_path / 'out').rglob('*wrist.mp4')).write_bytes(b'no video')
    page.open(tmp_path / 'out' / 'episode-000000.html')
    page.wait('document.body.dataset.ready == 1 && document.body.dataset.failed == 1')
    page.evaluate('show(5, true)')
    page.wait('videos[0].dataset.time > 0')
    assert 'cannot play this video' in page.evaluate('document.body.textContent')
    assert _shown_number(page, 0) == 5
