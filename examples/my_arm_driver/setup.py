# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
from setuptools import setup

NAME = 'my_arm_driver'

setup(
    name=NAME,
    version='0.1.0',
    packages=[NAME],
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
    ],
    install_requires=['pyserial', 'setuptools'],
    zip_safe=True,
    maintainer='you',
    maintainer_email='you@example.com',
    description='Driver of an arm that takes lines of text on a serial port, as an example.',
    license='Apache-2.0',
    entry_points={'console_scripts': [
        'driver = my_arm_driver.driver:main',
        'simulator = my_arm_driver.simulator:main',
    ]},
)
