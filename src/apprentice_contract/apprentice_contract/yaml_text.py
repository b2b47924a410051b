# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read YAML that came from elsewhere: plain values, no key twice, no anchors."""
from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from apprentice_contract.errors import ContractError
import yaml

MAX_BYTES = 1_000_000


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader that refuses what a contract has no use for."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Refuse aliases: a few lines of them stand for more values than memory holds."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                None, None, 'found an alias, expected the value itself',
                self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that stands twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in getattr(node, 'value', [])]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.constructor.ConstructorError(
                    None, None, f'found the key {key!r} twice, expected it once',
                    node.value[place][0].start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(text: str, where: str) -> object:
    """
    Return what a YAML text holds.

    :param where: name of the file, for errors.
    :raises ContractError: not YAML, too large, a key twice, an alias.
    """
    if len(text) > MAX_BYTES:
        raise ContractError(where, [f'found {len(text)} characters, expected at most {MAX_BYTES}'])
    try:
        return yaml.load(text, _PlainLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ContractError(where, [f'not valid YAML: {" ".join(str(error).split())}']) from error
