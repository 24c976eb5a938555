"""Carries over to an attempt what the one before it left: as the results.bundle with which it begins.

So an attempt that dies before its keeper has saved anything has still left what it began with.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from autopack.errors import AutopackError
from autopack.file_layout import AttemptPaths
from autopack.files import TEMPORARY_PREFIX, sync_directory
from autopack.git.bundles import EXTRA, HEADS, KEPT, OUTBOX
from autopack.git.refs import RUN_REFS
from autopack.git.runner import run_git
from autopack.run_ids import path_component
from autopack_volume.service.results.importing import attempt_refs
from autopack_volume.service.sources.mirrors import init

from . import pins

BUNDLE = "results.bundle"
INPUT = "input"
"""The folder with what the command is asked to do."""
_HOMES = {"heads": HEADS, "extra": EXTRA, "outbox": OUTBOX}


def forget(folder: Path) -> None:
    """Remove what a service put into the folder before it died; the attempt is not pinned yet."""
    with contextlib.suppress(FileNotFoundError):
        if {entry.name for entry in folder.iterdir()} <= {BUNDLE, INPUT}:
            (folder / BUNDLE).unlink(missing_ok=True)
            shutil.rmtree(folder / INPUT, ignore_errors=True)


def carry_over(root: Path, paths: AttemptPaths, results: Path, mirror: Path, base: str) -> str | None:
    """Put the state that the attempt before this one left into this one's folder; return its commit.

    None when it left nothing but the commit `base`, from which all attempts begin. The state is read from results.git,
    which no run can write: a pod of the earlier attempt that lives on unseen has no say in it any more.
    Raises AutopackError ResumeImpossible, GitError or OSError. May be run again after a crash.
    """
    earlier = AttemptPaths(paths.run_id, paths.uid, paths.attempt - 1)
    left = pins.committed(root, earlier)
    if left is None or left["state"] == "failed":
        message = f"what attempt {earlier.attempt} left was never imported"
        raise AutopackError("ResumeImpossible", message, "Set spec.retry.startFrom to Source in a new run")
    refs = _refs(results, earlier, f"{RUN_REFS}{path_component(paths.run_id)}")
    with _scratch(results, mirror) as place:
        commands = "".join(f"update {name} {sha}\n" for name, sha in refs.items())
        run_git(["update-ref", "--stdin"], git_dir=place, input=commands.encode())
        run_git(["update-ref", "--no-deref", "HEAD", left["head"]], git_dir=place)
        if not run_git(["rev-list", "-n1", "--all", "--not", base], git_dir=place).stdout:
            return None
        bundle = place / BUNDLE
        run_git(["bundle", "create", "--quiet", str(bundle), "--all", "--not", base], git_dir=place)
        with bundle.open("rb") as file:
            os.fsync(file.fileno())
        bundle.replace(root / paths.kept / BUNDLE)
    sync_directory(root / paths.kept)
    return left["snapshot"] or left["head"]


def _refs(results: Path, earlier: AttemptPaths, snapshot_ref: str) -> dict[str, str]:
    """The refs of an attempt, by the names that they have in a pod's bundle."""
    prefix = attempt_refs(earlier)
    listed = run_git(["for-each-ref", "--format=%(objectname) %(refname)", f"{prefix}/"], git_dir=results).text
    refs: dict[str, str] = {}
    for line in listed.splitlines():
        sha, name = line.split(" ", 1)
        kind, _, rest = name.removeprefix(f"{prefix}/").partition("/")
        if kind == "snapshot":
            refs[snapshot_ref] = sha
        elif kind == "kept":
            refs[KEPT] = sha
        elif kind in _HOMES:
            refs[_HOMES[kind] + rest] = sha
    return refs


@contextlib.contextmanager
def _scratch(results: Path, mirror: Path) -> Iterator[Path]:
    """Yield a repository in which refs can have other names; it borrows all objects."""
    place = results.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}.git")
    try:
        init(place)
        borrowed = b"".join(os.fsencode(repo / "objects") + b"\n" for repo in (results, mirror))
        (place / "objects" / "info" / "alternates").write_bytes(borrowed)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
