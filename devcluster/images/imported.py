"""Which version of an image the embedded cluster holds: says whether there is anything to build."""

from __future__ import annotations

import json
from pathlib import Path

from devcluster.embedded import runtime
from devcluster.layout import Layout


def is_imported(layout: Layout, tag: str, key: str) -> bool:
    """Whether the cluster holds `tag`, made from what `key` stands for."""
    return _keys(layout).get(tag) == key and runtime.has_image(layout, tag)


def remember(layout: Layout, tag: str, key: str) -> None:
    """Note what `tag` was made from. Call it after the import: a crash between the two costs one more build."""
    unfinished = _file(layout).with_suffix(".unfinished")
    unfinished.write_text(json.dumps({**_keys(layout), tag: key}))
    unfinished.replace(_file(layout))


def _keys(layout: Layout) -> dict[str, str]:
    try:
        keys = json.loads(_file(layout).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return keys if isinstance(keys, dict) else {}


def _file(layout: Layout) -> Path:
    return layout.containerd / "imported-images.json"
