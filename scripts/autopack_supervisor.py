#!/usr/bin/env python3
"""The seed's entry point: the same code as `autopack autopilot supervise`, with the same flags."""

from __future__ import annotations

import sys
from pathlib import Path

# Works from a checkout that is not installed, too.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "operator"))

from autopack_cli.main import main

if __name__ == "__main__":
    sys.exit(main(["autopilot", "supervise", *sys.argv[1:]]))
