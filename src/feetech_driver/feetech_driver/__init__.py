# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Driver of Feetech STS, SMS and SCS servo buses."""
