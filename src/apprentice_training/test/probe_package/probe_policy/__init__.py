# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The next action as a linear function of the state, with ways to fail."""
