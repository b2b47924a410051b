# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Publish a dataset on the Hub: only what it lacks, in one commit, and then the version tag."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import io
import os
from pathlib import Path
import tempfile
from typing import Any
from typing import NamedTuple

from apprentice_dataset.card import Card
from apprentice_dataset.card import read_card
from apprentice_dataset.card import README
from apprentice_dataset.card import render_card
from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import HubError
from apprentice_dataset.hub import check_repo_id
from apprentice_dataset.hub import client
from apprentice_dataset.hub import digest
from apprentice_dataset.hub import FAMILIES
from apprentice_dataset.hub import hub_errors
from apprentice_dataset.hub import is_same
from apprentice_dataset.hub import move_tag
from apprentice_dataset.hub import RemoteFile
from apprentice_dataset.hub import tree
from apprentice_dataset.info import VERSION
from apprentice_dataset.layout import INFO
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.lock import is_held
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.origin import read_origin
from apprentice_dataset.staging import Staging
from apprentice_dataset.validate import validate

Progress = Callable[[int, int], None]
"""Takes the files that are done and those to do."""
# The Hub grows slow with more changes in one commit; a group is what is uploaded at once.
_COMMIT_FILES, _GROUP_FILES = 1000, 32
_HASHERS = 4


class Pushed(NamedTuple):
    """Say what a push did: the commit, the files sent, left as they were, and removed."""

    commit: str
    sent: int
    kept: int
    removed: int


def push(
    root: Path | str, repo_id: str, *, branch: str | None = None, private: bool = False,
    tag: str | None = VERSION, card: Card | None = None, push_videos: bool = True,
    check: bool = True, token: str | None = None, progress: Progress | None = None,
) -> Pushed:
    """
    Make a dataset on the Hub what the local one is.

    What the Hub holds already is not sent again, however an earlier run ended. Readers see the
    old dataset or the new one: files are uploaded first, one commit shows them (beyond 1000
    files several, metadata last), and the tag moves when all is there.

    :param branch: made where it is missing; None: main.
    :param private: for a new repository; an existing one must be private already.
    :param tag: moved to the new commit; readers find a version by it. None: no tag.
    :param push_videos: without it the mp4s of the Hub are left alone.
    :param check: refuse a dataset that `validate` finds wrong.
    :raises DatasetBusy: a recorder is writing it.
    :raises HubError: the Hub, the network or the token does not allow it.
    """
    root = Path(root)
    check_repo_id(repo_id)
    api = client(token)
    with _not_written(root):
        metadata = _checked(root, check, push_videos)
        files = local_files(root, push_videos)
        branch = branch or 'main'
        with hub_errors(repo_id):
            _make(api, repo_id, branch, private)
            head = api.repo_info(repo_id, repo_type='dataset', revision=branch).sha
        there = tree(api, repo_id, head)
        text = _card_text(api, repo_id, metadata, there, head, card)
        pushed = _send(api, repo_id, branch, head, _changes(files, there, text, push_videos),
                       progress)
        if tag is not None:
            move_tag(api, repo_id, tag, pushed.commit)
    return pushed


@contextmanager
def _not_written(root: Path) -> Iterator[None]:
    """Keep recorders out; where the folder cannot be written none can come in."""
    if not (root / INFO).exists():
        raise DatasetError(f'{root / INFO}: found no such file, expected a dataset')
    try:
        lock = FolderLock(Staging(root).folder)
    except OSError:
        if is_held(Staging(root).folder):
            raise DatasetBusy(f'{root}: a process is writing this dataset; end it') from None
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _checked(root: Path, check: bool, push_videos: bool) -> Metadata:
    if Staging(root).is_left_behind():
        raise DatasetError(f'{root}: found an unfinished episode, expected none; run '
                           f'`dataset repair {root}` first')
    origin = read_origin(root)
    if origin and not (origin.is_whole or origin.episodes is None and not push_videos):
        raise DatasetError(f'{root}: found {origin}, expected all of it, for what it lacks would '
                           'be removed from the Hub; pull the rest first')
    metadata = read_metadata(root)
    if metadata.info.codebase_version.startswith('v2'):
        raise DatasetError(f'{root}: found {metadata.info.codebase_version}, expected {VERSION}; '
                           'run `dataset convert` first')
    problems = validate(root) if check else []
    if problems:
        more = f' (and {len(problems) - 1} more)' if len(problems) > 1 else ''
        raise DatasetError(f'{problems[0]}{more}; `dataset validate {root}` lists them')
    return metadata


def local_files(root: Path, videos: bool = True) -> dict[str, Path]:
    """
    Return what is published of a folder: all but staging, hidden files and the card.

    :raises DatasetError: a folder is a link, whose files would be left out.
    """
    found: dict[str, Path] = {}

    def walk(folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            name = path.relative_to(root).as_posix()
            if path.name.startswith('.') or folder == root and _is_staging(path.name):
                continue
            if path.is_dir():
                if path.is_symlink():
                    raise DatasetError(f'{path}: found a link, expected a folder; replace it by '
                                       'what it leads to')
                if videos or name != 'videos':
                    walk(path)
            elif path.is_file() and name != README:
                found[name] = path

    walk(root)
    return found


def _is_staging(name: str) -> bool:
    return name == 'images' or name.startswith('tmp') or '.partial-' in name


def _make(api: Any, repo_id: str, branch: str, private: bool) -> None:
    api.create_repo(repo_id, repo_type='dataset', private=private, exist_ok=True)
    if private and not api.repo_info(repo_id, repo_type='dataset').private:
        raise HubError(f'{repo_id}: found a public dataset, expected a private one; make it '
                       'private in its settings or push to another name')
    if branch != 'main':
        api.create_branch(repo_id, branch=branch, repo_type='dataset', exist_ok=True)


def _card_text(
    api: Any, repo_id: str, metadata: Metadata, there: Mapping[str, RemoteFile], head: str,
    card: Card | None,
) -> bytes:
    before = read_card(metadata.root)
    if not before and README in there:
        with hub_errors(repo_id), tempfile.TemporaryDirectory() as folder:
            api.hf_hub_download(repo_id, README, repo_type='dataset', revision=head,
                                local_dir=folder)
            before = read_card(Path(folder))
    card = card or Card()
    named = Card(card.license_id, card.tags, card.repo_id or repo_id)
    return render_card(metadata, before, named).encode()


class _Changes(NamedTuple):
    """Hold what a push has to do; `files` in the order in which readers may see them."""

    files: Sequence[tuple[str, Path | bytes]]
    kept: int
    stale: Sequence[str]


def _changes(
    files: Mapping[str, Path], there: Mapping[str, RemoteFile], card: bytes, videos: bool,
) -> _Changes:
    with ThreadPoolExecutor(_HASHERS) as pool:
        same = dict(zip(files, pool.map(
            lambda name: name in there and is_same(files[name], there[name]), files)))
    # A reader that comes between two commits finds the files that its metadata names.
    changed: list[tuple[str, Path | bytes]] = [
        (name, files[name]) for name in sorted(files, key=_order) if not same[name]]
    known = there.get(README)
    if known is None or known.size != len(card) or \
            digest(io.BytesIO(card), known) != (known.sha256 or known.blob):
        changed.append((README, card))
    families = FAMILIES if videos else ('meta', 'data')
    stale = [name for name in there if name.partition('/')[0] in families
             and '/' in name and name not in files]
    return _Changes(changed, len(files) - sum(not one for one in same.values()), stale)


def _order(name: str) -> tuple[bool, bool, str]:
    return name.startswith('meta/'), name == INFO, name


def _send(
    api: Any, repo_id: str, branch: str, head: str, changes: _Changes, progress: Progress | None,
) -> Pushed:
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub import CommitOperationDelete
    files, total = changes.files, len(changes.files)
    # With nothing to send there may still be something to remove.
    begins = range(0, max(total, 1), _COMMIT_FILES) if files or changes.stale else ()
    for begin in begins:
        part = files[begin:begin + _COMMIT_FILES]
        operations: list[Any] = [
            CommitOperationAdd(name, os.fspath(source) if isinstance(source, Path) else source)
            for name, source in part]
        with hub_errors(repo_id):
            for first in range(0, len(operations), _GROUP_FILES):
                group = operations[first:first + _GROUP_FILES]
                api.preupload_lfs_files(repo_id, group, repo_type='dataset', revision=branch)
                if progress:
                    progress(begin + first + len(group), total)
            if begin + _COMMIT_FILES >= total:
                operations += [CommitOperationDelete(name) for name in changes.stale]
            head = api.create_commit(
                repo_id, operations, commit_message='Update the dataset', repo_type='dataset',
                revision=branch, parent_commit=head).oid
    return Pushed(head, total, changes.kept, len(changes.stale))
