# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Let lerobot load a dataset from a Hub, or push one; it runs under lerobot's own Python.

    lerobot_hub.py load REPO_ID ROOT [EPISODE ...]    print the `index` of every row it gives
    lerobot_hub.py push REPO_ID ROOT                  `HF_ENDPOINT` says where the Hub is
"""
from __future__ import annotations

import json
import sys

from huggingface_hub import RepoCard
from lerobot.datasets.lerobot_dataset import LeRobotDataset


def main() -> None:
    """Do what the command line says."""
    todo, repo_id, root, *episodes = sys.argv[1:]
    if todo == 'push':
        # Its client has cards checked by the public Hub, whatever HF_ENDPOINT says.
        RepoCard.validate = lambda *_, **__: None
        LeRobotDataset(repo_id, root=root).push_to_hub(license='mit')
        return
    dataset = LeRobotDataset(repo_id, root=root, episodes=[*map(int, episodes)] or None)
    rows = [dataset[number] for number in range(len(dataset))]
    pictures = [name for name, value in rows[0].items() if getattr(value, 'ndim', 0) == 3]
    sys.stdout.write(json.dumps({
        'index': [int(row['index']) for row in rows], 'pictures': sorted(pictures)}) + '\n')


if __name__ == '__main__':
    main()
