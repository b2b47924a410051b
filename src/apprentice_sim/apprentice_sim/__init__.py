# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Simulate servo buses, an arm's world and its cameras."""
