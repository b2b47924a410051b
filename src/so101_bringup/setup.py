# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Install so101_bringup."""

from glob import glob

from setuptools import setup

package_name = 'so101_bringup'

setup(
    name=package_name,
    version='0.1.0',
    packages=[],
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
        (f'share/{package_name}/launch', sorted(glob('launch/*.launch.py'))),
        (f'share/{package_name}/config', sorted(glob('config/*.yaml'))),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Launch files of the SO-101 arm pair: those of the SO-100 with other defaults.',
    license='Apache-2.0',
    extras_require={'test': ['pytest']},
)
