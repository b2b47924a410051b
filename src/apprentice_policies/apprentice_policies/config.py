# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What every policy's configuration has, and how it stands in `config.json`."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
import json
from pathlib import Path
from typing import Any
from typing import ClassVar
from typing import Self

from apprentice_policies.errors import PolicyError
from apprentice_policies.features import ACTION
from apprentice_policies.features import ENVIRONMENT
from apprentice_policies.features import FeatureType
from apprentice_policies.features import NormalizationMode
from apprentice_policies.features import PolicyFeature
from apprentice_policies.features import STATE
from apprentice_policies.optimization import Preset
from apprentice_policies.registry import load_entry_points
import draccus

CONFIG_FILE = 'config.json'


@dataclass
class PolicyConfig(draccus.ChoiceRegistry):
    """
    Base of all configurations: a choice by `type`, with LeRobot's fields in LeRobot's order.

    A subclass is a dataclass registered by `@PolicyConfig.register_subclass(name)`; it imports no
    torch. Reading is strict: an unknown field or a wrong type is an error, at any level.
    """

    n_obs_steps: int = 1
    input_features: dict[str, PolicyFeature] | None = field(default_factory=dict)
    output_features: dict[str, PolicyFeature] | None = field(default_factory=dict)
    device: str | None = None
    use_amp: bool = False
    use_peft: bool = False
    push_to_hub: bool = True
    repo_id: str | None = None
    private: bool | None = None
    tags: list[str] | None = None
    license: str | None = None
    pretrained_path: str | None = None
    pretrained_revision: str | None = None

    TITLE: ClassVar[str] = ''
    """Name, authors and number of the paper, for help and model cards."""

    @property
    def type(self) -> str:
        """Return the registered name."""
        return self.get_choice_name(type(self))

    @property
    def robot_state(self) -> PolicyFeature | None:
        """Return the input named `observation.state`, (D,)."""
        feature = (self.input_features or {}).get(STATE)
        return feature if feature and feature.type == FeatureType.STATE else None

    @property
    def environment_state(self) -> PolicyFeature | None:
        """Return the first input of type ENV, (D,)."""
        found = self._inputs(FeatureType.ENV)
        return next(iter(found.values()), None)

    @property
    def environment_key(self) -> str:
        """Return the key of `environment_state`."""
        return next(iter(self._inputs(FeatureType.ENV)), ENVIRONMENT)

    @property
    def images(self) -> dict[str, PolicyFeature]:
        """Return the cameras in the order of the file, which is the network's order."""
        return self._inputs(FeatureType.VISUAL)

    @property
    def action(self) -> PolicyFeature | None:
        """Return the output named `action`, (A,)."""
        return (self.output_features or {}).get(ACTION)

    def _inputs(self, kind: FeatureType) -> dict[str, PolicyFeature]:
        return {key: value for key, value in (self.input_features or {}).items()
                if value.type == kind}

    @property
    def observation_delta_indices(self) -> list[int] | None:
        """Return which frames of `observation*` a batch holds; None: one, without a time axis."""
        return None

    @property
    def action_delta_indices(self) -> list[int] | None:
        """Return which frames of `action` a training batch holds."""
        return None

    @property
    def reward_delta_indices(self) -> list[int] | None:
        """Return which frames of `next.reward` a training batch holds."""
        return None

    @property
    def history(self) -> int:
        """Return how many observations `predict_chunk` takes; 0: one without a time axis."""
        return self.n_obs_steps if self.observation_delta_indices else 0

    def language_steps(self) -> list[tuple[str, dict[str, Any]]]:
        """
        Return the steps of the preprocessor that prepare tasks, by registry name and config.

        They stand between the batch axis and the device.
        """
        return []

    def preset(self) -> Preset:
        """Return the optimiser and schedule that the policy is trained with by default."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise `PolicyError` where fields contradict each other; before features are known."""

    def check_features(self) -> None:
        """Raise `PolicyError` where the features do not suit the policy."""

    def __post_init__(self) -> None:
        """Refuse what `check` refuses."""
        self.check()

    def demand(self, holds: bool, name: str, expected: str) -> None:
        """Raise `PolicyError` about one field unless something holds."""
        if not holds:
            raise PolicyError(f'policy.{name}: found {getattr(self, name)!r}, expected {expected}')

    @classmethod
    def from_dict(cls, values: dict[str, Any], where: str = CONFIG_FILE) -> Self:
        """Decode a JSON object; raise `PolicyError` that names the field in `where`."""
        load_entry_points()
        known = sorted(PolicyConfig.get_known_choices())
        if values.get('type') not in known:
            raise PolicyError(f'{where}: type: found {values.get("type")!r}, expected one of '
                              f'{", ".join(known)}; a policy of another package has to be '
                              'installed beside this one')
        try:
            config = draccus.decode(PolicyConfig, values)
        except (draccus.utils.DraccusException, PolicyError) as error:
            raise PolicyError(f'{where}: {_reason(error)}') from None
        return config

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read `config.json`, given itself or its folder."""
        path = Path(path)
        path = path / CONFIG_FILE if path.is_dir() else path
        try:
            values = json.loads(path.read_bytes())
        except OSError as error:
            raise PolicyError(f'{path}: {error.strerror}; expected the {CONFIG_FILE} of a '
                              'checkpoint') from None
        except ValueError as error:
            raise PolicyError(f'{path}: not JSON: {error}') from None
        if not isinstance(values, dict):
            raise PolicyError(f'{path}: found {type(values).__name__}, expected a JSON object')
        return cls.from_dict(values, str(path))

    def to_dict(self) -> dict[str, Any]:
        """Encode as in `config.json`, `type` first."""
        return draccus.encode(self, declared_type=PolicyConfig)

    def to_json(self) -> str:
        """Return the text of `config.json`."""
        return json.dumps(self.to_dict(), indent=4) + '\n'


def _reason(error: BaseException) -> str:
    # draccus wraps what a constructor raises.
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, PolicyError):
        inner = inner.__cause__ or inner.__context__
    return ' '.join(str(inner or error).split())


def own_fields(config: PolicyConfig) -> list[str]:
    """Return the names of the fields that a policy adds to the base."""
    base = {item.name for item in fields(PolicyConfig)}
    return [item.name for item in fields(config) if item.name not in base]


def normalization(**modes: str) -> Any:
    """Return the dataclass field of a `normalization_mapping` with these defaults."""
    return field(default_factory=lambda: {key: NormalizationMode(value)
                                          for key, value in modes.items()})
