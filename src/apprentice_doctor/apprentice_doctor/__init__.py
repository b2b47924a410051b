# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find what is wrong with arms, cameras, machine and network, and tell the cure."""
