# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Each check refuses what it is for, in a sentence with what was found and expected."""
from __future__ import annotations

from dataclasses import replace

from apprentice_recorder import preflight
from apprentice_recorder.monitor import StreamHealth
from apprentice_recorder.preflight import Diagnostic
import pytest

GOOD = StreamHealth('front', '/front/image_raw', 30.0, 30.0, 0.03, 0.01, 100, 0, False)


def check(**changes: object) -> str:
    """Return the finding of a stream with these differences, empty if there is none."""
    finding = preflight.check_stream(replace(GOOD, **changes), 0.05, 0.02)
    return finding.text if finding else ''


def test_a_good_stream_passes() -> None:
    """Nothing is said where nothing is wrong, nor of a stream without a rate."""
    assert check() == ''
    assert check(expected_hz=0.0, rate_hz=0.0, age_s=3600.0, delay_s=None) == ''
    assert check(expected_hz=0.0, rate_hz=0.0, frozen=True) == ''


@pytest.mark.parametrize(('changes', 'words'), [
    ({'age_s': None, 'samples': 0}, 'nothing has come'),
    ({'frozen': True}, 'stamps stand still'),
    ({'age_s': 2.0, 'delay_s': None, 'rate_hz': 0.0}, 'silent for 2.0 s'),
    ({'delay_s': -0.05}, '50 ms ahead'),
    ({'rate_hz': 15.0}, 'at 15.0 Hz, expected 30 Hz within 5%'),
    ({'rate_hz': 60.0}, 'at 60.0 Hz'),
])
def test_each_fault_is_named(changes: dict[str, object], words: str) -> None:
    """The stream and its topic stand in front."""
    text = check(**changes)
    assert words in text
    assert text.startswith('front (/front/image_raw): ')


def test_a_slow_pipeline_is_no_silence() -> None:
    """A camera whose pictures take 600 ms on their way is late, not silent."""
    assert check(age_s=0.64, delay_s=0.6) == ''


def test_the_disk_must_hold_five_minutes() -> None:
    """At the present rate."""
    assert preflight.check_disk(10**9, 10e6) is None
    assert 'room for 2.0 minutes' in preflight.check_disk(20 * 10**6, 10e6).text


def test_a_slow_machine_is_refused() -> None:
    """Two cameras at 30 Hz and 10 ms a picture fit two cores; 50 ms do not."""
    assert preflight.check_encoders([0.010, 0.010], 30.0, 2) is None
    assert '3.9 cores' in preflight.check_encoders([0.050, 0.050], 30.0, 2).text
    assert preflight.check_encoders([0.030], 30.0, 8) is not None, 'a camera has one thread'


def test_diagnostics_block_on_error_stale_and_absence_only() -> None:
    """WARN is shown; names that the contract does not list do not count."""
    seen = {
        '/follower/feetech_driver: bus': Diagnostic(preflight.WARN, 'packet errors', 0.1),
        '/follower/feetech_driver: elbow': Diagnostic(preflight.ERROR, 'too hot', 0.1),
        '/front/camera': Diagnostic(preflight.OK, 'ok', 9.0),
        '/other': Diagnostic(preflight.ERROR, 'not ours', 0.1),
    }
    findings = preflight.check_diagnostics(
        ['/follower/feetech_driver', '/front/camera', '/wrist/camera'], seen)
    assert preflight.warnings(findings) == ['/follower/feetech_driver: bus: packet errors']
    blocks = preflight.blocks(findings)
    assert len(blocks) == 3
    assert any('elbow: ERROR: too hot' in text for text in blocks)
    assert any('/front/camera: stale for 9 s' in text for text in blocks)
    assert any('/wrist/camera: none has come' in text for text in blocks)


@pytest.mark.parametrize(('namespace', 'node'), [('/', '/arm'), ('/lab', '/lab/arm'),
                                                 ('/lab/left', '/lab/left/arm')])
def test_a_relative_name_of_diagnostics_moves_with_the_namespace(
    namespace: str, node: str,
) -> None:
    """Another robot's node is not meant; a name told without its namespace is."""
    bad = Diagnostic(preflight.ERROR, 'too hot', 0.1)
    for name in (node, f'{node}: bus', 'arm: bus'):
        findings = preflight.check_diagnostics(['arm'], {name: bad, '/x/arm': bad}, namespace)
        assert preflight.blocks(findings) == [f'diagnostics of {name}: ERROR: too hot']
    [missing] = preflight.check_diagnostics(['arm'], {'/x/arm': bad}, namespace)
    assert f'diagnostics of {node}: none has come' in missing.text
