"""Which cluster has the machine: control group, interface and packet rules exist once."""

from __future__ import annotations

from pathlib import Path

from devcluster.layout import Layout

MARK = Path("/run/autopack-devcluster.owner")
"""Holds the `.dev` directory of the owner. On a file system that a reboot empties, as it empties what is owned."""


def foreign_owner(layout: Layout, mark: Path = MARK) -> Path | None:
    """Return the `.dev` directory of the cluster that has the machine, when it is another one and still exists."""
    try:
        owner = Path(mark.read_text())
    except FileNotFoundError:
        return None
    return None if owner == layout.dev or not owner.exists() else owner


def claim(layout: Layout, mark: Path = MARK) -> None:
    """Note that the machine is this cluster's."""
    if not mark.exists() or mark.read_text() != str(layout.dev):
        unfinished = mark.with_name(f"{mark.name}.unfinished")
        unfinished.write_text(str(layout.dev))
        unfinished.replace(mark)


def release(mark: Path = MARK) -> None:
    """Note that the machine is nobody's."""
    mark.unlink(missing_ok=True)
