# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Choose where a policy runs."""

from __future__ import annotations

import warnings

import torch


def resolve_device(name: str | None) -> torch.device:
    """Return a device that exists here: the one named, else the CPU, with a warning."""
    try:
        device = torch.device(name or 'cpu')
        # Nothing else tells whether a device is there, and can be used; `meta` holds no numbers.
        torch.zeros(1, device=device).tolist()
    except (RuntimeError, AssertionError, NotImplementedError):
        warnings.warn(f'device: found {name!r}, which torch cannot use here; the CPU is used',
                      stacklevel=2)
        return torch.device('cpu')
    return device
