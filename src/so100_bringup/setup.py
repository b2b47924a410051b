# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Install so100_bringup."""

from glob import glob

from setuptools import find_packages
from setuptools import setup

package_name = 'so100_bringup'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
        (f'share/{package_name}/launch', sorted(glob('launch/*.launch.py'))),
        (f'share/{package_name}/config', sorted(glob('config/*.yaml'))),
        (f'share/{package_name}/config/sim', sorted(glob('config/sim/*.json'))),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Launch files, parameters and simulated calibration of the SO-100 arm pair.',
    license='Apache-2.0',
    extras_require={'test': ['pytest']},
)
