#!/usr/bin/env bash
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
# Run a command in the sourced environment of the workspace.
set -e
source /ws/.venv/apprentice.bash
exec "$@"
