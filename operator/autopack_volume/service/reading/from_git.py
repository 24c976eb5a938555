"""The commits that attempts left, for readers: as a bundle, as a patch, and how they would merge. Blocking."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autopack.diff import diff_command
from autopack.errors import AutopackError, InvalidInput, printable
from autopack.file_layout import mirror, results
from autopack.files import TEMPORARY_PREFIX
from autopack.git.output import git_output
from autopack.git.refs import check_ref
from autopack.git.runner import GitError, run_git
from autopack.merge_forecast import Conflict, forecast_commits
from autopack_volume.contract import messages
from autopack_volume.service.attempts.records import Record
from autopack_volume.service.results.importing import attempt_refs
from autopack_volume.service.sources.lookup import resolve

_SHOWN_PATHS = 100


@dataclass(frozen=True)
class Patch:
    """What `git diff` prints between two commits, at most as much as was asked for."""

    base: str
    tip: str
    data: bytes
    truncated: bool


def diff(
    root: Path, record: Record, limit: int, timeout: float, *, stat: bool, committed_only: bool, binary: bool
) -> Patch:
    """Return what an attempt changed: its last commit or, unless `committed_only`, with what it left uncommitted."""
    kept = record.kept()
    base, tip = record.ready["sha"], kept["head"] if committed_only else kept["snapshot"] or kept["head"]
    repo = root / results(record.ready["repoKey"])
    data, truncated = git_output(
        diff_command(base, tip, stat=stat, binary=binary), limit, git_dir=repo, timeout=timeout
    )
    return Patch(base, tip, data, truncated)


@dataclass(frozen=True)
class Bundle:
    """A git bundle at `path`, in a folder that the reader cleans up, with one ref: its full name in `ref`."""

    place: tempfile.TemporaryDirectory[str]
    path: Path
    ref: str


def bundle(root: Path, record: Record, name: str | None, timeout: float, *, complete: bool) -> Bundle:
    """Make a git bundle of one ref of an attempt.

    `name` is the ref after `refs/runs/<uid>/a<N>/`; None is the run's own branch. It holds what came after the commit
    the run began with, or everything if `complete`. Raises AutopackError RefNotFound, and NothingNew where it would be
    empty.
    """
    kept = record.kept()
    prefix = attempt_refs(record.paths)
    ref = kept["ref"] if name is None else f"{prefix}/{check_ref(name)}"
    repo = root / results(record.ready["repoKey"])
    if run_git(["rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}"], git_dir=repo, check=False).returncode != 0:
        shown = printable(ref.removeprefix(f"{prefix}/"), 120)
        raise AutopackError("RefNotFound", f"the attempt left no ref '{shown}'", "Look at the attempt's branches")
    without = [] if complete else [f"^{record.ready['sha']}"]
    # Where a crash leaves it, the next start of the service collects it.
    place = tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=repo.parent)
    path = Path(place.name) / "bundle"
    try:
        run_git(["bundle", "create", "--quiet", str(path), *without, ref], git_dir=repo, timeout=timeout)
    except BaseException as error:
        place.cleanup()
        if isinstance(error, GitError) and b"empty bundle" in error.stderr:
            message = "the branch has nothing that the commit it began with lacks"
            raise AutopackError("NothingNew", message) from error
        raise
    return Bundle(place, path, ref)


def forecast(root: Path, records: Sequence[Record], base: str | None, timeout: float) -> messages.Forecast:
    """Try how the branches of attempts of one repository merge into `base` (None: its default branch)."""
    keys = {record.ready["repoKey"] for record in records}
    if len(keys) != 1:
        raise InvalidInput("attempt", "names runs of different repositories", "Forecast one repository at a time")
    key = keys.pop()
    name = check_ref(base or "HEAD", "base")
    base_sha = resolve(root / mirror(key), name)
    if base_sha is None:
        message = f"the repository has no branch, tag or commit '{printable(name, 120)}'"
        raise AutopackError("RefNotFound", message, "Name another base")
    repo = root / results(key)
    tips = {_label(record): _tip(repo, record) for record in records}
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=repo.parent) as scratch:
        found = forecast_commits(repo, (name, base_sha), tips, Path(scratch), timeout)
    return {
        "state": "done",
        "base": name,
        "baseSha": base_sha,
        "runs": {_label(record): record.paths.run_id for record in records},
        "order": list(found.order),
        "leftOut": [_conflict(one) for one in found.left_out],
        "conflicts": [_conflict(one) for one in found.conflicts],
        "merged": list(found.merged),
    }


def _label(record: Record) -> str:
    return f"{record.paths.uid}/{record.paths.attempt}"


def _tip(repo: Path, record: Record) -> str:
    return run_git(["rev-parse", "--verify", f"{record.kept()['ref']}^{{commit}}"], git_dir=repo).text


def _conflict(one: Conflict) -> messages.Conflict:
    shown = list(one.paths[:_SHOWN_PATHS])
    return {"first": one.first, "second": one.second, "paths": shown, "morePaths": len(one.paths) - len(shown)}
