"""Anchors in files."""

from __future__ import annotations

from pathlib import Path

from autopack.errors import printable

from .loader import MAX_BYTES, AnchorError, parse_anchor
from .v2 import IntentionAnchorV2


def load_anchor(path: Path) -> IntentionAnchorV2:
    """Read and check an anchor file; raises AnchorError for one that is absent, unreadable or wrong.

    At most 256 KiB and a byte are read, whatever the file's size.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"the anchor {printable(str(path), 200)} cannot be read: {error.strerror}"
        raise AnchorError("AnchorAbsent", message, "Give the path of an IntentionAnchorV2 JSON file") from error
    return parse_anchor(raw)
