"""Anchors in files."""

from __future__ import annotations

from pathlib import Path

from autopack.errors import printable
from autopack.files import write_json_atomic

from .loader import MAX_BYTES, AnchorError, parse_anchor
from .v2 import IntentionAnchorV2


class AnchorFileMissing(AnchorError, FileNotFoundError):  # noqa: N818 - says a state
    """There is no anchor file; also a FileNotFoundError, which callers of earlier versions expect."""


def load_anchor(path: Path) -> IntentionAnchorV2:
    """Read and check an anchor file; raises AnchorError if it is unreadable or wrong, AnchorFileMissing if absent.

    At most 256 KiB and a byte are read, whatever the file's size.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"the anchor {printable(str(path), 200)} cannot be read: {error.strerror}"
        kind = AnchorFileMissing if isinstance(error, FileNotFoundError) else AnchorError
        raise kind("AnchorAbsent", message, "Give the path of an IntentionAnchorV2 JSON file") from error
    return parse_anchor(raw)


def save_anchor(anchor: IntentionAnchorV2, path: Path) -> None:
    """Write an anchor as a file that `load_anchor` reads; its folder is made if need be. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(path, anchor.to_json_dict())
