"""What every layer shares: the option `--proofs`."""

from __future__ import annotations

pytest_plugins = ["tests.named_tests"]
