"""Anchors. "ConfigMap missing" is for the cluster's tests."""

from __future__ import annotations

import json

from tests.local.supervisor.scene import anchor

from .table import REFUSED, Place, Row, anchor_of, path_in, policy

_GOOD = json.dumps(anchor()).encode()


def _remove(place: Place) -> None:
    place.scene.anchor.unlink()


def _hundred_megabytes(place: Place) -> None:
    with path_in(place, "anchor.json").open("r+b") as file:
        file.truncate(100 * 1024 * 1024)


ROWS = [
    Row("anchor absent", REFUSED, "anchor.json cannot be read: No such file", given=_remove),
    Row(
        "anchor not given",
        REFUSED,
        "--anchor-path required for parallel",
        ("autopilot", "supervise", "--run-ids", "a"),
        alone=True,
    ),
    Row("anchor empty", REFUSED, "the intention anchor is empty", given=anchor_of(b"")),
    Row("anchor truncated", REFUSED, "not proper JSON", given=anchor_of(_GOOD[:-9])),
    Row("anchor BOM", REFUSED, "begins with a byte order mark", given=anchor_of(b"\xef\xbb\xbf" + _GOOD)),
    Row("anchor invalid UTF-8", REFUSED, "is not UTF-8", given=anchor_of(b'{"a": "\xff"}')),
    Row("anchor duplicate keys", REFUSED, "the field 'a' is given twice", given=anchor_of(b'{"a": 1, "a": 2}')),
    Row("anchor NaN", REFUSED, "NaN is not a JSON number", given=anchor_of(b'{"a": NaN}')),
    Row("anchor depth 10,000", REFUSED, "nested more than 64 levels", given=anchor_of(b"[" * 10_000)),
    Row("anchor 100 MB", REFUSED, "more than 256 KiB", given=_hundred_megabytes),
    Row("anchor wrong version", REFUSED, "format_version is", given=anchor_of({**anchor(), "format_version": "v1"})),
    Row(
        'anchor allowed="true" as a string',
        REFUSED,
        "pivot_intentions.parallelism_isolation.allowed",
        given=anchor_of(policy(allowed="true")),
    ),
    Row(
        "anchor max_concurrent_runs 0",
        REFUSED,
        "max_concurrent_runs",
        given=anchor_of(policy(allowed=True, max_concurrent_runs=0)),
    ),
    Row(
        "anchor false",
        REFUSED,
        "PARALLELISM BLOCKED: the intention anchor blocks",
        given=anchor_of(policy(allowed=False)),
    ),
    Row(
        "anchor silent",
        REFUSED,
        "PARALLELISM BLOCKED: the intention anchor says nothing",
        given=anchor_of({**anchor(), "pivot_intentions": {}}),
    ),
    Row("anchor ANSI escapes", REFUSED, r"\x1b[31mred", given=anchor_of({**anchor(), "\x1b[31mred": 1})),
    Row("anchor HTML", REFUSED, "<script>", given=anchor_of({**anchor(), "<script>": 1})),
]
