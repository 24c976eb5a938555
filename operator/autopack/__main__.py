"""`python -m autopack`."""

from __future__ import annotations

import sys

from autopack.cli import main

if __name__ == "__main__":
    sys.exit(main())
