# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Every reason the guard can give, in one word, with its meaning in a line."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What a reason says: a plain change of state, an intervention, or a refused message."""

    CHANGE = 'change'
    INTERVENTION = 'intervention'
    REFUSAL = 'refusal'


class Reason(Enum):
    """Why the guard did what it did: word, kind, meaning."""

    ACTIVATED = 'activated', Kind.CHANGE, 'the driver was activated; the measured pose is held'
    DEACTIVATED = 'deactivated', Kind.CHANGE, 'the driver was deactivated; the arm stops and holds'
    ACQUIRED = 'acquired', Kind.CHANGE, 'a source became the owner and starts with the ramp'
    RELEASED = 'released', Kind.CHANGE, 'the owner gave the arm up; the arm stops and holds'
    COMMANDED = 'commanded', Kind.CHANGE, 'the owner commands motion'
    CAUGHT_UP = 'caught_up', Kind.CHANGE, 'the ramp ended: every joint reached the owner'
    TRAJECTORY_DONE = 'trajectory_done', Kind.CHANGE, 'a trajectory ran to its end and is held'
    OWNER_SILENT = 'owner_silent', Kind.CHANGE, 'the owner stayed silent; another source may own'
    ESTOP_RESET = 'estop_reset', Kind.CHANGE, 'the emergency stop was reset; acquire to move'
    REBASED = 'rebased', Kind.CHANGE, 'the bus came back; the measured pose is held'

    VELOCITY_CAP = 'velocity_cap', Kind.INTERVENTION, 'faster than the velocity cap; joint lags'
    ACCELERATION_CAP = (
        'acceleration_cap', Kind.INTERVENTION, 'beyond the acceleration cap; the joint lags')
    POSITION_LIMIT = 'position_limit', Kind.INTERVENTION, 'beyond a hard limit; held at the limit'
    OUTSIDE_LIMITS = (
        'outside_limits', Kind.INTERVENTION, 'the arm was found outside a hard limit; inward only')
    RAMP = 'ramp', Kind.INTERVENTION, 'the owner is elsewhere; approached at the engage velocity'
    STREAM_LATE = 'stream_late', Kind.INTERVENTION, 'the next streamed point was late; arm braked'
    STREAM_SILENT = (
        'stream_silent', Kind.INTERVENTION, 'a streamed point was not repeated in time; arm holds')
    LATE_CYCLE = 'late_cycle', Kind.INTERVENTION, 'a bus cycle came late; motion began from rest'
    ESTOP = 'estop', Kind.INTERVENTION, 'emergency stop; latched until reset'
    TWO_PUBLISHERS = (
        'two_publishers', Kind.INTERVENTION, 'the owner has two publishers; the arm stops')

    UNREACHABLE = (
        'unreachable', Kind.INTERVENTION, 'port or motors do not answer; the arm stops and holds')

    NOT_ACTIVE = 'not_active', Kind.REFUSAL, 'the driver is not active'
    SUSPENDED = 'suspended', Kind.REFUSAL, 'motors do not answer; the arm holds until they do'
    ESTOPPED = 'estopped', Kind.REFUSAL, 'the emergency stop is latched'
    UNKNOWN_SOURCE = 'unknown_source', Kind.REFUSAL, 'no such source in source_names'
    SOURCE_REFUSED = 'source_refused', Kind.REFUSAL, 'the source was shut out, by two publishers'
    NOT_OWNER = 'not_owner', Kind.REFUSAL, 'another source owns the arm'
    ACQUIRE_NEEDED = (
        'acquire_needed', Kind.REFUSAL, 'after an emergency stop the arm must be acquired')
    EMPTY = 'empty', Kind.REFUSAL, 'no joint or no point in the message'
    TOO_MANY_POINTS = 'too_many_points', Kind.REFUSAL, 'more points than one message may hold'
    UNKNOWN_JOINT = 'unknown_joint', Kind.REFUSAL, 'a joint that the arm does not have'
    DUPLICATE_JOINT = 'duplicate_joint', Kind.REFUSAL, 'a joint named twice'
    WRONG_LENGTH = 'wrong_length', Kind.REFUSAL, 'as many values as joints are needed'
    NOT_FINITE = 'not_finite', Kind.REFUSAL, 'NaN or infinity'
    OUT_OF_REACH = (
        'out_of_reach', Kind.REFUSAL, 'over a turn outside a hard limit: degrees, not radians?')
    TIME_GOING_BACK = 'time_going_back', Kind.REFUSAL, 'points must be due one after the other'
    OLD_STAMP = 'old_stamp', Kind.REFUSAL, 'stamped before the last message of the same source'
    ALL_DUE = 'all_due', Kind.REFUSAL, 'every point was due before the message arrived'
    TOO_EARLY = 'too_early', Kind.REFUSAL, 'the first point is due too far ahead: clocks disagree?'
    POINTS_DROPPED = 'points_dropped', Kind.REFUSAL, 'points already due, dropped from a message'

    def __init__(self, word: str, kind: Kind, meaning: str) -> None:
        """Name the parts of a member."""
        self.word = word
        self.kind = kind
        self.meaning = meaning


COUNTED = tuple(reason for reason in Reason if reason.kind is not Kind.CHANGE)
"""The reasons that have a counter, in the order of their publication."""
