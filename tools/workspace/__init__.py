# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The parts of `ws`: standard library only, since they run before anything is installed."""
