from __future__ import annotations

from pathlib import Path

from devcluster.layout import Layout


def layout_in(directory: Path) -> Layout:
    return Layout(checkout=directory / "checkout", cache=directory / "cache")
