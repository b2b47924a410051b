# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from setuptools import setup

NAME = 'apprentice'


def files_of(folder: str) -> list[tuple[str, list[str]]]:
    """Return the data_files entries of a folder with what lies below it."""
    groups: dict[str, list[str]] = {}
    for path in sorted(Path(folder).rglob('*')):
        if path.is_file():
            groups.setdefault(f'share/{NAME}/{path.parent}', []).append(str(path))
    return list(groups.items())


setup(
    name=NAME,
    version='0.1.0',
    packages=[NAME],
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        *files_of('launch'),
        *files_of('config'),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    author='apprentice maintainers',
    author_email='maintainers@apprentice.invalid',
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Metapackage of the apprentice workspace.',
    license='Apache-2.0',
    extras_require={'test': ['pytest', 'pytest-timeout']},
    entry_points={'ament_copyright.license': [f'apache2_spdx = {NAME}.licence:APACHE2_SPDX']},
)
