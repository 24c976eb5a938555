"""Printing for programs and for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import yaml

from autopack_cli.shared.output import echo


def show_data(data: object, output: str) -> None:
    """Print data as JSON or YAML, in ASCII: nothing in it can do anything to a terminal."""
    if output == "json":
        echo(json.dumps(data, indent=2))
    else:
        echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=False).rstrip("\n"))


def show_objects(bodies: Sequence[Mapping[str, object]], output: str, *, one: bool = False) -> None:
    """Print objects as they are stored: `one` as itself, else a List as kubectl's."""
    if one and len(bodies) == 1:
        show_data(bodies[0], output)
    else:
        show_data({"apiVersion": "v1", "kind": "List", "items": list(bodies)}, output)


def show_lines(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        echo(line)
