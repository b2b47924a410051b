# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
from glob import glob

from setuptools import find_packages
from setuptools import setup

package_name = 'so_arm_description'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={'': ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        ('share/' + package_name + '/launch', glob('launch/*.launch.py')),
        ('share/' + package_name + '/urdf', glob('urdf/*.urdf')),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='URDF of the SO-100 and SO-101 arms in primitive shapes, and a reader for it.',
    license='Apache-2.0',
)
