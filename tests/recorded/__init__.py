"""What programs of others really said, for tests to read."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def recorded(name: str) -> bytes:
    """Return a file of this folder, such as `agents/claude.jsonl`."""
    return (FOLDER / name).read_bytes()
