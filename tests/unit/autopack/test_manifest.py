"""The manifest: one form, read with suspicion, compared exactly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopack import manifest
from autopack.manifest import BundleDigest, Entry, FileEntry, Identity, LinkEntry, Manifest, ManifestMismatch, Work

SHA = "a" * 40
DIGEST = "b" * 64


def sample(*files: Entry, snapshot: str | None = SHA, bundle: BundleDigest | None = None) -> Manifest:
    identity = Identity("fix-it", "0f8fad5b-d9cb", 2, SHA, "autopack/fix-it")
    return manifest.build(identity, Work(SHA, {"autopack/fix-it": SHA}, snapshot, bundle), files)


def changed(**fields: object) -> bytes:
    document = json.loads(manifest.encode(sample(FileEntry("a", 1, DIGEST))))
    return json.dumps(document | fields).encode()


def test_its_form_is_the_one_agreed_on() -> None:
    made = sample(FileEntry("b", 3, DIGEST), LinkEntry("a", "/etc"), bundle=BundleDigest(DIGEST, 9))
    assert json.loads(manifest.encode(made)) == {
        "version": 1,
        "runId": "fix-it",
        "uid": "0f8fad5b-d9cb",
        "attempt": 2,
        "baseSha": SHA,
        "branch": "autopack/fix-it",
        "head": SHA,
        "branches": {"autopack/fix-it": SHA},
        "snapshot": SHA,
        "bundle": {"sha256": DIGEST, "size": 9},
        "files": [{"path": "a", "link": "/etc"}, {"path": "b", "size": 3, "sha256": DIGEST}],
    }


def test_the_size_is_that_of_the_files() -> None:
    assert sample(FileEntry("a", 3, DIGEST), LinkEntry("l", "x"), FileEntry("b", 4, DIGEST)).total_bytes == 7


names = st.binary(min_size=1, max_size=20).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
entries = st.one_of(
    st.builds(FileEntry, names, st.integers(0, 2**60), st.just(DIGEST)), st.builds(LinkEntry, names, names)
)


@given(st.lists(entries, max_size=5))
def test_what_is_written_is_read_back(files: list[Entry]) -> None:
    made = sample(*files, snapshot=None)
    assert manifest.parse(manifest.encode(made)) == made


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"version": 2}, "version"),
        ({"runId": None}, "runId"),
        ({"attempt": "1"}, "attempt"),
        ({"attempt": True}, "attempt"),
        ({"baseSha": "main"}, "baseSha"),
        ({"head": "A" * 40}, "head"),
        ({"branches": []}, "branches"),
        ({"branches": {"x": "y"}}, "branches"),
        ({"snapshot": "x"}, "snapshot"),
        ({"bundle": {"sha256": "x", "size": 1}}, "bundle"),
        ({"files": {}}, "files"),
        ({"files": ["x"]}, "files[0]"),
        ({"files": [{"path": "a", "size": -1, "sha256": DIGEST}]}, "files[0]"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ManifestMismatch) as raised:
        manifest.parse(changed(**fields))
    assert named in raised.value.message


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b"[" * 100_000, b"{}"])
def test_what_is_no_manifest_is_refused(raw: bytes) -> None:
    with pytest.raises(ManifestMismatch):
        manifest.parse(raw)


def test_equal_lists_do_not_differ() -> None:
    files: list[Entry] = [FileEntry("a", 1, DIGEST), LinkEntry("b", "c")]
    assert manifest.differences(files, list(reversed(files))) == []


@pytest.mark.parametrize(
    ("claimed", "found", "said"),
    [
        ([FileEntry("a", 1, DIGEST)], [FileEntry("a", 1, "c" * 64)], "a is changed"),
        ([FileEntry("a", 1, DIGEST)], [LinkEntry("a", "/etc/passwd")], "a is changed"),
        ([FileEntry("a", 1, DIGEST)], [], "a is missing"),
        ([], [FileEntry("a", 1, DIGEST)], "a is new"),
        ([FileEntry("a", 1, DIGEST), FileEntry("a", 2, DIGEST)], [FileEntry("a", 2, DIGEST)], "a path is listed twice"),
    ],
)
def test_differences_are_said(claimed: list[Entry], found: list[Entry], said: str) -> None:
    assert manifest.differences(claimed, found) == [said]


def test_a_path_in_a_difference_is_safe_to_print() -> None:
    assert "\x1b" not in manifest.differences([], [FileEntry("\x1b[31m", 1, DIGEST)])[0]
