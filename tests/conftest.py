"""What every layer shares: the option `--proofs`."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["tests.named_tests"]

# On a busy machine an example takes as long as it takes; what is slow by itself is seen with --durations.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
