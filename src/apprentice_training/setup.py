# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Install apprentice_training."""

from setuptools import find_packages
from setuptools import setup

package_name = 'apprentice_training'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={package_name: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
    ],
    python_requires='>=3.11',
    install_requires=['setuptools', 'numpy>=1.26', 'draccus', 'safetensors', 'torch',
                      'tensorboard'],
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Train and evaluate policies: checkpoints of LeRobot, resumed exactly.',
    license='Apache-2.0',
    extras_require={
        'environments': ['gymnasium'],
        'launch': ['accelerate'],
        'wandb': ['wandb'],
        'test': ['pytest', 'pytest-timeout', 'simplejpeg'],
    },
    entry_points={
        'console_scripts': [
            'evaluate = apprentice_training.evaluate:main',
            'online = apprentice_training.online:main',
            'train = apprentice_training.train:main',
        ],
    },
)
