# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0

from setuptools import find_packages
from setuptools import setup

package_name = 'apprentice_contract'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
    ],
    install_requires=['setuptools', 'numpy', 'pyyaml'],
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Robot contract, message codecs and the sampler that makes rows of topics.',
    license='Apache-2.0',
    extras_require={'test': ['pytest', 'hypothesis', 'pytest-timeout']},
)
