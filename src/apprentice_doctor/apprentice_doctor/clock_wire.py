# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Ask another host for its time: datagrams of 64 bytes, signed with a shared token."""
from __future__ import annotations

from dataclasses import dataclass
import hashlib
import hmac
import secrets
import socket
import struct
import time

PORT = 17512
SIZE = 64
_MAGIC = b'clock-1\0'
_NONCE = 24
_TIMES = struct.Struct('>qq')
_SAMPLES = 8
_WAIT_S = 0.5
_SILENCES = 3


@dataclass(frozen=True)
class Offset:
    """How far another clock is ahead of ours, and how sure that is; seconds."""

    offset_s: float
    uncertainty_s: float
    answers: int


def answer(request: bytes, received_ns: int, token: str, ahead_ns: int = 0) -> bytes | None:
    """
    Return the reply to a request, None for what is not one or is not signed.

    :param ahead_ns: how far the clock that stamped `received_ns` is ahead of this host's.
    """
    body, seal = request[:32], request[32:]
    if len(request) != SIZE or not body.startswith(_MAGIC) or not hmac.compare_digest(
            seal, _seal(body, token)):
        return None
    reply = body[8:24] + _TIMES.pack(received_ns, time.time_ns() + ahead_ns)
    return reply + _seal(body + reply, token)


def ask(host: str, token: str, port: int = PORT) -> Offset | None:
    """Return the offset of another host's clock from its quickest answer; None if it is silent."""
    best: tuple[int, int] | None = None
    answers = silences = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(_WAIT_S)
        line.connect((host, port))
        for _ in range(_SAMPLES):
            body = _MAGIC + secrets.token_bytes(_NONCE)
            sent_ns = time.time_ns()
            try:
                line.send(body + _seal(body, token))
                reply = line.recv(SIZE + 1)
            except OSError:
                silences += 1
                if silences == _SILENCES:
                    break
                continue
            back_ns = time.time_ns()
            if len(reply) != SIZE or not hmac.compare_digest(
                    reply[32:], _seal(body + reply[:32], token)):
                continue
            there, left = _TIMES.unpack(reply[16:32])
            answers += 1
            trip = (back_ns - sent_ns) - (left - there)
            offset = ((there - sent_ns) + (left - back_ns)) // 2
            if best is None or trip < best[0]:
                best = trip, offset
    return None if best is None else Offset(best[1] * 1e-9, best[0] * 0.5e-9, answers)


def _seal(data: bytes, token: str) -> bytes:
    return hmac.new(token.encode(), data, hashlib.sha256).digest()
