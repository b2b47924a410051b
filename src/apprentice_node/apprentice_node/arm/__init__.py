# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Share what the driver of every guarded arm needs: topics, services, parameters, health."""
