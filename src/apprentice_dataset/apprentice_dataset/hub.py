# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Speak to the Hugging Face Hub: its versions and files, and its errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import hashlib
import os
from pathlib import Path
from pathlib import PurePosixPath
import re
from typing import Any
from typing import NamedTuple

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.errors import HubError
from apprentice_dataset.info import VERSION

FAMILIES = ('meta', 'data', 'videos')
"""The folders of the format; nothing else of a remote repository is removed or replaced."""
README = 'README.md'
_VERSION = re.compile(r'v?(\d+)\.(\d+)(?:\.\d+)?')
_COMMIT = re.compile(r'[0-9a-f]{40}')
_MOST_FILES = 1_000_000
_BLOCK = 1 << 20
_LISTED = 8


class RemoteFile(NamedTuple):
    """Hold what the Hub says of a file: bytes, git's SHA-1 of it, SHA-256 where it is large."""

    size: int
    blob: str
    sha256: str | None


class Revision(NamedTuple):
    """Hold the name of a version, branch or commit and the commit it stands for."""

    name: str
    commit: str


def is_offline() -> bool:
    """Tell whether HF_HUB_OFFLINE forbids to ask the network."""
    return os.environ.get('HF_HUB_OFFLINE', '').upper() in ('1', 'ON', 'YES', 'TRUE')


def default_root(repo_id: str) -> Path:
    """Return where LeRobot looks for a dataset: `$HF_LEROBOT_HOME/REPO_ID`."""
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache') / 'huggingface'
    home = Path(os.environ.get('HF_HOME') or cache)
    return Path(os.environ.get('HF_LEROBOT_HOME') or home / 'lerobot').expanduser() / repo_id


def check_repo_id(repo_id: str) -> None:
    """Raise HubError unless a repository is named as NAMESPACE/NAME, which is safe as a path."""
    if not re.fullmatch(r'[\w-][\w.-]*/[\w-][\w.-]*', repo_id, re.ASCII):
        raise HubError(f'found repository {repo_id!r}, expected USER/NAME')


def client(token: str | None = None) -> Any:
    """
    Return the Hub's client; `HF_ENDPOINT` names another Hub.

    :raises HubError: huggingface_hub is not installed, or the environment says to stay offline.
    """
    if is_offline():
        raise HubError('HF_HUB_OFFLINE is set and this needs the Hub; unset it')
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise HubError('found no huggingface_hub, which speaks to the Hub; '
                       "pip install 'huggingface_hub>=1.0'") from None
    return HfApi(endpoint=os.environ.get('HF_ENDPOINT') or None, token=token)


@contextmanager
def hub_errors(repo_id: str, where: Path | None = None) -> Iterator[None]:
    """
    Raise HubError, one line with the cure, for what goes wrong between us and the Hub.

    :param where: the folder that is written, for the line that says that its disk is full.
    """
    try:
        yield
    except DatasetError:
        raise
    except Exception as error:
        known = _translated(error, repo_id, where)
        if known is None:
            raise
        raise known from None


def _translated(error: BaseException, repo_id: str, where: Path | None) -> DatasetError | None:
    from huggingface_hub import errors
    # Threads of the client wrap what they met.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, errors.HfHubHTTPError):
            return HubError(_answer(cause, repo_id))
        if isinstance(cause, errors.OfflineModeIsEnabled):
            return HubError('HF_HUB_OFFLINE is set and this needs the Hub; unset it')
        if isinstance(cause, errors.HFValidationError):
            return HubError(f'found repository {repo_id!r}, expected USER/NAME')
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return DatasetFull(f'{where}: {cause.strerror}; free space and run it again: it goes '
                               'on where it ended')
        # What is left of its HTTP errors has no answer: there was no connection, or it broke.
        if isinstance(cause, (errors.HTTPError, errors.FileMetadataError)):
            return HubError(f'{repo_id}: the Hub cannot be reached ({type(cause).__name__}); '
                            'check the network and run it again: it goes on where it ended')
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, OSError) and error.errno is not None and where is not None:
        return DatasetError(f'{where}: {error.strerror}')
    return None


def _answer(error: Any, repo_id: str) -> str:
    # The text of an answer is never repeated: nobody knows what a server puts into it.
    from huggingface_hub import errors
    status = error.response.status_code
    if isinstance(error, errors.GatedRepoError):
        return f'{repo_id}: its owner must let you in; ask for access on its page'
    if isinstance(error, errors.RepositoryNotFoundError):
        return (f'{repo_id}: found no such dataset on the Hub, or it is private and this token '
                'may not see it; check the name, sign in with `hf auth login` or set HF_TOKEN')
    if isinstance(error, errors.RevisionNotFoundError):
        return f'{repo_id}: found no such revision; `dataset tag {repo_id}` lists them'
    if status == 401:
        return (f'{repo_id}: the Hub does not accept this token (401); sign in with '
                '`hf auth login` or set HF_TOKEN')
    if status == 403:
        return (f'{repo_id}: this token may not do that (403); use one with write access to '
                f'{repo_id.partition("/")[0]}')
    if status == 404:
        return f'{repo_id}: the Hub lacks a file that it listed (404); run it again'
    if status in (409, 412):
        return f'{repo_id}: somebody else changed it meanwhile ({status}); run it again'
    if status == 429:
        return f'{repo_id}: too many requests (429); wait some minutes and run it again'
    if status >= 500:
        return (f'{repo_id}: the Hub has a fault of its own ({status}); run it again later: it '
                'goes on where it ended')
    return f'{repo_id}: the Hub refuses this request ({status})'


def revisions(api: Any, repo_id: str) -> dict[str, str]:
    """Return the commit of every branch and tag of a dataset; tags win over branches."""
    with hub_errors(repo_id):
        refs = api.list_repo_refs(repo_id, repo_type='dataset')
    return {ref.name: ref.target_commit for ref in [*refs.branches, *refs.tags]}


def resolve(api: Any, repo_id: str, revision: str | None = None) -> Revision:
    """
    Return the commit of a revision: a tag, a branch, a commit or, for None, the right version.

    That is `v3.0`, else the highest version below it of the same major. Branches count as tags do.

    :raises HubError: there is no such revision, or no version that this software reads.
    """
    known = revisions(api, repo_id)
    if revision is None:
        name = _version(repo_id, list(known))
        return Revision(name, known[name])
    if revision in known or _COMMIT.fullmatch(revision):
        return Revision(revision, known.get(revision, revision))
    names = ', '.join(sorted(known)[:_LISTED])
    raise HubError(f'{repo_id}: found no revision {revision!r}, expected one of: {names}')


def _version(repo_id: str, names: list[str]) -> str:
    found = {(int(match[1]), int(match[2])): name for name in names
             if (match := _VERSION.fullmatch(name))}
    match = _VERSION.fullmatch(VERSION)
    assert match is not None
    wanted = (int(match[1]), int(match[2]))
    if VERSION in names:
        return VERSION
    below = [version for version in found if version[0] == wanted[0] and version <= wanted]
    if below:
        return found[max(below)]
    if not found:
        raise HubError(f'{repo_id}: found no version tag, expected {VERSION}; pull with '
                       f'`--revision main`, or its owner runs `dataset tag {repo_id} {VERSION}`')
    highest = found[max(found)]
    if max(found) > wanted:
        raise HubError(f'{repo_id}: found version {highest}, expected {VERSION}; update this '
                       'software')
    raise HubError(f'{repo_id}: found version {highest}, expected {VERSION}; pull it with '
                   f'`--revision {highest}` and run `dataset convert`')


def tree(api: Any, repo_id: str, commit: str) -> dict[str, RemoteFile]:
    """
    Return every file of a commit by its path.

    :raises DatasetBroken: a path leads out of the dataset, or there are absurdly many.
    """
    found: dict[str, RemoteFile] = {}
    with hub_errors(repo_id):
        for entry in api.list_repo_tree(
                repo_id, repo_type='dataset', revision=commit, recursive=True):
            if not hasattr(entry, 'blob_id'):
                continue
            if not _is_safe(entry.path):
                raise DatasetBroken(repo_id, f'a file {entry.path!r}', 'paths below the dataset')
            large = getattr(entry, 'lfs', None)
            found[entry.path] = RemoteFile(
                large.size if large else entry.size, entry.blob_id,
                large.sha256 if large else None)
            if len(found) > _MOST_FILES:
                raise DatasetBroken(repo_id, f'more than {_MOST_FILES} files', 'fewer')
    return found


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return (not path.is_absolute() and '..' not in path.parts and '\0' not in name
            and '\\' not in name and path.as_posix() == name and name != '.')


def is_same(path: Path, remote: RemoteFile) -> bool:
    """Tell whether a local file is, byte for byte, the one that the Hub holds."""
    try:
        if path.stat().st_size != remote.size:
            return False
        with open(path, 'rb') as file:
            return digest(file, remote) == (remote.sha256 or remote.blob)
    except FileNotFoundError:
        return False


def digest(file: Any, remote: RemoteFile) -> str:
    """Return the digest of a file's contents by which the Hub knows this one."""
    value = hashlib.sha256() if remote.sha256 else hashlib.sha1(b'blob %d\0' % remote.size)
    while block := file.read(_BLOCK):
        value.update(block)
    return value.hexdigest()


def tag(
    repo_id: str, name: str = VERSION, revision: str | None = None, token: str | None = None,
) -> Revision:
    """
    Let a tag stand for a revision (default: branch main), wherever it stood before.

    :raises HubError: there is no such dataset or revision, or the token may not write.
    """
    check_repo_id(repo_id)
    api = client(token)
    commit = resolve(api, repo_id, revision or 'main').commit
    move_tag(api, repo_id, name, commit)
    return Revision(name, commit)


def move_tag(api: Any, repo_id: str, name: str, commit: str) -> None:
    """Let a tag stand for a commit; the Hub has no way to do it in one step."""
    with hub_errors(repo_id):
        tags = {ref.name: ref.target_commit
                for ref in api.list_repo_refs(repo_id, repo_type='dataset').tags}
        if tags.get(name) == commit:
            return
        if name in tags:
            api.delete_tag(repo_id, tag=name, repo_type='dataset')
        api.create_tag(repo_id, tag=name, revision=commit, repo_type='dataset')
