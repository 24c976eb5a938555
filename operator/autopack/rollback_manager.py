"""The name under which earlier versions had `autopack.rollback`."""

from __future__ import annotations

from .rollback import PROTECTED_PATTERNS, RollbackManager

__all__ = ["PROTECTED_PATTERNS", "RollbackManager"]
