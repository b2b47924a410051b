# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Train and evaluate policies; `docs/training.md` and `docs/evaluation.md` tell how."""
