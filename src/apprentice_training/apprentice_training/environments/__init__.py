# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Where policies are tried: gymnasium environments, chosen by `--env.type`."""
