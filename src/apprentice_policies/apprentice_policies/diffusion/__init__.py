# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""See `model.py` for the network, `policy.py` for what is done with it."""
