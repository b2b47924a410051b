# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep the commits of a repository of the test's Hub as folders."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from dataclasses import field
import hashlib
import os
from pathlib import Path
import shutil
from typing import Any


@dataclass
class Fault:
    """Break a request once: close after so many bytes of the body, or answer with a status."""

    method: str
    path: str
    after: int = 0
    status: int = 0


@dataclass
class Repository:
    """Hold the refs of one repository; its commits are folders."""

    folder: Path
    private: bool
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, items: list[dict[str, Any]], objects: Path) -> str:
        """Make a commit out of the one before and what changes."""
        parent = self.branches.get(branch)
        name = hashlib.sha1(os.urandom(16)).hexdigest()
        folder = self.folder / name
        if parent:
            shutil.copytree(self.folder / parent, folder, copy_function=os.link)
        folder.mkdir(exist_ok=True)
        for item in items:
            key, value = item['key'], item['value']
            path = folder / value.get('path', '')
            if key != 'header':
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
            if key == 'file':
                path.write_bytes(base64.b64decode(value['content']))
            elif key == 'lfsFile':
                os.link(objects / value['oid'], path)
        self.branches[branch] = name
        return name

    def find(self, revision: str) -> str | None:
        """Return the commit of a branch, tag or commit."""
        known = {**self.branches, **self.tags}
        return known.get(revision, revision if (self.folder / revision).is_dir() else None)

    def files(self, commit: str) -> list[Path]:
        """Return the paths of a commit's files."""
        folder = self.folder / commit
        return sorted(path.relative_to(folder) for path in folder.rglob('*') if path.is_file())
