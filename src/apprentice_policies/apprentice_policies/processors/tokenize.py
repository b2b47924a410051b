# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn tasks into tokens, by a tokenizer.json that is already on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import json
import os
from pathlib import Path
import re
from typing import Any
from typing import ClassVar

from apprentice_policies.errors import PolicyError
from apprentice_policies.processors.step import Batch
from apprentice_policies.processors.step import OBSERVATION
from apprentice_policies.processors.step import Step
from apprentice_policies.processors.step import tasks
import torch
from torch import Tensor

TOKENS = 'observation.language.tokens'
MASK = 'observation.language.attention_mask'
_FILE = 'tokenizer.json'
_REPOSITORY = re.compile(r'[\w-][\w.-]*/[\w-][\w.-]*', re.ASCII)


@dataclass
class Tokenize(Step):
    """Write the task's tokens, int64 (B, L), and which of them are no padding, bool (B, L)."""

    NAME: ClassVar[str] = 'tokenizer_processor'
    ARTIFACTS: ClassVar[tuple[str, ...]] = ('tokenizer_name',)
    max_length: int = 512
    task_key: str = 'task'
    padding_side: str = 'right'
    padding: str = 'max_length'
    truncation: bool = True
    tokenizer_name: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the library has no word for."""
        for name, allowed in (('padding', ('max_length', 'longest')),
                              ('padding_side', ('left', 'right'))):
            if getattr(self, name) not in allowed:
                raise PolicyError(f'{name}: found {getattr(self, name)!r}, expected '
                                  f'{" or ".join(allowed)}')
        if not isinstance(self.max_length, int) or self.max_length < 1:
            raise PolicyError(f'max_length: found {self.max_length!r}, expected a number from 1')

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with tokens and mask, where its first observation is."""
        device = next((value.device for key, value in batch.items()
                       if key.startswith(OBSERVATION) and isinstance(value, Tensor)), None)
        found = self._encoded(tasks({'task': batch.get(self.task_key)}))
        out = {**batch, TOKENS: found[0].to(device), MASK: found[1].to(device)}
        if batch.get('subtask') is not None:
            found = self._encoded(tasks({'task': batch['subtask']}))
            out['observation.subtask.tokens'] = found[0].to(device)
            out['observation.subtask.attention_mask'] = found[1].to(device)
        return out

    def prepare(self) -> None:
        """Read the tokenizer's files."""
        self._tokenizer  # noqa: B018

    def _encoded(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        encoded = self._tokenizer.encode_batch(texts)
        return (torch.tensor([one.ids for one in encoded], dtype=torch.int64),
                torch.tensor([one.attention_mask for one in encoded], dtype=torch.bool))

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise PolicyError('found no package tokenizers, which this policy needs to read the '
                              'task; pip install tokenizers') from None
        folder = find_tokenizer(str(self.artifacts.get('tokenizer_name', self.tokenizer_name)))
        try:
            tokenizer = Tokenizer.from_str((folder / _FILE).read_text('utf-8'))
        except Exception as error:  # The library raises nothing narrower.
            raise PolicyError(f'{folder / _FILE}: not a tokenizer: {error}') from None
        settings = _settings(folder)
        tokenizer.no_truncation()
        if self.truncation:
            tokenizer.enable_truncation(self.max_length,
                                        direction=settings.get('truncation_side', 'right'))
        pad = _pad_token(folder, settings)
        number = tokenizer.token_to_id(pad)
        if number is None:
            raise PolicyError(f'{folder}: found padding token {pad!r}, expected one of its '
                              'vocabulary')
        tokenizer.enable_padding(
            direction=self.padding_side, pad_id=number, pad_token=pad,
            length=self.max_length if self.padding == 'max_length' else None)
        return tokenizer


def find_tokenizer(name: str | None) -> Path:
    """
    Return the folder of a tokenizer: a path, or a repository in the Hub's local cache.

    Nothing is downloaded and no code of a repository is run.
    """
    folder = Path(name or '').expanduser()
    if name and (folder / _FILE).is_file():
        return folder
    cached = _snapshot(name) if name and _REPOSITORY.fullmatch(name) else None
    if cached:
        return cached
    raise PolicyError(f'tokenizer_name: found {name!r}, expected a folder with {_FILE} or a '
                      f'repository in the local cache of the Hub; run `hf download {name}` once, '
                      'or name a folder')


def _snapshot(name: str) -> Path | None:
    home = Path(os.environ.get('HF_HOME') or '~/.cache/huggingface')
    cache = Path(os.environ.get('HF_HUB_CACHE') or home / 'hub').expanduser()
    repository = cache / f'models--{name.replace("/", "--")}'
    found = sorted(repository.glob(f'snapshots/*/{_FILE}'), key=lambda path: path.stat().st_mtime)
    try:
        main = repository / 'snapshots' / (repository / 'refs' / 'main').read_text().strip()
    except OSError:
        main = repository
    # What branch main stood for at the last download, else the newest.
    return main if (main / _FILE).is_file() else found[-1].parent if found else None


def _settings(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ('special_tokens_map.json', 'tokenizer_config.json'):
        try:
            found |= json.loads((folder / name).read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError) as error:
            raise PolicyError(f'{folder / name}: {error}; expected a JSON object') from None
    return found


def _pad_token(folder: Path, settings: dict[str, Any]) -> str:
    pad = settings.get('pad_token')
    pad = pad.get('content') if isinstance(pad, dict) else pad
    if not isinstance(pad, str):
        raise PolicyError(f'{folder / "tokenizer_config.json"}: pad_token: found {pad!r}, '
                          'expected the token that fills short tasks up')
    return pad
