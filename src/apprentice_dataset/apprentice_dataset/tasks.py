# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Do jobs that need nothing of each other: in threads, or as tasks of a Ray cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextlib import ExitStack
from functools import partial
import logging
import os
import secrets
import socket
import tempfile
import time
import traceback
from typing import Any
from typing import NamedTuple
from typing import Protocol
from typing import TypeVar

from apprentice_dataset.errors import DatasetError

LOCAL = 'local'
_Job = TypeVar('_Job')
_Result = TypeVar('_Result')
# Time for tasks elsewhere to end: the folder they write to is about to be removed.
_STOP_S = 1
_ANSWER_S = 10
_TOKEN = 'RAY_AUTH_TOKEN'
# Ray would tell its makers of every start, and look for uv's files.
_QUIET = {'RAY_USAGE_STATS_ENABLED': '0', 'RAY_ENABLE_UV_RUN_RUNTIME_ENV': '0'}


class Each(Protocol):
    """
    Call a function for every job and yield what it returns, in order.

    Jobs are taken from their iterable a bounded number ahead. What a job raises is raised at its
    place; then, and when the generator is closed, those that have begun end and no other begins.
    """

    def __call__(
        self, function: Callable[[_Job], _Result], jobs: Iterable[_Job],
    ) -> Generator[_Result, None, None]:
        """Do them."""


def in_threads(
    function: Callable[[_Job], _Result], jobs: Iterable[_Job],
) -> Generator[_Result, None, None]:
    """Do jobs in a thread for each core: video and tables are read and written beside Python."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from _in_order(deque[Future[_Result]](), 2 * workers, jobs,
                                 partial(pool.submit, function), Future.result)
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(
    begun: deque[Any], most: int, jobs: Iterable[_Job], begin: Callable[[_Job], Any],
    end: Callable[[Any], _Result],
) -> Iterator[_Result]:
    """Yield results in order; what has begun and is not yielded stands in `begun`."""
    for job in jobs:
        begun.append(begin(job))
        if len(begun) >= most:
            result = end(begun[0])
            begun.popleft()
            yield result
    while begun:
        result = end(begun[0])
        begun.popleft()
        yield result


@contextmanager
def workers(address: str | None) -> Iterator[Each]:
    """
    Yield what does jobs: threads for None, else the tasks of a Ray cluster.

    Whoever works must find the dataset, and the place of the result, under the same path.

    :param address: HOST:PORT of a cluster, `auto` for the one of this machine, or `local`: one
        that is begun with as many workers as there are cores, and ended. A cluster that this
        process is connected to is taken as it is.
    :raises DatasetError: Ray is not installed, or the cluster does not answer.
    """
    if address is None:
        yield in_threads
        return
    cluster = _Cluster(_imported(), address)
    try:
        cluster.connect()
        yield cluster.each
    finally:
        cluster.leave()


def _imported() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise DatasetError('--ray: found no package ray, expected it here and on every machine '
                           'of the cluster; `pip install ray`') from None
    return ray


def _reach(address: str) -> None:
    """Raise OSError where nobody answers; Ray would try for two minutes."""
    host, _, port = address.rpartition(':')
    if host and '/' not in host and port.isdigit():
        socket.create_connection((host, int(port)), _ANSWER_S).close()


class _Cluster:
    """Hold the connection to a cluster."""

    def __init__(self, ray: Any, address: str) -> None:
        self._ray, self._address = ray, address
        self._ours = not ray.is_initialized()
        self._stack = ExitStack()

    def connect(self) -> None:
        if self._ray.is_initialized():
            return
        options: dict[str, Any] = {}
        if self._address == LOCAL:
            # Its own folder, for Ray leaves its logs behind; a short one, for sockets lie in it.
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(
                prefix='ray-', dir='/tmp', ignore_cleanup_errors=True))
            options = {'num_cpus': os.cpu_count() or 1, 'include_dashboard': False,
                       '_temp_dir': folder}
            if _TOKEN not in os.environ:
                # Else Ray makes one and leaves it in the user's home.
                os.environ[_TOKEN] = secrets.token_hex(32)
                self._stack.callback(os.environ.pop, _TOKEN, None)
        self._stack.callback(self._ray.shutdown)
        try:
            _reach(self._address)
            self._ray.init(address=self._address, log_to_driver=False,
                           logging_level=logging.ERROR, **options)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            cause = error.__cause__ or error
            found = (str(cause).strip() or type(cause).__name__).splitlines()[-1]
            raise DatasetError(
                f'--ray {self._address}: found {found}, expected the HOST:PORT of a cluster that '
                'runs (`ray start --head` begins one), or `local`') from None

    def leave(self) -> None:
        self._stack.close()

    def each(
        self, function: Callable[[_Job], _Result], jobs: Iterable[_Job],
    ) -> Generator[_Result, None, None]:
        self.connect()
        ray, begun = self._ray, deque[Any]()
        task, shared = ray.remote(_done), ray.put(function)
        most = 2 * max(1, int(ray.cluster_resources().get('CPU', 1)))
        try:
            yield from _in_order(begun, most, jobs, partial(task.remote, shared), self._result)
        finally:
            if begun:
                self._stop(begun)

    def _stop(self, begun: deque[Any]) -> None:
        # Not by ray.cancel: where a task ends just then, Ray 2.60 aborts this process.
        if not self._ours:
            self._ray.wait(list(begun), num_returns=len(begun))
        elif self._ray.is_initialized():
            # Who leaves takes all tasks along.
            self.leave()
            if self._address != LOCAL:
                time.sleep(_STOP_S)

    def _result(self, reference: Any) -> Any:
        errors = self._ray.exceptions
        try:
            result = self._ray.get(reference)
        except errors.RayError as error:
            if isinstance(error, errors.RayTaskError) \
                    and not isinstance(error.cause, errors.RaySystemError):
                # What could not be sent otherwise; it shows the trace.
                raise
            found = str(error).strip().splitlines()[-1]
            raise DatasetError(f'--ray: found {found!r}, expected workers that go on and have '
                               'this package; nothing was written') from error
        if isinstance(result, _Failed):
            raise result.error() from _RemoteTrace(result.trace)
        return result


class _Failed(NamedTuple):
    """Carry what a job raised; pickle could not, where an error's `__init__` takes other words."""

    kind: type[Exception]
    arguments: tuple[Any, ...]
    state: dict[str, Any]
    trace: str

    def error(self) -> Exception:
        error = self.kind.__new__(self.kind, *self.arguments) \
            if issubclass(self.kind, DatasetError) else self.kind(*self.arguments)
        error.__dict__.update(self.state)
        return error


class _RemoteTrace(Exception):
    """Show where it was raised, as the cause of what is raised here."""

    def __str__(self) -> str:
        return f'\n{self.args[0]}'


def _done(function: Callable[[_Job], _Result], job: _Job) -> _Result | _Failed:
    try:
        return function(job)
    except Exception as error:
        kind, arguments, *state = error.__reduce__()
        if kind is not type(error):
            raise
        return _Failed(kind, arguments, dict(*state), traceback.format_exc())
