# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
from glob import glob

from setuptools import find_packages
from setuptools import setup

package_name = 'apprentice_sim'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={'': ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        ('share/' + package_name + '/config', glob('config/*')),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Servo bus simulators, a MuJoCo world, cameras and a scripted demonstrator.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'bus = apprentice_sim.bus_main:main',
            'world = apprentice_sim.entry:world',
            'cameras = apprentice_sim.entry:cameras',
            'demonstrator = apprentice_sim.entry:demonstrator',
            'demonstrate = apprentice_sim.demonstrate_main:main',
        ],
    },
)
