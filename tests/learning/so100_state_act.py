# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Learn the simulated SO-100's pick and place from scratch, and print a line for docs/results.md.

    ./ws shell -- python tests/learning/so100_state_act.py --folder /tmp/learn

demonstrates episodes, trains, tries the policy in worlds that it has not seen, and ends with 1
where fewer succeed than promised. What is in the folder already is not made again.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass
import json
import os
from pathlib import Path
import platform
import subprocess
import sys
import time

# Worlds of the demonstrations begin at 0.
FIRST_TRIAL = 10_000
_ALL = ('VISUAL', 'STATE', 'ENV', 'ACTION')


def _normalized(mode: str) -> str:
    # The policies' own defaults leave the cube's pose in m, which is next to nothing.
    modes = ', '.join(f'{kind}: {"MEAN_STD" if kind == "VISUAL" else mode}' for kind in _ALL)
    return f'--policy.normalization_mapping={{{modes}}}'


@dataclass(frozen=True)
class Variant:
    """What is learned how: flags of training, cameras seen, and the success promised, in %."""

    promise: int
    steps: int
    batch_size: int
    flags: tuple[str, ...]
    cameras: tuple[str, ...] = ()


_ACT = (
    '--policy.type=act', '--policy.use_vae=false', '--policy.dropout=0.0',
    '--policy.chunk_size=40', '--policy.n_action_steps=20', _normalized('MEAN_STD'),
    # A rate that falls to nothing ends nearer to the demonstrations than ACT's constant one.
    '--use_policy_training_preset=false', '--optimizer.type=adamw',
    '--optimizer.weight_decay=0.0001', '--scheduler.type=diffuser', '--scheduler.name=cosine',
    '--scheduler.num_warmup_steps=200')
VARIANTS = {
    'act': Variant(90, 12000, 64, (
        *_ACT, '--policy.dim_model=128', '--policy.n_heads=4', '--policy.dim_feedforward=512',
        '--optimizer.lr=0.0005')),
    'diffusion': Variant(80, 8000, 64, (
        '--policy.type=diffusion', '--policy.down_dims=[128, 256]', '--policy.horizon=16',
        '--policy.n_action_steps=8', '--policy.noise_scheduler_type=DDIM',
        '--policy.num_inference_steps=10', '--policy.optimizer_lr=0.0003',
        _normalized('MIN_MAX'))),
    'vqbet': Variant(80, 8000, 32, (
        '--policy.type=vqbet', '--policy.n_vqvae_training_steps=2000',
        '--policy.gpt_n_layer=4', '--policy.gpt_n_head=4', '--policy.gpt_hidden_dim=256',
        '--policy.optimizer_lr=0.0003', _normalized('MIN_MAX')), ('front',)),
    'act_cameras': Variant(80, 6000, 16, (
        *_ACT, '--policy.dim_model=256', '--policy.dim_feedforward=1024',
        '--optimizer.lr=0.0001'),
        ('front', 'wrist')),
}


def main() -> int:
    """Do the three parts and print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--folder', type=Path, required=True)
    parser.add_argument('--variant', choices=VARIANTS, default='act')
    parser.add_argument('--episodes', type=int, default=50, help='demonstrated (default: 50)')
    parser.add_argument('--trials', type=int, default=50)
    parser.add_argument('--steps', type=int, help="of training (default: the variant's)")
    parser.add_argument('--seed', type=int, default=0, help='of training (default: 0)')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('flags', nargs='*', help='more flags of training, after --')
    arguments = parser.parse_args()
    variant = VARIANTS[arguments.variant]
    data = arguments.folder / ('_'.join(('data', *variant.cameras)))
    run = arguments.folder / f'{arguments.variant}_{arguments.seed}'
    if not (data / 'meta' / 'info.json').exists():
        _call('apprentice_sim.demonstrate_main', f'--root={data}',
              f'--episodes={arguments.episodes}', '--seed=0', *_recorded(variant))
    if not run.exists():
        begin = time.monotonic()
        _train(arguments, variant, data, run)
        (run / 'minutes.txt').write_text(f'{(time.monotonic() - begin) / 60:.1f}\n')
    return _report(arguments, variant, run)


def _recorded(variant: Variant) -> list[str]:
    if not variant.cameras:
        return []
    return ['--cameras=96', '--camera', *variant.cameras, '--no-environment-state']


def _train(arguments: argparse.Namespace, variant: Variant, data: Path, run: Path) -> None:
    steps = arguments.steps or variant.steps
    _call('apprentice_training.train', f'--dataset.root={data}', '--dataset.repo_id=local/so100',
          f'--output_dir={run}', f'--steps={steps}', f'--save_freq={steps}', '--log_freq=200',
          f'--batch_size={variant.batch_size}', f'--seed={arguments.seed}', '--num_workers=0',
          '--policy.push_to_hub=false', f'--policy.device={arguments.device}', *variant.flags,
          *arguments.flags)


def _report(arguments: argparse.Namespace, variant: Variant, run: Path) -> int:
    cameras = ', '.join(variant.cameras)
    _call('apprentice_training.evaluate', f'--policy.path={run}',
          f'--policy.device={arguments.device}', '--env.type=so100',
          f'--env.cameras=[{cameras}]', f'--env.environment_state={str(not cameras).lower()}',
          f'--eval.n_episodes={arguments.trials}', f'--seed={FIRST_TRIAL}',
          f'--output_dir={run}/eval')
    overall = json.loads((run / 'eval' / 'eval_info.json').read_text())['overall']
    low, high = overall['pc_success_95']
    minutes = (run / 'minutes.txt').read_text().strip()
    machine = f'{platform.machine()}, {len(os.sched_getaffinity(0))} cores, {arguments.device}'
    sys.stdout.write(
        f'| {arguments.variant} | {cameras or "cube pose"} | {arguments.episodes} | '
        f'{arguments.steps or variant.steps} | {minutes} min | {arguments.seed} | '
        f'{overall["successes"]} of {overall["n_episodes"]} | {low:.0f} to {high:.0f} % | '
        f'{machine} |\n')
    return 0 if overall['pc_success'] >= variant.promise else 1


def _call(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, '-m', module, *arguments], check=True)


if __name__ == '__main__':
    sys.exit(main())
