# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Install apprentice_recorder."""

from setuptools import find_packages
from setuptools import setup

package_name = 'apprentice_recorder'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Recorder: topics become a LeRobot dataset while they flow.',
    license='Apache-2.0',
    extras_require={'test': ['pytest']},
    entry_points={
        'console_scripts': [
            'console = apprentice_recorder.main:console',
            'recorder = apprentice_recorder.main:recorder',
            'report = apprentice_recorder.main:report',
        ],
    },
)
