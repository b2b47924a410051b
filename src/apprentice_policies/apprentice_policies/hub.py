# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Push checkpoints to the Hub and pull them: safetensors and text, never a pickle."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
import io
from pathlib import Path
import re
import shutil
from typing import Any
from typing import NamedTuple

from apprentice_dataset.errors import HubError
from apprentice_dataset.hub import check_repo_id
from apprentice_dataset.hub import client
from apprentice_dataset.hub import digest
from apprentice_dataset.hub import hub_errors
from apprentice_dataset.hub import RemoteFile
from apprentice_policies.card import MADE
from apprentice_policies.card import README
from apprentice_policies.card import render_card
from apprentice_policies.checkpoint import find_checkpoint
from apprentice_policies.checkpoint import WEIGHTS_FILE
from apprentice_policies.config import CONFIG_FILE
from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.folders import replacing
from apprentice_policies.processors import POSTPROCESSOR
from apprentice_policies.processors import PREPROCESSOR

# Beside the checkpoint, or in a folder of a tokenizer; no name can lead elsewhere.
_NAME = re.compile(r'(?:\w[\w-]*/)?\w[\w.-]*\.(?:safetensors|json|yaml|md|txt)', re.ASCII)
_NEEDED = (CONFIG_FILE, WEIGHTS_FILE, f'{PREPROCESSOR}.json', f'{POSTPROCESSOR}.json')


class Pushed(NamedTuple):
    """Say what a push did: the commit, the files sent and those that were there already."""

    commit: str
    sent: list[str]
    kept: list[str]


def push(
    folder: str | Path, repo_id: str, *, branch: str = 'main', tag: str | None = None,
    private: bool | None = None, robot: str | None = None, token: str | None = None,
) -> Pushed:
    """
    Publish a checkpoint with a model card, in one commit; what the Hub holds is not sent again.

    A README.md beside the checkpoint, or one on the Hub that was not made by this, is kept.

    :param private: for a new repository; None: as the configuration says.
    :param robot: what the data were recorded with, for the card.
    :raises PolicyError: the checkpoint is incomplete, or the Hub does not allow it.
    """
    folder = find_checkpoint(folder)
    config = PolicyConfig.load(folder)
    files = _local(folder)
    with _hub(repo_id):
        check_repo_id(repo_id)
        api = client(token)
        api.create_repo(repo_id, private=config.private if private is None else private,
                        exist_ok=True)
        if branch != 'main':
            api.create_branch(repo_id, branch=branch, exist_ok=True)
        head = api.repo_info(repo_id, revision=branch).sha
        there = _tree(api, repo_id, head)
        if README not in files and _may_write_card(api, repo_id, head, there):
            files[README] = render_card(folder, config, repo_id, robot).encode()
        changed = {name: source for name, source in files.items()
                   if not _is_same(source, there.get(name))}
        if changed:
            head = _commit(api, repo_id, branch, head, changed)
        if tag is not None:
            api.create_tag(repo_id, tag=tag, revision=head, exist_ok=True)
    return Pushed(head, sorted(changed), sorted(files.keys() - changed.keys()))


def pull(
    repo_id: str, folder: str | Path, *, revision: str | None = None, token: str | None = None,
) -> Path:
    """
    Fetch a checkpoint into a folder, whose old contents it replaces in one step.

    Files come through the Hub's local cache, so that an interrupted run goes on where it ended.

    :raises PolicyError: there is no checkpoint, or the folder holds something else.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) \
            and not (folder / CONFIG_FILE).is_file():
        raise PolicyError(f'{folder}: found something else than a checkpoint, expected one, or a '
                          'new or empty folder; name another one')
    with _hub(repo_id, folder):
        check_repo_id(repo_id)
        api = client(token)
        commit = api.repo_info(repo_id, revision=revision).sha
        there = {name: file for name, file in _tree(api, repo_id, commit).items()
                 if _NAME.fullmatch(name)}
        missing = [name for name in (CONFIG_FILE, WEIGHTS_FILE) if name not in there]
        if missing:
            raise PolicyError(f'{repo_id}: found no {" and no ".join(missing)}, expected a '
                              'checkpoint with its weights as safetensors; pickles are not '
                              'fetched')
        with replacing(folder) as beside:
            for name, file in there.items():
                _fetch(api, repo_id, commit, name, file, beside / name)
    return folder


def _fetch(api: Any, repo_id: str, commit: str, name: str, file: RemoteFile, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(api.hf_hub_download(repo_id, name, revision=commit), path)
    if not _is_same(path, file):
        raise PolicyError(f'{repo_id}: {name}: found other contents than the Hub lists; remove '
                          'it from the local cache and run it again')


def _local(folder: Path) -> dict[str, Path | bytes]:
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise PolicyError(f'{folder}: found no {" and no ".join(missing)}, expected a whole '
                          'checkpoint; an old one is brought up to date by `migrate`')
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob('*'))
             if path.is_file()}
    return {name: path for name, path in found.items() if _NAME.fullmatch(name)}


def _tree(api: Any, repo_id: str, commit: str) -> dict[str, RemoteFile]:
    found = {}
    for entry in api.list_repo_tree(repo_id, revision=commit, recursive=True):
        if hasattr(entry, 'blob_id'):
            large = getattr(entry, 'lfs', None)
            found[entry.path] = RemoteFile(large.size if large else entry.size, entry.blob_id,
                                           large.sha256 if large else None)
    return found


def _is_same(source: Path | bytes, remote: RemoteFile | None) -> bool:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if remote is None or size != remote.size:
        return False
    with io.BytesIO(source) if isinstance(source, bytes) else open(source, 'rb') as file:
        return digest(file, remote) == (remote.sha256 or remote.blob)


def _may_write_card(api: Any, repo_id: str, head: str, there: Mapping[str, RemoteFile]) -> bool:
    if README not in there:
        return True
    path = api.hf_hub_download(repo_id, README, revision=head)
    return MADE in Path(path).read_text('utf-8', errors='replace')


def _commit(api: Any, repo_id: str, branch: str, head: str,
            changed: Mapping[str, Path | bytes]) -> str:
    from huggingface_hub import CommitOperationAdd
    operations = [CommitOperationAdd(name, str(source) if isinstance(source, Path) else source)
                  for name, source in changed.items()]
    return str(api.create_commit(
        repo_id, operations, commit_message='Update the policy', revision=branch,
        parent_commit=head).oid)


@contextmanager
def _hub(repo_id: str, where: Path | None = None) -> Iterator[None]:
    """Raise PolicyError, one line with the cure, for what goes wrong with the Hub."""
    try:
        with hub_errors(repo_id, where), _names(repo_id):
            yield
    except HubError as error:
        raise PolicyError(str(error)) from None


@contextmanager
def _names(repo_id: str) -> Iterator[None]:
    # hub_errors would speak of a dataset.
    try:
        from huggingface_hub import errors
    except ImportError:
        # The client says so.
        yield
        return
    try:
        yield
    except errors.GatedRepoError:
        raise
    except errors.RepositoryNotFoundError:
        raise HubError(f'{repo_id}: found no such model on the Hub, or it is private and this '
                       'token may not see it; check the name, sign in with `hf auth login` or '
                       'set HF_TOKEN') from None
    except errors.RevisionNotFoundError:
        raise HubError(f'{repo_id}: found no such revision, expected a branch, tag or '
                       'commit') from None
