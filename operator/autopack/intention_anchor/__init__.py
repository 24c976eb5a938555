"""The intention anchor: the document in which a project's owner says what autonomous runs may do."""

from __future__ import annotations

from .v2 import IntentionAnchorV2

__all__ = ["IntentionAnchorV2"]
