# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Install apprentice_doctor."""

from setuptools import find_packages
from setuptools import setup

package_name = 'apprentice_doctor'

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
    description='Find what is wrong with arms, cameras, machine and network, and tell the cure.',
    license='Apache-2.0',
    extras_require={'test': ['pytest', 'pytest-timeout']},
    entry_points={
        'console_scripts': [
            'clock_echo = apprentice_doctor.clock_echo:main',
            'doctor = apprentice_doctor.doctor:main',
        ],
    },
)
