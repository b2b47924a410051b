# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The one error of this package that a user can cause."""


class TrainingError(ValueError):
    """Say what keeps a training or an evaluation from going on, where, and what would do."""
