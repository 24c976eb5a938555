"""`python -m autopack.cli`, the seed's name for the command line: a package of its own, above this library."""

from __future__ import annotations

import sys

from autopack_cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
