#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Print the policies that allow each running node exactly what it does now."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys
import time

from graph import node_names
from graph import read_enclaves
import policy
import rclpy


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the graph; enclaves of --keep whose node does not run are kept."""
    parser = argparse.ArgumentParser(prog='make_policies', description=__doc__)
    parser.add_argument('--keep', type=Path, help='policy file whose other enclaves are kept')
    parser.add_argument('--wait', type=float, default=5.0, help='seconds for discovery')
    options = parser.parse_args(arguments)
    rclpy.init()
    reader = rclpy.create_node('policy_reader', enable_rosout=False)
    time.sleep(options.wait)
    enclaves = {found.path: found for found in policy.load(options.keep)} if options.keep else {}
    for found in read_enclaves(reader, node_names(reader)):
        enclaves[found.path] = found
    print(policy.to_xml(tuple(enclaves.values())), end='')
    reader.destroy_node()
    rclpy.shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
