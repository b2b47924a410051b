# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""How ament_copyright recognises the licence of this workspace (setup.py has the entry point)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """Texts of which one must stand in a source file, in LICENSE and in CONTRIBUTING.md."""

    name: str
    spdx: str
    file_headers: tuple[str, ...]
    license_files: tuple[str, ...]
    contributing_files: tuple[str, ...]


# ament_copyright knows the long header of the Apache License only.
APACHE2_SPDX = Licence(
    'Apache License, Version 2.0', 'Apache-2.0',
    ('{copyright}\nSPDX-License-Identifier: Apache-2.0',),
    ('Apache License Version 2.0, January 2004',),
    ('you agree that your work is published under the Apache License 2.0',))
