# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One test for each rule of the sampler."""
from __future__ import annotations

from apprentice_contract.sampler import Sampler
import pytest
from scenarios import camera_stamps
from scenarios import contract
from scenarios import Event
from scenarios import events
from scenarios import instants
from scenarios import MS
from scenarios import PERIOD
from scenarios import run
from scenarios import S
from scenarios import START
from scenarios import steady
from scenarios import with_guard

RELAXED = {'holds': {'in_a_row': 100, 'share': 1.0}}


def test_rows_are_the_reference_samples() -> None:
    """Every sample of the camera is one row, at its own stamp, drift and jitter or not."""
    cam = camera_stamps(90, jitter=0.3, drift=0.02)
    rows, sampler = run(contract(), events(cam))
    assert instants(rows) == cam
    assert [row.index for row in rows] == list(range(90))
    assert sampler.report.accepted and sampler.report.held_rows == 0
    assert sampler.report.streams['cam'].rate_hz == pytest.approx(30 / 1.02, rel=0.01)


def test_an_empty_slot_is_a_gap_that_repeats_the_sample_before() -> None:
    """A missing frame is a held row at the expected stamp, with the true age of what it shows."""
    cam = camera_stamps(200)
    rows, sampler = run(contract(), events(cam[:100] + cam[101:]))
    assert len(rows) == 200
    assert abs(rows[100].instant_ns - cam[100]) < MS
    assert rows[100].held == {'cam'} and rows[100].samples['cam'].stamp_ns == cam[99]
    assert rows[101].held == frozenset()
    report = sampler.report
    assert report.accepted and report.held_rows == 1 and report.streams['cam'].gaps == 1
    assert report.streams['cam'].longest_age_s == pytest.approx(1 / 30, rel=0.01)


def test_of_two_samples_in_a_slot_the_one_nearer_the_centre_is_the_row() -> None:
    """The other is dropped and counted."""
    cam = camera_stamps(60)
    before, after = cam[40] - round(0.3 * PERIOD), cam[45] + round(0.3 * PERIOD)
    rows, sampler = run(contract(), events(sorted([*cam, before, after])))
    assert instants(rows) == cam
    assert sampler.report.streams['cam'].doubled == 2


def test_a_clock_gives_a_grid() -> None:
    """Rows lie at exact multiples of the period from the moment when every stream is there."""
    cam = camera_stamps(300, drift=0.03)
    rows, sampler = run(contract(reference='clock', **RELAXED), events(cam))
    begin = rows[0].instant_ns
    assert begin >= cam[0]
    assert instants(rows) == [begin + k * S // 30 for k in range(len(rows))]
    assert len(rows) > 300, 'a grid over a slower camera repeats frames'


def test_observations_are_the_last_sample_within_the_age_limit() -> None:
    """Never a later one, never one that is too old without saying so."""
    cam = camera_stamps(60)
    arm = steady('arm', 100, START - 50 * MS, cam[30] - 5 * MS) \
        + steady('arm', 100, cam[32] + 5 * MS, cam[-1] + 200 * MS)
    rows, sampler = run(contract(**RELAXED), events(cam, arm=arm))
    known = [event.stamp_ns for event in arm]
    for row in rows:
        newest = max(stamp for stamp in known if stamp <= row.instant_ns)
        assert row.samples['arm'].stamp_ns == newest
        assert ('arm' in row.held) == (row.instant_ns - newest > 30 * MS)
    assert [row.index for row in rows if row.held] == [31, 32]
    assert sampler.report.streams['arm'].gaps == 2


def test_actions_are_the_next_sample_within_max_lead() -> None:
    """The first command at or after the row; an older one only where it says so."""
    cam = camera_stamps(60)
    cmd = steady('cmd', 100, START - 50 * MS, cam[30]) \
        + steady('cmd', 100, cam[32] + 45 * MS, cam[-1] + 200 * MS)
    rows, _ = run(contract(**RELAXED), events(cam, cmd=cmd))
    known = [event.stamp_ns for event in cmd]
    for row in rows:
        following = min(stamp for stamp in known if stamp >= row.instant_ns)
        if following - row.instant_ns <= 40 * MS:
            assert row.samples['cmd'].stamp_ns == following and 'cmd' not in row.held
        else:
            assert row.samples['cmd'] == rows[29].samples['cmd'] and row.held == {'cmd'}
    assert [row.index for row in rows if row.held] == [30, 31, 32]


def test_a_command_at_the_row_itself_is_the_next() -> None:
    """Stamps may be equal."""
    cam = camera_stamps(30)
    cmd = [Event(stamp + MS, 'cmd', stamp) for stamp in (*cam, cam[-1] + 30 * MS)]
    rows, _ = run(contract(**RELAXED), events(cam, cmd=cmd))
    assert [row.samples['cmd'].stamp_ns for row in rows] == cam


def test_a_row_is_final_when_every_stream_has_shown_a_later_sample() -> None:
    """Not before, and then at once."""
    sampler = Sampler(contract())
    for stream, stamp in (('arm', -5), ('cmd', 0), ('cam', 0), ('arm', 5), ('cam', 33)):
        rows = sampler.push(stream, START + stamp * MS, START + 50 * MS, None)
        assert rows == [], 'no command is later than the row'
    rows = sampler.push('cmd', START + 10 * MS, START + 50 * MS, None)
    assert instants(rows) == [START]


def test_a_row_is_final_when_its_lateness_has_passed() -> None:
    """150 ms after its receipt, by the time of receipt alone, whatever the stamps say."""
    sampler = Sampler(contract())
    for stream, stamp in (('arm', -5), ('cmd', 5), ('cam', 0)):
        sampler.push(stream, START + stamp * MS, START + 10 * S, None)
    assert sampler.advance(START + 10 * S + 150 * MS) == []
    assert instants(sampler.advance(START + 10 * S + 150 * MS + 1)) == [START]


def test_a_row_is_decided_before_a_message_after_its_deadline_is_taken_in() -> None:
    """So it makes no difference whether somebody asked in between."""
    sampler = Sampler(contract())
    for stream, stamp in (('arm', -20), ('cmd', 5), ('cam', 0)):
        sampler.push(stream, START + stamp * MS, START, None)
    rows = sampler.push('arm', START - 1 * MS, START + 151 * MS, None)
    assert rows[0].samples['arm'].stamp_ns == START - 20 * MS
    report = sampler.report
    assert report.streams['arm'].late == 1
    assert any('arm: 1 samples came after' in mark for mark in report.marks)
    assert report.accepted


def test_a_late_sample_is_counted_and_marks_the_episode() -> None:
    """A frame, a state and a command that come after their row was final."""
    cam = camera_stamps(60)
    pushed = events(cam)
    late = []
    for stream in ('cam', 'arm', 'cmd'):
        mine = [event for event in pushed if event.stream == stream]
        late.append(mine[len(mine) // 2])
    kept = [event for event in pushed if event not in late]
    kept += [Event(event.received_ns + 300 * MS, *event[1:]) for event in late]
    rows, sampler = run(contract(**RELAXED), sorted(kept))
    assert len(rows) == 60
    assert {name: stream.late for name, stream in sampler.report.streams.items()} == {
        'cam': 1, 'arm': 1, 'cmd': 1}
    assert len(sampler.report.marks) == 3
    assert sampler.report.streams['cam'].doubled == 0


def test_samples_out_of_order_are_sorted_in_while_their_row_is_open() -> None:
    """Two commands change places; the row takes the one that is right by its stamp."""
    cam = camera_stamps(30)
    cmd = steady('cmd', 100, START - 50 * MS, cam[-1] + 200 * MS)
    place = next(k for k, event in enumerate(cmd) if event.stamp_ns > cam[10])
    swapped = list(cmd)
    swapped[place] = cmd[place]._replace(received_ns=cmd[place + 1].received_ns + 1)
    rows, sampler = run(contract(), events(cam, cmd=swapped))
    assert rows[10].samples['cmd'].stamp_ns == cmd[place].stamp_ns
    assert sampler.report.streams['cmd'].out_of_order == 1
    assert sampler.report.streams['cmd'].late == 0


@pytest.mark.parametrize(('lost', 'accepted'), [(3, True), (4, False)])
def test_more_than_three_held_rows_in_a_row_refuse_the_episode(lost: int, accepted: bool) -> None:
    """With few enough of them among all rows, the length alone decides."""
    cam = camera_stamps(600)
    rows, sampler = run(contract(), events(cam[:300] + cam[300 + lost:]))
    assert len(rows) == 600 and sampler.report.longest_hold == lost
    assert sampler.report.accepted is accepted
    if not accepted:
        assert '4 rows in a row' in sampler.report.refusals[0]
        assert 'cam 4' in sampler.report.refusals[0]


@pytest.mark.parametrize(('lost', 'accepted'), [(6, True), (7, False)])
def test_more_than_one_percent_of_held_rows_refuse_the_episode(lost: int, accepted: bool) -> None:
    """Each alone, so that the share decides."""
    cam = camera_stamps(600)
    gone = {50 + 70 * k for k in range(lost)}
    rows, sampler = run(contract(), events([s for k, s in enumerate(cam) if k not in gone]))
    assert len(rows) == 600 and sampler.report.held_rows == lost
    assert sampler.report.accepted is accepted
    assert accepted or '7 of 600 rows' in sampler.report.refusals[0]


def test_frozen_means_that_stamps_stop() -> None:
    """Messages that repeat a stamp are no samples: the rows hold, and the episode is refused."""
    cam = camera_stamps(60)
    arm = [event if event.stamp_ns < cam[30] else event._replace(stamp_ns=cam[30])
           for event in steady('arm', 100, START - 50 * MS, cam[-1] + 200 * MS)]
    rows, sampler = run(contract(), events(cam, arm=arm))
    assert all(('arm' in row.held) == (row.index > 30) for row in rows)
    assert sampler.report.streams['arm'].repeated > 90
    assert not sampler.report.accepted


def test_stamps_that_jump_ahead_end_the_rows() -> None:
    """What comes after a clock was set cannot be joined; what was before stays."""
    cam = camera_stamps(60)
    pushed = [event if event.stream != 'arm' or event.stamp_ns < cam[40]
              else event._replace(stamp_ns=event.stamp_ns + 10 * S) for event in events(cam)]
    rows, sampler = run(contract(), pushed)
    assert instants(rows) == cam[:len(rows)] and 39 <= len(rows) <= 41
    assert sampler.report.streams['arm'].clock_jumps == 1
    assert not sampler.report.accepted and 'arm: its clock was set' in sampler.report.refusals[0]


def test_stamps_that_jump_back_end_the_rows() -> None:
    """The same for a clock that is set back, of the reference too."""
    cam = camera_stamps(60)
    pushed = [event if event.stream != 'cam' or event.stamp_ns < cam[40]
              else event._replace(stamp_ns=event.stamp_ns - 10 * S) for event in events(cam)]
    rows, sampler = run(contract(), pushed)
    assert instants(rows) == cam[:40]
    assert sampler.report.streams['cam'].clock_jumps == 1 and not sampler.report.accepted


@pytest.mark.parametrize('stream', ['arm', 'cam'])
@pytest.mark.parametrize('by', [-10 * S, 10 * S])
def test_a_jump_before_the_first_row_begins_anew(stream: str, by: int) -> None:
    """Nothing was recorded yet, so nothing is lost but the mark."""
    cam = camera_stamps(60)
    early = [Event(START - 900 * MS, stream, START - 900 * MS + by)]
    rows, sampler = run(contract(), sorted([*early, *events(cam)]))
    assert instants(rows) == cam[stream == 'cam':]
    report = sampler.report
    assert report.accepted and report.streams[stream].clock_jumps == 1 and report.marks


def test_a_stall_is_no_clock_jump() -> None:
    """A second without messages that then come all at once: late, but joined."""
    cam = camera_stamps(90)
    stall = cam[30] + S
    pushed = sorted(event._replace(received_ns=max(event.received_ns, stall))
                    if cam[30] < event.stamp_ns < stall else event for event in events(cam))
    rows, sampler = run(contract(), pushed)
    assert instants(rows) == cam
    assert all(s.clock_jumps == 0 for s in sampler.report.streams.values())


def test_a_reference_that_stays_away_too_long_ends_the_rows() -> None:
    """Two seconds without a frame are not filled up with repetitions."""
    cam = camera_stamps(200)
    rows, sampler = run(contract(), events(cam[:60] + cam[130:]))
    assert instants(rows) == cam[:60]
    assert 'cam: nothing for more than 2 s' in sampler.report.refusals[0]


def test_the_first_row_has_a_valid_sample_of_every_stream() -> None:
    """Frames before that are skipped, not filled up."""
    cam = camera_stamps(60)
    end = cam[-1] + 200 * MS
    rows, sampler = run(contract(), events(
        cam, arm=steady('arm', 100, cam[7] + 1, end), cmd=steady('cmd', 100, cam[4] + 1, end)))
    assert instants(rows) == cam[8:]
    assert rows[0].held == frozenset() and None not in rows[0].samples.values()
    assert sampler.report.skipped == 8


def test_rows_at_the_end_without_an_action_are_cut() -> None:
    """Commands stop half a second before the episode is ended."""
    cam = camera_stamps(60)
    cmd = steady('cmd', 100, START - 50 * MS, cam[45])
    for seed in (None, 1, 2):
        rows, sampler = run(contract(), events(cam, cmd=cmd), seed)
        assert instants(rows) == cam[:45]
        assert sampler.report.accepted and sampler.report.cut == 15


@pytest.mark.parametrize('seed', [None, 1, 2])
def test_an_outage_of_actions_longer_than_the_tail_ends_the_rows(seed: int | None) -> None:
    """Rows wait a second; if commands come back after that, the episode is refused."""
    cam = camera_stamps(120)
    cmd = steady('cmd', 100, START - 50 * MS, cam[30])
    rows, sampler = run(contract(), events(cam, cmd=cmd), seed)
    assert instants(rows) == cam[:30]
    assert sampler.report.accepted and sampler.report.cut == 90
    for back in (60, 63):
        again = cmd + steady('cmd', 100, cam[back] - 5 * MS, cam[-1] + 200 * MS)
        rows, sampler = run(contract(**RELAXED), events(cam, cmd=again), seed)
        assert sampler.report.accepted == (back == 60)
        assert instants(rows) == (cam if back == 60 else cam[:30])
    assert 'no action for more than 1000 ms; the rows end there, after 30' in \
        sampler.report.refusals[0]


def test_a_late_command_is_counted_though_its_row_had_none() -> None:
    """It would have been the action of a row that is final."""
    sampler = Sampler(contract())
    for stream, stamp in (('arm', -5), ('cmd', 2), ('cam', 0), ('cam', 33), ('arm', 31)):
        sampler.push(stream, START + stamp * MS, START + 40 * MS, None)
    sampler.push('cmd', START + 45 * MS, START + 191 * MS, None)
    assert sampler.report.streams['cmd'].late == 1


def test_latched_state_has_no_age() -> None:
    """The last one told before the row, however long ago; a change shows in the row after it."""
    cam = camera_stamps(30)
    guard = [Event(START - 40 * MS, 'guard', START - 3600 * S),
             Event(cam[20] + 2 * MS, 'guard', cam[20] + 1 * MS)]
    rows, sampler = run(with_guard(), events(cam, guard=guard))
    assert len(rows) == 30 and sampler.report.accepted
    assert {row.samples['guard'].stamp_ns for row in rows[:21]} == {START - 3600 * S}
    assert {row.samples['guard'].stamp_ns for row in rows[21:]} == {cam[20] + 1 * MS}


def test_a_stream_that_never_comes_is_named() -> None:
    """An episode without a row says why."""
    _, sampler = run(contract(), events(camera_stamps(30), arm=[]))
    assert sampler.report.refusals == ('no row: nothing came on arm',)


def test_another_rate_is_marked() -> None:
    """The arm tells at 60 Hz what the contract has at 100."""
    cam = camera_stamps(60)
    arm = steady('arm', 60, START - 50 * MS, cam[-1] + 200 * MS)
    _, sampler = run(contract(), events(cam, arm=arm))
    assert sampler.report.marks == ('arm: 60.00 Hz, expected 100 Hz within 5%',)


def test_unknown_streams_and_ended_episodes_are_errors() -> None:
    """Both say what is right."""
    sampler = Sampler(contract())
    with pytest.raises(ValueError, match="'leg'.*expected one of cam, arm, cmd"):
        sampler.push('leg', START, START, None)
    assert sampler.finish() == [] and sampler.finish() == []
    with pytest.raises(ValueError, match='has ended'):
        sampler.push('cam', START, START, None)


def test_memory_does_not_grow_while_the_reference_is_silent() -> None:
    """Streams beside a dead camera keep some seconds at most."""
    sampler = Sampler(contract())
    for event in steady('arm', 100, START, START + 60 * S):
        sampler.push(event.stream, event.stamp_ns, event.received_ns, None)
    assert len(sampler._streams['arm'].stamps) < 400


def test_a_stamp_that_comes_twice_out_of_order_is_one_sample() -> None:
    """The first message with a stamp counts, wherever it stands."""
    sampler = Sampler(contract())
    for stamp, name in ((0, 'a'), (20, 'b'), (10, 'c'), (10, 'd'), (20, 'e')):
        sampler.push('cmd', START + stamp * MS, START + 30 * MS, name)
    found = sampler.report.streams['cmd']
    assert (found.samples, found.repeated, found.out_of_order) == (5, 2, 1)
    assert sampler._streams['cmd'].samples == ['a', 'c', 'b']


def test_frames_that_change_places_are_rows_in_the_order_of_their_stamps() -> None:
    """While another stream keeps their rows open."""
    cam = camera_stamps(60)
    pushed = [event._replace(received_ns=event.received_ns + 60 * MS)
              if event.stream == 'arm' else event for event in events(cam)]
    frames = [event for event in pushed if event.stream == 'cam']
    for first in (20, 40):
        pushed.remove(frames[first])
        pushed.append(frames[first]._replace(received_ns=frames[first + 1].received_ns + MS))
    rows, sampler = run(contract(), sorted(pushed))
    assert instants(rows) == cam and sampler.report.held_rows == 0
    assert sampler.report.streams['cam'].out_of_order == 2
