# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Serve dataset repositories over the Hub's HTTP interface, as far as its client needs it.

A commit is a folder, whose files are hard links to those of the one before it. What a test breaks
on purpose stands in `faults`; every request is kept in `requests`.

    hub_server.py FOLDER    print the address, then serve until the end of the input
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import hashlib
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
import json
from pathlib import Path
import re
import sys
import threading
import traceback
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import unquote
from urllib.parse import urlsplit

from hub_repository import Fault
from hub_repository import Repository

WRITER, READER = 'hf_writer', 'hf_reader'
LARGE = ('.parquet', '.mp4')
PAGE = 5


class Hub(ThreadingHTTPServer):
    """Listen on a free port of the loopback interface."""

    daemon_threads = True
    # Clients open many connections at once.
    request_queue_size = 64

    def __init__(self, folder: Path) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.folder = folder
        self.objects = folder / 'objects'
        self.objects.mkdir(parents=True)
        self.repositories: dict[str, Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.broken: list[str] = []
        # Listed beside what there is: what a Hub might say to do harm.
        self.lies: list[dict[str, Any]] = []
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.server_address[1]}'

    @property
    def store(self) -> str:
        # Another host, as the real Hub has for large files: clients treat that redirect apart.
        return f'http://localhost:{self.server_address[1]}'

    def content(self, repo_id: str, revision: str = 'main') -> dict[str, bytes]:
        """Return every file of a revision."""
        repository = self.repositories[repo_id]
        commit = repository.find(revision)
        return {path.as_posix(): (repository.folder / commit / path).read_bytes()
                for path in repository.files(commit)}

    def count(self, method: str, part: str) -> int:
        """Return how many requests of a kind came."""
        return sum(found == method and part in path for found, path in self.requests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what is our own fault; clients may go away."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            self.broken.append(traceback.format_exc())


class Handler(BaseHTTPRequestHandler):
    """Answer one connection."""

    protocol_version = 'HTTP/1.1'
    # An answer goes out in one piece: in two, the second waits for the client's receipt.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: Hub

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        self.route, self.query = unquote(parts.path), parse_qs(parts.query)
        with self.server.lock:
            self.server.requests.append((self.command, self.route))
            self.fault = next((fault for fault in self.server.faults
                               if fault.method == self.command and fault.path in self.route), None)
            if self.fault:
                self.server.faults.remove(self.fault)
        length = int(self.headers.get('Content-Length') or 0)
        if self.fault and self.command in ('PUT', 'POST') and not self.fault.status:
            self.rfile.read(min(self.fault.after, length))
            self.close_connection = True
            return
        self.body = self.rfile.read(length) if length else self._chunks()
        if self.fault and self.fault.status:
            self._json({'error': 'broken on purpose'}, self.fault.status)
        elif self._may():
            with self.server.lock:
                for pattern, action in ROUTES:
                    if match := re.fullmatch(pattern, f'{self.command} {parts.path}'):
                        action(self, *(unquote(group or '') for group in match.groups()))
                        return
            self._json({'error': 'Not Found'}, 404)

    def _chunks(self) -> bytes:
        body = b''
        while 'chunked' in self.headers.get('Transfer-Encoding', ''):
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                break
        return body

    @property
    def token(self) -> str:
        return self.headers.get('Authorization', '').removeprefix('Bearer ')

    def _may(self) -> bool:
        if self.token not in ('', WRITER, READER):
            self._json({'error': 'Invalid credentials in Authorization header'}, 401,
                       {'X-Error-Message': 'Invalid credentials in Authorization header'})
        elif self.route.startswith('/store/') or self.token == WRITER or self.command in (
                'GET', 'HEAD') or 'paths-info' in self.route:
            return True
        else:
            self._json({'error': 'Forbidden'}, 403 if self.token else 401)
        return False

    def _json(
        self, value: object, status: int = 200, headers: dict[str, str] | None = None,
    ) -> None:
        self._send(json.dumps(value).encode(), status,
                   {'Content-Type': 'application/json', **(headers or {})})

    def _send(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {'Content-Length': str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == 'HEAD':
            return
        if self.fault and not self.fault.status:
            self.wfile.write(body[:self.fault.after])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def _repository(self, repo_id: str) -> Repository | None:
        found = self.server.repositories.get(repo_id)
        if found is None or found.private and not self.token:
            self._json({'error': 'Repository not found'}, 404 if self.token else 401,
                       {'X-Error-Code': 'RepoNotFound'})
            return None
        return found

    def _commit(self, repo_id: str, revision: str) -> tuple[Repository, str] | None:
        repository = self._repository(repo_id)
        commit = repository.find(revision) if repository else None
        if repository and not commit:
            self._json({'error': f'Invalid rev id: {revision}'}, 404,
                       {'X-Error-Code': 'RevisionNotFound'})
        return (repository, commit) if repository and commit else None

    def create(self) -> None:
        value = json.loads(self.body)
        repo_id = f'{value.get("organization") or "writer"}/{value["name"]}'
        if repo_id in self.server.repositories:
            self._json({'error': 'You already created this dataset repo',
                        'url': f'{self.server.url}/datasets/{repo_id}'}, 409)
            return
        private = bool(value.get('private')) or value.get('visibility') == 'private'
        repository = Repository(self.server.folder / 'repositories' / repo_id, private)
        repository.folder.mkdir(parents=True)
        attributes = {'path': '.gitattributes', 'content': ''}
        repository.commit('main', [{'key': 'file', 'value': attributes}], self.server.objects)
        self.server.repositories[repo_id] = repository
        self._json({'url': f'{self.server.url}/datasets/{repo_id}', 'name': repo_id})

    def info(self, repo_id: str, revision: str = 'main') -> None:
        if found := self._commit(repo_id, revision):
            repository, commit = found
            self._json({'id': repo_id, '_id': '0', 'sha': commit, 'private': repository.private,
                        'tags': [], 'downloads': 0, 'likes': 0, 'siblings': [
                            {'rfilename': path.as_posix()} for path in repository.files(commit)]})

    def tree(self, repo_id: str, revision: str, below: str) -> None:
        if not (found := self._commit(repo_id, revision)):
            return
        repository, commit = found
        below = below.strip('/')
        entries = [self._entry(repository.folder / commit, path) for path in
                   repository.files(commit) if not below or path.is_relative_to(below)]
        entries += self.server.lies
        begin = int(self.query.get('cursor', ['0'])[0])
        headers = {}
        if begin + PAGE < len(entries):
            address = f'{self.server.url}{urlsplit(self.path).path}'
            headers = {'Link': f'<{address}?recursive=true&cursor={begin + PAGE}>; rel="next"'}
        self._json(entries[begin:begin + PAGE], 200, headers)

    def _entry(self, folder: Path, path: Path) -> dict[str, Any]:
        data = (folder / path).read_bytes()
        blob = hashlib.sha1(b'blob %d\0' % len(data) + data).hexdigest()
        entry = {'type': 'file', 'oid': blob, 'size': len(data), 'path': path.as_posix()}
        if path.suffix in LARGE:
            entry['lfs'] = {'oid': hashlib.sha256(data).hexdigest(), 'size': len(data),
                            'pointerSize': 127}
        return entry

    def paths(self, repo_id: str, revision: str) -> None:
        if found := self._commit(repo_id, revision):
            wanted = json.loads(self.body)['paths'] if self.body[:1] == b'{' else \
                parse_qs(self.body.decode())['paths']
            repository, commit = found
            self._json([self._entry(repository.folder / commit, path)
                        for path in repository.files(commit) if path.as_posix() in wanted])

    def refs(self, repo_id: str) -> None:
        if repository := self._repository(repo_id):
            def listed(kind: str, names: dict[str, str]) -> list[dict[str, str]]:
                return [{'name': name, 'ref': f'refs/{kind}/{name}', 'targetCommit': commit}
                        for name, commit in names.items()]
            self._json({'branches': listed('heads', repository.branches), 'converts': [],
                        'tags': listed('tags', repository.tags)})

    def add_tag(self, repo_id: str, revision: str) -> None:
        if found := self._commit(repo_id, revision):
            name = json.loads(self.body)['tag']
            taken = name in found[0].tags
            found[0].tags.setdefault(name, found[1])
            self._json({}, 409 if taken else 200)

    def remove_tag(self, repo_id: str, tag: str) -> None:
        if repository := self._repository(repo_id):
            found = repository.tags.pop(tag, None)
            self._json({}, 200 if found else 404,
                       {} if found else {'X-Error-Code': 'RevisionNotFound'})

    def add_branch(self, repo_id: str, branch: str) -> None:
        value = json.loads(self.body or b'{}')
        if found := self._commit(repo_id, value.get('startingPoint', 'main')):
            taken = branch in found[0].branches
            found[0].branches.setdefault(branch, found[1])
            self._json({}, 409 if taken else 200)

    def preupload(self, repo_id: str, revision: str) -> None:
        if self._commit(repo_id, revision):
            self._json({'files': [
                {'path': one['path'], 'shouldIgnore': False, 'oid': None,
                 'uploadMode': 'lfs' if one['path'].endswith(LARGE) else 'regular'}
                for one in json.loads(self.body)['files']]})

    def batch(self, repo_id: str) -> None:
        found = []
        for one in json.loads(self.body)['objects']:
            if not (self.server.objects / one['oid']).exists():
                href = f'{self.server.url}/store/{one["oid"]}'
                one['actions'] = {'upload': {'href': href}}
            found.append(one)
        self._json({'transfer': 'basic', 'objects': found})

    def store(self, oid: str) -> None:
        right = hashlib.sha256(self.body).hexdigest() == oid
        if right:
            (self.server.objects / oid).write_bytes(self.body)
        self._json({}, 200 if right else 400)

    def load(self, oid: str) -> None:
        self._ranged((self.server.objects / oid).read_bytes(), {'ETag': f'"{oid}"'})

    def commit(self, repo_id: str, branch: str) -> None:
        if not (found := self._commit(repo_id, branch)):
            return
        items = [json.loads(line) for line in self.body.splitlines()]
        parent = items[0]['value'].get('parentCommit')
        if parent and parent != found[1]:
            self._json({'error': 'A commit has happened since.'}, 412)
            return
        name = found[0].commit(branch, items, self.server.objects)
        self._json({'success': True, 'commitOid': name,
                    'commitUrl': f'{self.server.url}/datasets/{repo_id}/commit/{name}'})

    def resolve(self, repo_id: str, revision: str, name: str) -> None:
        if not (found := self._commit(repo_id, revision)):
            return
        path = found[0].folder / found[1] / name
        if not path.is_file():
            self._json({'error': 'Entry not found'}, 404, {'X-Error-Code': 'EntryNotFound'})
            return
        entry = self._entry(found[0].folder / found[1], Path(name))
        headers = {'X-Repo-Commit': found[1], 'ETag': f'"{entry["oid"]}"'}
        if lfs := entry.get('lfs'):
            self._send(b'', 302, {**headers, 'X-Linked-Size': str(lfs['size']),
                                  'X-Linked-ETag': f'"{lfs["oid"]}"',
                                  'Location': f'{self.server.store}/store/{lfs["oid"]}'})
        else:
            self._ranged(path.read_bytes(), headers)

    def _ranged(self, data: bytes, headers: dict[str, str]) -> None:
        match = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('Range', ''))
        if match is None:
            self._send(data, 200, {**headers, 'Accept-Ranges': 'bytes'})
            return
        begin = int(match[1])
        part = data[begin:int(match[2]) + 1 if match[2] else None]
        self._send(part, 206, {
            **headers, 'Content-Range': f'bytes {begin}-{begin + len(part) - 1}/{len(data)}'})

    def who(self) -> None:
        self._json({'name': 'writer', 'type': 'user', 'orgs': [],
                    'auth': {'accessToken': {'role': 'write'}}})

    def check_card(self) -> None:
        right = json.loads(self.body)['content'].startswith('---\n')
        self._json({'warnings': [], 'errors': [] if right else [{'message': 'no metadata'}]},
                   200 if right else 400)


_API = '/api/datasets/([^/]+/[^/]+)'
ROUTES = [
    ('GET /api/whoami-v2', Handler.who),
    ('POST /api/validate-yaml', Handler.check_card),
    ('POST /api/repos/create', Handler.create),
    (f'GET {_API}', Handler.info),
    (f'GET {_API}/revision/([^/]+)', Handler.info),
    (f'GET {_API}/tree/([^/]+)(/.*)?', Handler.tree),
    (f'POST {_API}/paths-info/([^/]+)', Handler.paths),
    (f'GET {_API}/refs', Handler.refs),
    (f'POST {_API}/tag/([^/]+)', Handler.add_tag),
    (f'DELETE {_API}/tag/([^/]+)', Handler.remove_tag),
    (f'POST {_API}/branch/([^/]+)', Handler.add_branch),
    (f'POST {_API}/preupload/([^/]+)', Handler.preupload),
    (f'POST {_API}/commit/([^/]+)', Handler.commit),
    ('POST /datasets/([^/]+/[^/]+).git/info/lfs/objects/batch', Handler.batch),
    ('PUT /store/([0-9a-f]{64})', Handler.store),
    ('(?:GET|HEAD) /store/([0-9a-f]{64})', Handler.load),
    ('(?:GET|HEAD) /datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)', Handler.resolve),
]


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    """Serve repositories from a folder until the body ends."""
    hub = Hub(folder)
    # A short poll: shutting down waits for it.
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
        assert not hub.broken, hub.broken[0]


if __name__ == '__main__':
    with serving(Path(sys.argv[1])) as started:
        print(started.url, flush=True)
        sys.stdin.read()
