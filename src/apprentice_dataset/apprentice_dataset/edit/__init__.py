# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make new datasets out of episodes of existing ones."""
