# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold the features of datasets to those of a policy, and give a new policy the dataset's."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from apprentice_policies.config import PolicyConfig
from apprentice_policies.features import FeatureType
from apprentice_policies.features import from_dataset
from apprentice_policies.features import NormalizationMode
from apprentice_policies.features import PolicyFeature
from apprentice_training.data import Source
from apprentice_training.data import used_keys
from apprentice_training.errors import TrainingError

_NEEDED = {
    NormalizationMode.MEAN_STD: ('mean', 'std'), NormalizationMode.MIN_MAX: ('min', 'max'),
    NormalizationMode.QUANTILES: ('q01', 'q99'), NormalizationMode.QUANTILE10: ('q10', 'q90')}
# ImageNet's, by channel.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Stats = dict[str, dict[str, Any]]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text with columns of equal width, each line indented."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in rows]
    return ''.join(f'\n  {line}' for line in lines)


def check_mixture(sources: Sequence[Source], config: PolicyConfig,
                  rename: Mapping[str, str]) -> None:
    """Raise `TrainingError` unless all datasets have the first one's rate and features."""
    metas = [source.meta for source in sources]
    rows = [['', *(source.repo_id for source in sources)],
            ['fps', *(f'{meta.fps:g}' for meta in metas)]]
    names = dict.fromkeys(name for meta in metas for name in from_dataset(meta.features))
    for name in used_keys(config, list(names), rename) if config.input_features else names:
        rows.append([name, *(_form(from_dataset(meta.features).get(name)) for meta in metas)])
    different = [row for row in rows[1:] if len(set(row[1:])) > 1]
    if different:
        raise TrainingError('datasets that are mixed must have one rate and the same features; '
                            f'found{table([rows[0], *different])}\nleave features out by '
                            '--policy.input_features, or edit the datasets by `dataset '
                            'rename-feature` and `remove-feature`')


def adopt(config: PolicyConfig, source: Source, rename: Mapping[str, str],
          trained: bool) -> None:
    """
    Give a policy the features of a dataset; those that it has already must be there.

    :param trained: the policy has weights, so its actions are settled, too.
    :raises TrainingError: one table of what does not fit.
    """
    found = {rename.get(name, name): feature
             for name, feature in from_dataset(source.meta.features).items()}
    inputs = {name: one for name, one in found.items() if one.type != FeatureType.ACTION}
    outputs = {name: one for name, one in found.items() if one.type == FeatureType.ACTION}
    wanted = dict(config.input_features or {})
    if trained:
        wanted.update(config.output_features or {})
    _compare(wanted, found, source.repo_id)
    if not config.input_features:
        config.input_features = inputs
    if not trained:
        config.output_features = outputs
    config.check_features()


def _compare(wanted: Mapping[str, PolicyFeature], found: Mapping[str, PolicyFeature],
             name: str) -> None:
    rows = [['feature', 'policy', 'dataset', '']]
    for key, feature in wanted.items():
        there = found.get(key)
        verdict = 'missing' if there is None else \
            '' if tuple(there.shape) == tuple(feature.shape) else 'another shape'
        rows.append([key, _form(feature), _form(there), verdict])
    rows += [[key, '-', _form(feature), 'not used'] for key, feature in found.items()
             if key not in wanted and feature.type != FeatureType.ACTION]
    if any(row[3] in ('missing', 'another shape') for row in rows):
        raise TrainingError(f'dataset {name} does not have what the policy takes:{table(rows)}\n'
                            f'{_hint(wanted, found)}')


def _hint(wanted: Mapping[str, PolicyFeature], found: Mapping[str, PolicyFeature]) -> str:
    pairs = {}
    for key, feature in wanted.items():
        alike = [other for other, one in found.items()
                 if other not in wanted and other not in pairs
                 and (one.type, tuple(one.shape)) == (feature.type, tuple(feature.shape))]
        if key not in found and alike:
            pairs[alike[0]] = key
    if pairs:
        text = ', '.join(f'"{old}": "{new}"' for old, new in pairs.items())
        return f"if they are the same under other names: --rename_map='{{{text}}}'"
    return 'choose another dataset or policy, or set --policy.input_features'


def _form(feature: PolicyFeature | None) -> str:
    return f'{feature.type.value} {tuple(feature.shape)}' if feature else '-'


def policy_statistics(config: PolicyConfig, stats: Mapping[str, Any], rename: Mapping[str, str],
                      imagenet: bool, where: str) -> Stats:
    """
    Return the statistics under the policy's names, ImageNet's for cameras where it is wanted.

    :raises TrainingError: a table of what is missing.
    """
    found: Stats = {rename.get(name, name): dict(one) for name, one in stats.items()}
    for name in config.images if imagenet else ():
        one = found.setdefault(name, {})
        one['mean'] = [[[value]] for value in _MEAN]
        one['std'] = [[[value]] for value in _STD]
    modes = getattr(config, 'normalization_mapping', {})
    rows = [['feature', 'normalised by', 'missing']]
    features = {**(config.input_features or {}), **(config.output_features or {})}
    for name, feature in features.items():
        mode = modes.get(feature.type.value, NormalizationMode.IDENTITY)
        missing = [one for one in _NEEDED.get(mode, ()) if one not in found.get(name, {})]
        if missing:
            rows.append([name, NormalizationMode(mode).value, ', '.join(missing)])
    if len(rows) > 1:
        raise TrainingError(f'dataset {where} lacks statistics:{table(rows)}\ncompute them by '
                            '`ros2 run apprentice_dataset dataset recompute-stats DIR '
                            '--in-place`')
    return found
