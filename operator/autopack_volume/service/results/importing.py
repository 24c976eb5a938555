"""Takes the commits of a run into results.git: checked, under the run's own refs, never anything else."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from autopack.errors import AutopackError
from autopack.failpoints import hit
from autopack.file_layout import AttemptPaths
from autopack.files import TEMPORARY_PREFIX
from autopack.git.bundles import EXTRA, HEADS, KEPT, OUTBOX, branches_of, list_heads, snapshot_of
from autopack.git.checks import CHECKS
from autopack.git.refs import RUN_REFS
from autopack.git.runner import GitError, run_git
from autopack.manifest import BundleDigest, ManifestMismatch, Work
from autopack.scan import open_regular
from autopack_volume.service.sources.mirrors import init
from autopack_volume.service.sources.tidy import tidy

_CHUNK = 1 << 20
_UNBUNDLE = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
_FETCH = (*CHECKS, *_UNBUNDLE, "--atomic")


class BundleCorrupt(AutopackError):  # noqa: N818 - the reason users see
    """The bundle cannot be imported."""

    def __init__(self, message: str) -> None:
        super().__init__("BundleCorrupt", message, "The attempt's workspace and repo.git are kept; look there")
        self.args = (message,)


def attempt_refs(paths: AttemptPaths) -> str:
    """Return the prefix of all refs of an attempt."""
    return f"refs/runs/{paths.uid}/a{paths.attempt}"


@contextlib.contextmanager
def private_copy(bundle: Path, folder: Path) -> Iterator[tuple[Path, BundleDigest]]:
    """Yield a copy that nobody else can write, with its digest: what is checked is what is used."""
    copy = folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}.bundle"
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(open_regular(bundle), "rb") as source, copy.open("xb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        yield copy, BundleDigest(digest.hexdigest(), size)
    finally:
        copy.unlink(missing_ok=True)


def read_refs(bundle: Path) -> dict[str, str]:
    """Return the refs of a bundle; BundleCorrupt when it holds others than ours, or none."""
    try:
        refs = list_heads(bundle)
    except AutopackError as error:
        raise BundleCorrupt(f"results.bundle cannot be read: {error.message}") from error
    strange = [name for name in refs if name != KEPT and not name.startswith((HEADS, RUN_REFS, EXTRA, OUTBOX))]
    if strange or not refs:
        raise BundleCorrupt("results.bundle holds a ref that is none of the run's" if strange else "it is empty")
    return refs


@contextlib.contextmanager
def _as_corruption() -> Iterator[None]:
    """Say of git's errors whether the bundle is at fault (BundleCorrupt), or the disk (OSError)."""
    try:
        yield
    except GitError as error:
        if b"No space left" in error.stderr or b"cannot lock ref" in error.stderr:
            raise OSError(error.message) from error
        raise BundleCorrupt(f"results.bundle was refused: {error.message}") from error


class Taken(NamedTuple):
    """What was imported besides what the manifest names.

    `outbox`: the branches that the run pushed, with their commits. `refused`: why what no ref of the run leads to was
    not imported (None: it was, or there is none); among that may be anything, as in a clone of another repository.
    """

    outbox: dict[str, str]
    refused: str | None


@dataclass(frozen=True)
class Import:
    """One attempt's refs on their way into results.git."""

    repo: Path
    mirror: Path
    paths: AttemptPaths
    base_sha: str

    def run(self, bundle: Path | None, work: Work) -> Taken:
        """Import the bundle and set the attempt's refs as `work` says; ManifestMismatch or BundleCorrupt if it lies.

        May be run again after a crash.
        """
        refs = read_refs(bundle) if bundle is not None else {}
        self._check_names(refs, work)
        refused = self._fetch(bundle, refs) if bundle is not None else None
        hit("volume.after_fetch")
        self._check_reachable(refs, work)
        prefix = attempt_refs(self.paths)
        wanted = {f"{prefix}/heads/{name}": sha for name, sha in work.branches.items()} | {f"{prefix}/head": work.head}
        commands = "".join(f"update {name} {sha}\n" for name, sha in wanted.items())
        run_git(["update-ref", "--stdin"], git_dir=self.repo, input=commands.encode())
        tidy(self.repo, "refs/runs")
        pushed = {name.removeprefix(OUTBOX): sha for name, sha in refs.items() if name.startswith(OUTBOX)}
        return Taken(pushed, refused)

    def _check_names(self, refs: Mapping[str, str], work: Work) -> None:
        carried = branches_of(dict(refs))
        if any(work.branches.get(name) != sha for name, sha in carried.items()):
            raise ManifestMismatch("results.bundle has a branch that the manifest does not have")
        if snapshot_of(dict(refs)) != work.snapshot:
            raise ManifestMismatch("results.bundle has another snapshot than the manifest")

    def _fetch(self, bundle: Path, refs: Mapping[str, str]) -> str | None:
        prefix = attempt_refs(self.paths)
        homes = {HEADS: "heads", EXTRA: "extra", OUTBOX: "outbox"}
        refspecs = [f"+{source}*:{prefix}/{home}/*" for source, home in homes.items()]
        refspecs += [f"+{name}:{prefix}/snapshot" for name in refs if name.startswith(RUN_REFS)]
        with self._quarantine(bundle, refs) as (place, env):
            if KEPT in refs:
                try:
                    self._take([*refspecs, f"+{KEPT}:{prefix}/kept"], place, env)
                except BundleCorrupt as error:
                    self._take(refspecs, place, env)
                    return error.message
            else:
                self._take(refspecs, place, env)
        return None

    def _take(self, refspecs: list[str], place: Path, env: Mapping[str, str]) -> None:
        with _as_corruption():
            run_git([*_FETCH, "--", str(place), *refspecs], git_dir=self.repo, protocols=("file",), env=env)

    @contextlib.contextmanager
    def _quarantine(self, bundle: Path, refs: Mapping[str, str]) -> Iterator[tuple[Path, dict[str, str]]]:
        """Yield a repository with what is in the bundle: git checks what it fetches from one, but not from a bundle."""
        place = self.repo.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}.git")
        try:
            init(place)
            (place / "objects" / "info" / "alternates").write_bytes(os.fsencode(self.mirror / "objects") + b"\n")
            wanted = [f"+{prefix}*:{prefix}*" for prefix in (HEADS, EXTRA, OUTBOX, RUN_REFS)]
            wanted += [f"+{KEPT}:{KEPT}"] if KEPT in refs else []
            with _as_corruption():
                run_git([*_UNBUNDLE, "--", str(bundle), *wanted], git_dir=place, protocols=("file",))
            # The volume may show our files as another's; the process that serves this fetch reads no -c options.
            (place / "trusted").write_text("[safe]\n\tdirectory = *\n")
            yield place, {"GIT_CONFIG_GLOBAL": str(place / "trusted")}
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _check_reachable(self, refs: Mapping[str, str], work: Work) -> None:
        """Refuse ids that come neither with the bundle nor from the commit the run began with: another run's."""
        claimed = sorted({work.head, *work.branches.values()} - set(refs.values()) - {self.base_sha})
        if not claimed:
            return
        own = sorted({self.base_sha, *refs.values()})
        found = run_git(["rev-list", "-n1", *claimed, "--not", *own, "--"], git_dir=self.repo, check=False)
        if found.returncode != 0 or found.stdout:
            raise ManifestMismatch("the manifest names a commit that is not in results.bundle")
