# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Verbs of the command line, one a module."""
