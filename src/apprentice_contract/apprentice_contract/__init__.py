# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The contract between topics and features: schema, message codecs and the sampler."""
