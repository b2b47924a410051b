# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from setuptools import find_packages
from setuptools import setup

package_name = 'feetech_driver'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
    ],
    install_requires=['feetech-servo-sdk', 'pyserial', 'setuptools'],
    extras_require={'test': ['hypothesis', 'pytest', 'pytest-timeout']},
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Lifecycle driver of Feetech STS, SMS and SCS servo buses.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'calibrate = feetech_driver.calibrate:main',
            'calibration = feetech_driver.calibration_main:main',
            'driver = feetech_driver.main:main',
            'find_port = feetech_driver.find_port:main',
            'keeper = feetech_driver.keeper:main',
            'setup_motors = feetech_driver.setup_motors:main',
            'setup_node = feetech_driver.setup_main:main',
        ],
    },
)
