# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a dataset recorded by a contract holds."""
from __future__ import annotations

from collections.abc import Sequence

from apprentice_contract.contract import Contract
from apprentice_contract.contract import Part
from apprentice_contract.message_types import Naming
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature

ACTION = 'action'
OFFSET = 'sync.offset_s'
STAMP = 'sync.stamp_ns'
HELD = 'sync.held'
GUARD = 'sync.guard'


def dataset_spec(contract: Contract) -> DatasetSpec:
    """Return the features in the order of the file: vectors, action, cameras, sync columns."""
    features = {key: _vector(contract, parts) for key, parts in contract.vectors.items()}
    features[ACTION] = _vector(contract, contract.action)
    for key, camera in contract.cameras.items():
        features[key] = Feature(
            'video', (camera.height, camera.width, 3), ['height', 'width', 'channels'])
    if contract.sync_columns:
        names = offset_streams(contract)
        features[OFFSET] = Feature('float32', (len(names),), names)
        features[STAMP] = Feature('int64', (1,))
        features[HELD] = Feature('bool', (1,))
        if contract.guards:
            arms = None if isinstance(contract.guard, str) else list(contract.guard)
            features[GUARD] = Feature('int64', (len(contract.guards),), arms)
    return DatasetSpec(contract.fps, contract.robot_type, features)


def offset_streams(contract: Contract) -> list[str]:
    """Return the streams whose distance from the row is told: all but latched ones."""
    return [name for name, stream in contract.streams.items() if not stream.latched]


def is_text(contract: Contract, parts: Sequence[Part]) -> bool:
    """Tell whether a feature holds a text."""
    return contract.declared[parts[0].stream].message.naming is Naming.TEXT


def _vector(contract: Contract, parts: Sequence[Part]) -> Feature:
    if is_text(contract, parts):
        return Feature('string', (1,))
    names = [name for part in parts for name in part.names]
    return Feature('float32', (len(names),), names)
