# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Let lerobot make and read checkpoints of policies; it runs under lerobot's own Python.

    make_policies.py make FOLDER POLICY SEED ...    a checkpoint and its outputs for every case
    make_policies.py read FOLDER                    outputs of the checkpoints in there, by lerobot
    make_policies.py golden [POLICY ...]            remake src/apprentice_policies/test/golden/
"""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import sys
import tempfile
from typing import Any

os.environ.setdefault('HF_HUB_OFFLINE', '1')
TESTS = Path(__file__).resolve().parents[2] / 'src' / 'apprentice_policies' / 'test'
sys.path.insert(0, str(TESTS))

from lerobot.configs import FeatureType  # noqa: E402
from lerobot.configs import PolicyFeature  # noqa: E402
from lerobot.policies import get_policy_class  # noqa: E402
from lerobot.policies import make_policy_config  # noqa: E402
from lerobot.policies import make_pre_post_processors  # noqa: E402
import numpy as np  # noqa: E402
from policy_cases import Case  # noqa: E402
from policy_cases import CASES  # noqa: E402
from policy_cases import CLIP  # noqa: E402
from policy_cases import statistics  # noqa: E402
from policy_parity import as_tensors  # noqa: E402
from policy_parity import record  # noqa: E402
from policy_parity import rule_weights  # noqa: E402
from policy_parity import Side  # noqa: E402
import torch  # noqa: E402

OUTPUTS = 'outputs.npz'
MODEL = 'pretrained_model'


def build(case: Case, seed: int) -> Side:
    """Return lerobot's policy with weights made by the rule, beside the current folder's CLIP."""
    if case.policy == 'multi_task_dit':
        make_clip(CLIP)
    inputs, outputs = ({key: PolicyFeature(FeatureType(kind), shape)
                        for key, (kind, shape) in features.items()}
                       for features in (case.inputs(), case.outputs()))
    config = make_policy_config(case.policy, **case.config, input_features=inputs,
                                output_features=outputs, device='cpu', push_to_hub=False)
    policy = get_policy_class(case.policy)(config)
    rule_weights(policy, seed)
    pre, post = make_pre_post_processors(config, dataset_stats={
        key: as_tensors(values) for key, values in statistics(case, seed).items()})
    return side(policy, pre, post)


def side(policy: Any, pre: Any, post: Any) -> Side:
    """Return a policy of lerobot as the shared code calls it."""
    return Side(policy, pre, post, policy.predict_action_chunk, policy.get_optim_params)


def save(folder: str, found: Side) -> None:
    """Write a checkpoint as lerobot does."""
    for part in (found.policy, found.pre, found.post):
        part.save_pretrained(folder)


def load(folder: str) -> Side:
    """Read a checkpoint as lerobot does."""
    kind = json.loads(Path(folder, 'config.json').read_text())['type']
    policy = get_policy_class(kind).from_pretrained(folder)
    pre, post = make_pre_post_processors(policy.config, pretrained_path=str(folder))
    return side(policy, pre, post)


def make_clip(folder: str) -> None:
    """Write a CLIP of a few thousand weights and a tokenizer of single bytes."""
    from tokenizers import models
    from tokenizers import pre_tokenizers
    from tokenizers import Tokenizer
    from transformers import CLIPConfig
    from transformers import CLIPModel
    from transformers import PreTrainedTokenizerFast
    sizes = {'hidden_size': 32, 'intermediate_size': 64, 'num_hidden_layers': 2,
             'num_attention_heads': 4}
    CLIPModel(CLIPConfig(
        text_config={**sizes, 'vocab_size': 300, 'bos_token_id': 0, 'eos_token_id': 1,
                     'pad_token_id': 1},
        vision_config={**sizes, 'image_size': 64, 'patch_size': 16})).save_pretrained(folder)
    begin, end = '<|startoftext|>', '<|endoftext|>'
    symbols = [begin, end, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    core = Tokenizer(models.BPE(vocab={text: n for n, text in enumerate(symbols)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    PreTrainedTokenizerFast(tokenizer_object=core, bos_token=begin, eos_token=end, pad_token=end,
                            model_max_length=77).save_pretrained(folder)


def make(folder: Path, policy: str, seeds: list[int]) -> None:
    """Write FOLDER/NAME/SEED/pretrained_model and what lerobot's policy does, for every case."""
    for name, case in CASES[policy].items():
        for seed in seeds:
            with inside(folder / name / str(seed)):
                found = build(case, seed)
                save(MODEL, found)
                np.savez(OUTPUTS, **record(found, case, seed))


def read(folder: Path) -> None:
    """Write what lerobot's policies do with the checkpoints of FOLDER/NAME/SEED."""
    for model in sorted(folder.glob(f'*/*/{MODEL}')):
        with inside(model.parent):
            found = load(MODEL)
            case = CASES[found.policy.config.type][model.parent.parent.name]
            np.savez(OUTPUTS, **record(found, case, int(model.parent.name)))


def golden(policy: str) -> None:
    """Write outputs of the altered case and the checkpoint's texts, with pictures thinned."""
    with tempfile.TemporaryDirectory() as folder, inside(Path(folder)):
        case = CASES[policy]['altered']
        found = build(case, 0)
        save(MODEL, found)
        outputs = record(found, case, 0)
        for name, value in outputs.items():
            if name.startswith('processed/') and value.shape[-3:-2] == (3,):
                outputs[name] = value[..., ::16, ::16]
        texts = {f'files/{path}': np.array(path.read_text()) for path in Path().rglob('*.json')}
        np.savez_compressed(TESTS / 'golden' / f'{policy}.npz', **outputs, **texts)


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        yield


def main() -> None:
    """Do what the command line says, on one thread, which makes sums repeatable."""
    torch.set_num_threads(1)
    todo, *rest = sys.argv[1:]
    if todo == 'make':
        make(Path(rest[0]), rest[1], [int(seed) for seed in rest[2:]])
    elif todo == 'read':
        read(Path(rest[0]))
    else:
        for policy in rest or CASES:
            golden(policy)


if __name__ == '__main__':
    main()
