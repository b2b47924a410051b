# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Install apprentice_dataset."""

from setuptools import find_packages
from setuptools import setup

package_name = 'apprentice_dataset'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={package_name: ['py.typed', 'view/*.html', 'view/*.css', 'view/*.js']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
    ],
    python_requires='>=3.11',
    install_requires=['setuptools', 'numpy>=1.26', 'pyarrow', 'av>=14'],
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='LeRobotDataset v3.0: record, read, edit, convert, stream, exchange.',
    license='Apache-2.0',
    extras_require={
        'hub': ['huggingface_hub>=1.0'],
        'ray': ['ray'],
        'torch': ['torch', 'torchcodec'],
        'test': ['pytest', 'hypothesis', 'pytest-timeout', 'simplejpeg', 'pyyaml'],
    },
    entry_points={'console_scripts': ['dataset = apprentice_dataset.command_line:main']},
)
