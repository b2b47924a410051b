# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages
from setuptools import setup

NAME = 'apprentice_node'

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='What every apprentice node shares: parameters, lifecycle, signals, diagnostics.',
    license='Apache-2.0',
)
