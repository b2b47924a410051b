# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Try a policy in environments, count, and say how sure the result is."""
