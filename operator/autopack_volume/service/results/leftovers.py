"""What an attempt left, read with suspicion: compared with what is there, or listed where its keeper did not finish."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from autopack import manifest
from autopack.agents.reading import first_line
from autopack.agents.usage import UNKNOWN, Usage, from_json
from autopack.counts import count_of
from autopack.errors import printable
from autopack.files import write_atomic
from autopack.git.bundles import branches_of, snapshot_of
from autopack.kept_files import KeptFiles
from autopack.manifest import Identity, Manifest, ManifestMismatch, Work
from autopack.scan import artifacts, read_small
from autopack.unsaved import Unsaved
from autopack_volume.contract.stop_reasons import DISK_QUOTA_EXCEEDED, IDLE

from .importing import read_refs

_MAX_MANIFEST = 32 << 20
_MAX_RESULT = 1 << 16


@dataclass(frozen=True)
class Left:
    """What an attempt left, once checked. `finished` if its keeper did; `sha256` is the manifest's.

    `unsaved` names what the keeper could not save, the first of `unsaved_count`. `usage` and `summary` are what the
    run's agent told.
    """

    manifest: Manifest
    sha256: str
    finished: bool
    exit_code: int | None
    stop_reason: str | None = None
    unsaved: tuple[Unsaved, ...] = ()
    unsaved_count: int = 0
    usage: Usage = UNKNOWN
    summary: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything is saved."""
        return self.finished and not self.unsaved_count

    def without(self, missing: Unsaved) -> Left:
        """Return the same with one more thing that is not saved."""
        return replace(self, unsaved=(*self.unsaved, missing), unsaved_count=self.unsaved_count + 1)


@dataclass(frozen=True)
class Carried:
    """A bundle that lies where no run can write, and its digest."""

    path: Path
    digest: manifest.BundleDigest


def read_left(files: KeptFiles, identity: Identity, bundle: Carried | None) -> Left:
    """Check what the keeper wrote against what is there; where it never finished, write its manifest for it."""
    raw_result = read_small(files.result, _MAX_RESULT)
    if raw_result is None:
        return _left_unfinished(files, identity, bundle)
    result = _object(raw_result)
    raw = read_small(files.manifest, _MAX_MANIFEST)
    digest = hashlib.sha256(raw or b"").hexdigest()
    if raw is None or result.get("manifestSha256") != digest:
        raise ManifestMismatch("manifest.json is not the one that result.json names")
    claimed = manifest.parse(raw)
    if claimed.identity != identity:
        raise ManifestMismatch("manifest.json is that of another attempt")
    if claimed.work.bundle != (bundle.digest if bundle else None):
        raise ManifestMismatch("results.bundle is not the one that the manifest names")
    wrong = manifest.differences(claimed.files, artifacts(files.artifacts, files.own_names))
    if wrong:
        raise ManifestMismatch(f"{count_of(len(wrong), 'artifact')} not as the manifest says: {'; '.join(wrong[:3])}")
    unsaved, count = _unsaved(result)
    usage, summary = from_json(result.get("usage")), first_line(str(result.get("summary") or ""))
    return Left(claimed, digest, True, _exit_code(result), _stop_reason(result), unsaved, count, usage, summary)


def _left_unfinished(files: KeptFiles, identity: Identity, bundle: Carried | None) -> Left:
    refs = read_refs(bundle.path) if bundle else {}
    branches = branches_of(refs) or {identity.branch: identity.base_sha}
    head = branches.get(identity.branch, identity.base_sha)
    work = Work(head, branches, snapshot_of(refs), bundle.digest if bundle else None)
    made = manifest.build(identity, work, artifacts(files.artifacts, files.own_names))
    raw = manifest.encode(made)
    files.kept.chmod(stat.S_IMODE(files.kept.lstat().st_mode) | stat.S_IRWXU)
    write_atomic(files.manifest, raw)
    exit_file = _object(read_small(files.exit_file, _MAX_RESULT) or b"{}")
    return Left(made, hashlib.sha256(raw).hexdigest(), finished=False, exit_code=_exit_code(exit_file))


def _unsaved(result: dict[str, object]) -> tuple[tuple[Unsaved, ...], int]:
    listed, count = result.get("unsaved"), result.get("unsavedCount")
    items = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    named = tuple(
        Unsaved(path=printable(str(one.get("path")), 500), bytes=_size(one.get("bytes")), reason=str(one.get("reason")))
        for one in items
    )
    # A keeper of before named nothing.
    least = 0 if result.get("complete") is True else 1
    return named, max(least, len(named), count if isinstance(count, int) else 0)


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _object(raw: bytes) -> dict[str, object]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _stop_reason(document: dict[str, object]) -> str | None:
    return next((known for known in (DISK_QUOTA_EXCEEDED, IDLE) if document.get("stopReason") == known), None)


def _exit_code(document: dict[str, object]) -> int | None:
    value = document.get("exitCode")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255 else None
