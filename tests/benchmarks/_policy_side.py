# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Time training steps or predictions of one policy, ours or lerobot's, under lerobot's Python.

    _policy_side.py SIDE POLICY WHAT COUNT THREADS      prints a line of JSON

SIDE is `ours` or `lerobot`, WHAT `step` or `predict`.
"""
from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
import json
from pathlib import Path
import resource
import sys
import time
from typing import Any

TESTS = Path(__file__).resolve().parents[2] / 'src' / 'apprentice_policies' / 'test'
sys.path.insert(0, str(TESTS))

from policy_cases import Case  # noqa: E402
from policy_cases import draw  # noqa: E402
from policy_parity import rule_weights  # noqa: E402
import torch  # noqa: E402

SIZE = (240, 320)
CAMERAS = {f'observation.images.{name}': SIZE for name in ('front', 'wrist')}
CASES = {
    'act': Case('act', {'pretrained_backbone_weights': None}, CAMERAS),
    'diffusion': Case('diffusion', {'pretrained_backbone_weights': None,
                                    'num_inference_steps': 10}, CAMERAS),
}
WARM = 2


def main() -> None:
    """Do what the command line says."""
    side, name, what, count, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    case = CASES[name]
    policy, optimizer, chunk = (_ours if side == 'ours' else _lerobot)(case)
    rule_weights(policy)
    if what == 'step':
        clock, result = _steps(policy, optimizer, _batch(case, policy.config, 4), int(count))
    else:
        clock, result = _predictions(policy, chunk, _batch(case, policy.config, 1), int(count))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({
        'seconds': clock.wall[WARM:], 'cpu_seconds': clock.processor[WARM:], 'result': result,
        'peak_mb': peak}) + '\n')


class Clock:
    """Take the time of what is done under it, by the wall and by the processor."""

    def __init__(self) -> None:
        """Begin without a time."""
        self.wall: list[float] = []
        self.processor: list[float] = []

    def __enter__(self) -> None:
        """Begin to measure."""
        self._begin = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        """Add what has passed."""
        self.wall.append(time.perf_counter() - self._begin[0])
        self.processor.append(time.process_time() - self._begin[1])


def _ours(case: Case) -> tuple[Any, Any, Callable[..., Any]]:
    from apprentice_policies.config import PolicyConfig
    from apprentice_policies.features import FeatureType
    from apprentice_policies.features import PolicyFeature
    part = f'apprentice_policies.{case.policy}'
    import_module(f'{part}.config')
    inputs, outputs = ({key: PolicyFeature(FeatureType(kind), shape)
                        for key, (kind, shape) in features.items()}
                       for features in (case.inputs(), case.outputs()))
    config = PolicyConfig.get_choice_class(case.policy)(
        **case.config, input_features=inputs, output_features=outputs)
    policy = import_module(f'{part}.policy').POLICY(config)
    return (policy, config.preset().optimizer.build(policy.optimizer_parameters()),
            policy.predict_chunk)


def _lerobot(case: Case) -> tuple[Any, Any, Callable[..., Any]]:
    from lerobot.configs import FeatureType
    from lerobot.configs import PolicyFeature
    from lerobot.policies import get_policy_class
    from lerobot.policies import make_policy_config
    inputs, outputs = ({key: PolicyFeature(FeatureType(kind), shape)
                        for key, (kind, shape) in features.items()}
                       for features in (case.inputs(), case.outputs()))
    config = make_policy_config(case.policy, **case.config, input_features=inputs,
                                output_features=outputs, device='cpu', push_to_hub=False)
    policy = get_policy_class(case.policy)(config)
    return (policy, config.get_optimizer_preset().build(policy.get_optim_params()),
            policy.predict_action_chunk)


def _batch(case: Case, config: Any, size: int) -> dict[str, torch.Tensor]:
    lead = () if config.observation_delta_indices is None else (
        len(config.observation_delta_indices),)
    batch = {key: torch.from_numpy(draw(key, 0, (size, *lead, *shape)))
             for key, (_, shape) in case.inputs().items()}
    steps = len(config.action_delta_indices)
    batch['action'] = torch.from_numpy(draw('action', 0, (size, steps, case.action)))
    batch['action_is_pad'] = torch.zeros(size, steps, dtype=torch.bool)
    return batch


def _steps(policy: Any, optimizer: Any, batch: dict[str, torch.Tensor],
           count: int) -> tuple[Clock, list[float]]:
    """Return the times of training steps, and the loss without dropout before the first."""
    torch.manual_seed(0)
    with torch.no_grad():
        result = [policy.eval()(dict(batch))[0].item()]
    policy.train()
    clock = Clock()
    for _ in range(WARM + count):
        with clock:
            loss, _ = policy(dict(batch))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(policy.parameters(), 10.0)
            optimizer.step()
            optimizer.zero_grad()
    return clock, result


def _predictions(policy: Any, chunk: Callable[..., Any], batch: dict[str, torch.Tensor],
                 count: int) -> tuple[Clock, list[float]]:
    """Return the times of predictions of a chunk, and the last chunk."""
    observation = {key: value for key, value in batch.items() if key.startswith('observation.')}
    policy.eval()
    clock = Clock()
    for _ in range(WARM + count):
        policy.reset()
        torch.manual_seed(0)
        with clock, torch.no_grad():
            found = chunk(dict(observation))
    return clock, found.flatten().tolist()


if __name__ == '__main__':
    main()
