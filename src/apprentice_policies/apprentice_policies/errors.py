# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The one error of this package that a user can cause."""


class PolicyError(ValueError):
    """Say what is wrong with a configuration, checkpoint or batch, where, and what would do."""
