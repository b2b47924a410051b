# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
from glob import glob

from setuptools import find_packages
from setuptools import setup

package_name = 'opencv_camera_driver'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={'': ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        ('share/' + package_name + '/launch', glob('launch/*.launch.py')),
    ],
    install_requires=['av', 'numpy', 'pyyaml', 'setuptools', 'simplejpeg'],
    extras_require={'test': ['pytest', 'pytest-timeout']},
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Lifecycle driver of USB cameras, video files and network streams.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'camera = opencv_camera_driver.main:main',
            'find_cameras = opencv_camera_driver.find_cameras:main',
        ],
    },
)
