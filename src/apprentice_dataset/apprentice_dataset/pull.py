# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fetch a dataset, or the files of some episodes, from the Hub: beside its place, then swapped."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
from typing import Any
from typing import NamedTuple

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.errors import HubError
from apprentice_dataset.exchange import exchange
from apprentice_dataset.files import make_folder
from apprentice_dataset.files import storage_errors
from apprentice_dataset.files import sync_path
from apprentice_dataset.hub import check_repo_id
from apprentice_dataset.hub import client
from apprentice_dataset.hub import default_root
from apprentice_dataset.hub import FAMILIES
from apprentice_dataset.hub import hub_errors
from apprentice_dataset.hub import is_offline
from apprentice_dataset.hub import is_same
from apprentice_dataset.hub import README
from apprentice_dataset.hub import RemoteFile
from apprentice_dataset.hub import resolve
from apprentice_dataset.hub import Revision
from apprentice_dataset.hub import tree
from apprentice_dataset.info import read_info
from apprentice_dataset.layout import INFO
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.origin import meta_digest
from apprentice_dataset.origin import Origin
from apprentice_dataset.origin import ranges
from apprentice_dataset.origin import ranges_text
from apprentice_dataset.origin import read_origin
from apprentice_dataset.origin import write_origin
from apprentice_dataset.staging import Staging

Progress = Callable[[int, int], None]
"""Takes the files that are done and those wanted, so far as known."""
_AT_ONCE = 8
# What the client keeps while it downloads; LeRobot takes a folder that holds it for an old copy.
_CLIENT = '.cache'
_SPARE_BYTES = 1 << 26


def pull(
    repo_id: str, revision: str | None = None, root: Path | str | None = None, *,
    episodes: Iterable[int] | None = None, videos: bool = True, refresh: bool = False,
    token: str | None = None, progress: Progress | None = None,
) -> Path:
    """
    Bring a dataset from the Hub and return its folder; the network is asked only if need be.

    Where the folder has what is asked for, nothing is asked of the Hub. Otherwise everything is
    fetched into a folder beside, checked by size and digest, and swapped in at the end: readers
    see the old copy or the new one. A run that was interrupted is gone on with by the next one.

    :param revision: tag, branch or commit; None: version v3.0, or the highest below it.
    :param root: the folder; None: `$HF_LEROBOT_HOME/REPO_ID`.
    :param episodes: fetch only the files that hold these, beside those that are there already.
    :param videos: fetch mp4s too.
    :param refresh: ask the Hub even where everything is there.
    :raises HubError: the Hub, the network or the token does not allow it, or it is needed offline.
    :raises DatasetBroken: what came is no sound dataset.
    :raises DatasetFull: the disk has no room for it.
    """
    check_repo_id(repo_id)
    root = default_root(repo_id) if root is None else Path(root)
    wanted = None if episodes is None else frozenset(episodes)
    local = _local(root, repo_id)
    if local and not refresh and _covers(local, revision, wanted, videos):
        _check_numbers(repo_id, wanted, read_info(root).total_episodes)
        return root
    if local:
        _check_untouched(root, local)
    if is_offline():
        there = f'found {local}' if local else 'found no such copy'
        asked = 'all episodes' if wanted is None else f'episodes {ranges_text(ranges(wanted))}'
        raise HubError(f'{root}: {there}, expected {asked}; HF_HUB_OFFLINE is set: unset it')
    api = client(token)
    chosen = resolve(api, repo_id, revision)
    files = tree(api, repo_id, chosen.commit)
    with storage_errors(root):
        make_folder(root.parent)
        with _alone(root) as (partial, lock):
            fetch = _Fetch(api, repo_id, chosen, files, root, partial, progress, set())
            if local and local.commit == chosen.commit:
                # What was pulled before stays.
                wanted = None if wanted is None or local.episodes is None else wanted.union(
                    *(range(begin, end) for begin, end in local.episodes))
                videos = videos or local.videos
            origin = _fetch_all(fetch, wanted, videos)
            _finish(root, partial, origin, fetch.fetched)
            exchange(partial, root, lock)
    return root


def _local(root: Path, repo_id: str) -> Origin | None:
    """Return what a folder holds, None for nothing; HubError if it is no copy of this dataset."""
    if not root.exists() or root.is_dir() and not any(root.iterdir()):
        return None
    origin = read_origin(root)
    if origin is None:
        metadata = read_metadata(root)
        # Recorded here, or brought by another program: whole if its files are.
        missing = [name for name in _names(metadata, None, True) if not (root / name).exists()]
        if missing:
            raise HubError(f'{root}: found a dataset without {missing[0]} that was not pulled, '
                           'expected a copy of the Hub; name another folder')
        return Origin(repo_id, '', '', None, True, '')
    if origin.repo_id != repo_id:
        raise HubError(f'{root}: found a copy of {origin.repo_id}, expected one of {repo_id}; '
                       'name another folder')
    return origin


def _covers(
    local: Origin, revision: str | None, wanted: frozenset[int] | None, videos: bool,
) -> bool:
    if revision not in (None, local.revision, local.commit) or videos and not local.videos:
        return False
    if wanted is None:
        return local.episodes is None
    return all(map(local.has, wanted))


def _check_untouched(root: Path, local: Origin) -> None:
    """Raise HubError where a pull would throw away what was made here."""
    if not local.commit:
        raise HubError(f'{root}: found a dataset that was not pulled, expected a copy of '
                       f'{local.repo_id}; name another folder')
    if meta_digest(root) != local.meta:
        raise HubError(f'{root}: found a copy that was changed since it was pulled, expected an '
                       'untouched one; push it or name another folder')


def _check_numbers(repo_id: str, wanted: frozenset[int] | None, total: int) -> None:
    wrong = [number for number in wanted or () if not 0 <= number < total]
    if wrong:
        raise DatasetError(f'{repo_id}: found episode {min(wrong)}, expected 0 to {total - 1}')


class _Fetch(NamedTuple):
    """Hold what every step of a pull needs."""

    api: Any
    repo_id: str
    revision: Revision
    files: Mapping[str, RemoteFile]
    root: Path
    partial: Path
    progress: Progress | None
    fetched: set[str]


@contextmanager
def _alone(root: Path) -> Iterator[tuple[Path, FolderLock | None]]:
    """
    Yield the folder beside, and the lock of the one that it is to replace.

    It stays when the body fails, for the next run to go on with.
    """
    if Staging(root).is_left_behind():
        raise DatasetError(f'{root}: found an unfinished episode, expected none; run '
                           f'`dataset repair {root}` first')
    beside = root.with_name(f'{root.name}.partial-pull')
    try:
        lock, replaced = FolderLock(beside), None
    except DatasetBusy:
        raise DatasetBusy(f'{root}: another process pulls into it; wait for its end') from None
    try:
        replaced = FolderLock(Staging(root).folder) if root.is_dir() else None
        partial = beside / 'tree'
        partial.mkdir(exist_ok=True)
        yield partial, replaced
    finally:
        if replaced:
            replaced.release()
        lock.release()


def _fetch_all(fetch: _Fetch, wanted: frozenset[int] | None, videos: bool) -> Origin:
    if INFO not in fetch.files:
        raise DatasetBroken(f'{fetch.repo_id} at {fetch.revision.name}', f'no {INFO}',
                            'a dataset', "is it in LeRobot's format?")
    heads = [name for name in fetch.files if name.startswith('meta/') or name == README]
    _fetch_files(fetch, heads)
    metadata = read_metadata(fetch.partial)
    _check_numbers(fetch.repo_id, wanted, len(metadata.episodes))
    names = _names(metadata, wanted, videos)
    for name in names:
        if name not in fetch.files:
            raise DatasetBroken(f'{fetch.repo_id} at {fetch.revision.name}', f'no {name}',
                                'every file that its metadata names', 'its owner must push it')
    if wanted is None:
        families = FAMILIES if videos else ('meta', 'data')
        names |= {name for name in fetch.files if name.partition('/')[0] in families
                  and '/' in name}
    _fetch_files(fetch, names.difference(heads))
    whole = wanted is None or _names(metadata, None, videos) <= fetch.fetched
    here = None if whole else ranges(
        episode.index for episode in metadata.episodes
        if _episode_names(metadata, episode, videos) <= fetch.fetched)
    return Origin(fetch.repo_id, fetch.revision.name, fetch.revision.commit, here, videos,
                  meta_digest(fetch.partial))


def _names(metadata: Metadata, wanted: frozenset[int] | None, videos: bool) -> set[str]:
    """Return the data and video files of some episodes, or of all."""
    numbers = range(len(metadata.episodes)) if wanted is None else sorted(wanted)
    found: set[str] = set()
    for number in numbers:
        found |= _episode_names(metadata, metadata.episodes[number], videos)
    return found


def _episode_names(metadata: Metadata, episode: Any, videos: bool) -> set[str]:
    found = {episode.data.path(metadata.info.data_path)}
    if videos:
        found |= {place.number.path(str(metadata.info.video_path), camera)
                  for camera, place in episode.videos.items()}
    return found


def _fetch_files(fetch: _Fetch, names: Iterable[str]) -> None:
    names = sorted(names)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        there = dict(zip(names, pool.map(lambda name: _is_there(fetch, name), names)))
        lacking = [name for name in names if not there[name]]
        _check_room(fetch, lacking)
        done = len(fetch.fetched) + len(names) - len(lacking)
        fetch.fetched.update(names)
        try:
            for count, _ in enumerate(pool.map(
                    lambda name: _download(fetch, name), lacking), 1):
                if fetch.progress:
                    fetch.progress(done + count, len(fetch.fetched))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _is_there(fetch: _Fetch, name: str) -> bool:
    """Tell whether a file lies beside, or in the copy that is replaced: a hard link then."""
    path, old = fetch.partial / name, fetch.root / name
    if is_same(path, fetch.files[name]):
        return True
    path.unlink(missing_ok=True)
    if not is_same(old, fetch.files[name]):
        return False
    make_folder(path.parent)
    os.link(old, path)
    return True


def _check_room(fetch: _Fetch, names: Iterable[str]) -> None:
    needed = sum(fetch.files[name].size for name in names)
    free = shutil.disk_usage(fetch.partial).free
    if needed + _SPARE_BYTES > free and needed:
        raise DatasetFull(f'{fetch.root}: found {free >> 20} MiB free, expected '
                          f'{needed + _SPARE_BYTES >> 20} MiB; free space or choose episodes')


def _download(fetch: _Fetch, name: str) -> None:
    path = fetch.partial / name
    with hub_errors(fetch.repo_id, fetch.root):
        fetch.api.hf_hub_download(
            fetch.repo_id, name, repo_type='dataset', revision=fetch.revision.commit,
            local_dir=fetch.partial)
    if not is_same(path, fetch.files[name]):
        path.unlink(missing_ok=True)
        raise DatasetBroken(f'{fetch.repo_id}: {name}', 'other contents than the Hub lists',
                            'the same size and digest', 'run it again')
    sync_path(path)


def _finish(root: Path, partial: Path, origin: Origin, names: set[str]) -> None:
    """Make the folder beside what is to stand in its place; the user's own files come along."""
    shutil.rmtree(partial / _CLIENT, ignore_errors=True)
    for path in [path for path in partial.rglob('*') if not path.is_dir()]:
        name = path.relative_to(partial).as_posix()
        if name.partition('/')[0] in FAMILIES and name not in names:
            path.unlink()
    for path in root.rglob('*') if root.is_dir() else ():
        name = path.relative_to(root).as_posix()
        own = name.partition('/')[0] not in (*FAMILIES, '.apprentice', README)
        if own and path.is_file() and not (partial / name).exists():
            make_folder((partial / name).parent)
            os.link(path, partial / name)
    write_origin(partial, origin)
    for folder in [*(path for path in partial.rglob('*') if path.is_dir()), partial]:
        sync_path(folder)
