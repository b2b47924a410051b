# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Install apprentice_policies."""

from setuptools import find_packages
from setuptools import setup

package_name = 'apprentice_policies'

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
    install_requires=['setuptools', 'numpy>=1.26', 'draccus', 'safetensors', 'torch'],
    zip_safe=True,
    maintainer='apprentice maintainers',
    maintainer_email='maintainers@apprentice.invalid',
    description='Imitation policies, processors and checkpoints, interchangeable with LeRobot.',
    license='Apache-2.0',
    extras_require={
        'hub': ['huggingface_hub>=1.0'],
        'language': ['tokenizers'],
        'test': ['pytest', 'pytest-timeout', 'pyyaml'],
    },
    entry_points={
        'console_scripts': [
            'migrate = apprentice_policies.command_line:migrate',
            'pull = apprentice_policies.command_line:pull',
            'push = apprentice_policies.command_line:push',
        ],
        'apprentice_policies.policies': [
            'act = apprentice_policies.act',
            'diffusion = apprentice_policies.diffusion',
            'multi_task_dit = apprentice_policies.multi_task_dit',
            'tdmpc = apprentice_policies.tdmpc',
            'vqbet = apprentice_policies.vqbet',
        ],
    },
)
