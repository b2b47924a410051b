# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""From rows of messages to what a dataset takes."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from apprentice_contract.codecs import PartReader
from apprentice_contract.codecs import read_text
from apprentice_contract.contract import Contract
from apprentice_contract.contract import Part
from apprentice_contract.features import ACTION
from apprentice_contract.features import GUARD
from apprentice_contract.features import HELD
from apprentice_contract.features import is_text
from apprentice_contract.features import OFFSET
from apprentice_contract.features import offset_streams
from apprentice_contract.features import STAMP
from apprentice_contract.pictures import picture
from apprentice_contract.sampler import Row
from apprentice_dataset.images import Picture
import numpy as np


class Frame(NamedTuple):
    """Values and pictures of a row, by feature; None for a picture that repeats the last one."""

    values: Mapping[str, Any]
    images: Mapping[str, Picture | None]


class Assembler:
    """Make frames of one episode's rows, in their order."""

    def __init__(self, contract: Contract) -> None:
        """
        Prepare a reader for each part.

        :raises ContractError: a unit still lacks the calibrated range of a joint.
        """
        self._contract = contract
        self._texts: dict[str, str] = {}
        self._vectors: dict[str, list[tuple[str, PartReader]]] = {}
        for key, parts in (*contract.vectors.items(), (ACTION, contract.action)):
            self._prepare(key, parts)
        self._offsets = offset_streams(contract)
        self._shown: dict[str, int] = {}
        self._begin_ns: int | None = None

    def frame(self, row: Row) -> Frame:
        """
        Return a row's values (float32 vectors in the contract's units, sync columns) and pictures.

        :raises CodecError: a message does not hold what the contract says.
        """
        values: dict[str, Any] = {
            key: np.concatenate([reader.values(_message(row, stream))
                                 for stream, reader in readers])
            for key, readers in self._vectors.items()}
        for key, stream in self._texts.items():
            values[key] = read_text(_message(row, stream), self._contract.streams[stream])
        if self._contract.sync_columns:
            values.update(self._sync(row))
        return Frame(values, {
            key: self._picture(key, row) for key in self._contract.cameras})

    def _prepare(self, key: str, parts: Sequence[Part]) -> None:
        if is_text(self._contract, parts):
            self._texts[key] = parts[0].stream
        else:
            self._vectors[key] = [
                (part.stream, PartReader(part, self._contract.streams[part.stream]))
                for part in parts]

    def _sync(self, row: Row) -> dict[str, Any]:
        if self._begin_ns is None:
            self._begin_ns = row.instant_ns
        offsets = [_stamp(row, name) - row.instant_ns for name in self._offsets]
        values: dict[str, Any] = {
            OFFSET: (np.array(offsets, np.float64) * 1e-9).astype(np.float32),
            STAMP: row.instant_ns - self._begin_ns,
            HELD: bool(row.held)}
        states = [int(_message(row, name).state) for name in self._contract.guards]
        if isinstance(self._contract.guard, str):
            return {**values, GUARD: states[0]} if states else values
        return {**values, GUARD: np.array(states, np.int64)}

    def _picture(self, key: str, row: Row) -> Picture | None:
        camera = self._contract.cameras[key]
        stamp = _stamp(row, camera.stream)
        if self._shown.get(key) == stamp:
            return None
        self._shown[key] = stamp
        return picture(_message(row, camera.stream), camera,
                       self._contract.streams[camera.stream])


def _message(row: Row, stream: str) -> Any:
    sample = row.samples[stream]
    if sample is None:
        raise ValueError(f'row {row.index}: stream {stream} has no sample')
    return sample.sample


def _stamp(row: Row, stream: str) -> int:
    sample = row.samples[stream]
    if sample is None:
        raise ValueError(f'row {row.index}: stream {stream} has no sample')
    return sample.stamp_ns
