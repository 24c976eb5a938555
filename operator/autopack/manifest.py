"""The manifest of an attempt: what it left, with digests. Made where the run ran, checked where it is kept.

Everything here is pure. A manifest that is read may have been written by anybody: nothing in it is believed before it
has been compared with what is really there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from .errors import AutopackError, printable

VERSION = 1

_SHA = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FIX = "Compare the attempt's folder with its manifest.json; what the run committed and wrote is still there"


class ManifestMismatch(AutopackError):  # noqa: N818 - the reason users see
    """The manifest is not what it must be, or the files are not what it says."""

    def __init__(self, message: str) -> None:
        super().__init__("ManifestMismatch", message, _FIX)
        self.args = (message,)


class FileEntry(NamedTuple):
    """A regular file: `path` relative to the artifacts' folder, `size` in bytes, `sha256` in hex."""

    path: str
    size: int
    sha256: str


class LinkEntry(NamedTuple):
    """A symlink and its target, which is never followed."""

    path: str
    link: str


Entry = FileEntry | LinkEntry


class BundleDigest(NamedTuple):
    """The size in bytes and the digest of results.bundle."""

    sha256: str
    size: int


class Identity(NamedTuple):
    """Whose manifest it is: the attempt, and the commit and branch it began with."""

    run_id: str
    uid: str
    attempt: int
    base_sha: str
    branch: str


class Work(NamedTuple):
    """The git side of an attempt: HEAD, all branches by name, and the commit of what was not committed (or None)."""

    head: str
    branches: Mapping[str, str]
    snapshot: str | None
    bundle: BundleDigest | None


class Manifest(NamedTuple):
    """All that an attempt left. `files` are sorted by path."""

    identity: Identity
    work: Work
    files: tuple[Entry, ...]

    @property
    def total_bytes(self) -> int:
        """The sum of the sizes of the regular files."""
        return sum(entry.size for entry in self.files if isinstance(entry, FileEntry))


def build(identity: Identity, work: Work, files: Iterable[Entry]) -> Manifest:
    """Return the manifest with its files in order."""
    return Manifest(identity, work, tuple(sorted(files, key=lambda entry: entry.path)))


def encode(manifest: Manifest) -> bytes:
    """Return the one form of a manifest as bytes: equal manifests are equal bytes. Names need not be valid UTF-8."""
    bundle = manifest.work.bundle
    document = {
        "version": VERSION,
        "runId": manifest.identity.run_id,
        "uid": manifest.identity.uid,
        "attempt": manifest.identity.attempt,
        "baseSha": manifest.identity.base_sha,
        "branch": manifest.identity.branch,
        "head": manifest.work.head,
        "branches": dict(sorted(manifest.work.branches.items())),
        "snapshot": manifest.work.snapshot,
        "bundle": None if bundle is None else {"sha256": bundle.sha256, "size": bundle.size},
        "files": [_encode_entry(entry) for entry in manifest.files],
    }
    return json.dumps(document, indent=1).encode("ascii") + b"\n"


def _encode_entry(entry: Entry) -> dict[str, str | int]:
    if isinstance(entry, LinkEntry):
        return {"path": entry.path, "link": entry.link}
    return {"path": entry.path, "size": entry.size, "sha256": entry.sha256}


def parse(raw: bytes) -> Manifest:
    """Read a manifest; raise ManifestMismatch, naming the field, when it is not one."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ManifestMismatch("manifest.json is not JSON") from error
    fields = _Fields(document, "manifest.json")
    if fields.integer("version") != VERSION:
        raise ManifestMismatch(f"manifest.json: version is not {VERSION}")
    identity = Identity(
        run_id=fields.text("runId"),
        uid=fields.text("uid"),
        attempt=fields.integer("attempt"),
        base_sha=fields.text("baseSha", _SHA),
        branch=fields.text("branch"),
    )
    work = Work(
        head=fields.text("head", _SHA),
        branches={name: fields.child("branches").text(name, _SHA) for name in fields.child("branches").names()},
        snapshot=fields.text("snapshot", _SHA) if fields.has("snapshot") else None,
        bundle=_parse_bundle(fields.child("bundle")) if fields.has("bundle") else None,
    )
    return Manifest(identity, work, tuple(_parse_entry(item) for item in fields.items("files")))


def _parse_bundle(fields: _Fields) -> BundleDigest:
    return BundleDigest(sha256=fields.text("sha256", _DIGEST), size=fields.integer("size"))


def _parse_entry(fields: _Fields) -> Entry:
    if fields.has("link"):
        return LinkEntry(path=fields.text("path"), link=fields.text("link"))
    return FileEntry(fields.text("path"), fields.integer("size"), fields.text("sha256", _DIGEST))


class _Fields:
    """Typed access to a JSON object that nobody vouches for."""

    def __init__(self, document: object, where: str) -> None:
        if not isinstance(document, dict):
            raise ManifestMismatch(f"{where} is not an object")
        self._document = document
        self._where = where

    def has(self, name: str) -> bool:
        return self._document.get(name) is not None

    def names(self) -> list[str]:
        return list(self._document)

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        value = self._document.get(name)
        if not isinstance(value, str) or (pattern is not None and not pattern.fullmatch(value)):
            raise ManifestMismatch(f"{self._where}: {printable(name, 60)} is missing or not what it should be")
        return value

    def integer(self, name: str) -> int:
        value = self._document.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ManifestMismatch(f"{self._where}: {printable(name, 60)} is not a whole number")
        return value

    def child(self, name: str) -> _Fields:
        return _Fields(self._document.get(name), f"{self._where}: {name}")

    def items(self, name: str) -> Iterable[_Fields]:
        value = self._document.get(name)
        if not isinstance(value, list):
            raise ManifestMismatch(f"{self._where}: {name} is not a list")
        return (_Fields(item, f"{self._where}: {name}[{index}]") for index, item in enumerate(value))


def differences(claimed: Collection[Entry], found: Collection[Entry]) -> list[str]:
    """Say how the files that are there differ from those a manifest lists: one line each, safe to print."""
    claimed_by, found_by = ({entry.path: entry for entry in entries} for entries in (claimed, found))
    lines = ["a path is listed twice"] if len(claimed_by) != len(claimed) else []
    for path in sorted(claimed_by.keys() | found_by.keys()):
        if claimed_by.get(path) == found_by.get(path):
            continue
        what = "changed" if path in claimed_by and path in found_by else "missing" if path in claimed_by else "new"
        lines.append(f"{printable(path, 120)} is {what}")
    return lines
