"""Saves what a run did, while it runs and at its end: its branches, its uncommitted files, as one git bundle.

The run can write its own git dir, so nothing here depends on what is configured there: the saver has a git dir of its
own and shares only objects with the run's. Filters, hooks, fsmonitor and extensions of the run have no effect on it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from autopack.errors import AutopackError, printable
from autopack.files import TEMPORARY_PREFIX, sync_directory
from autopack.git.bare import make_bare
from autopack.git.bundles import EXTRA, HEADS, KEPT, OUTBOX, UNCOMMITTED, branches_of, list_heads, snapshot_of
from autopack.git.keeping.gather import gather
from autopack.git.keeping.repositories import Place
from autopack.git.layout import has_no_ref
from autopack.git.runner import GitError, GitResult, run_git
from autopack.git.snapshot import snapshot
from autopack.git.worktree_entries import head_branch
from autopack.log import log
from autopack.unsaved import MAX_REASON, Unsaved

from .checkout import CHECKOUT, save_checkout
from .pod import Pod
from .run_refs import LIST, ask, by_name, given_refs, own_refs

# The container's memory is small, and files of any size may lie in the workspace.
_SETTINGS = """\
[core]
	compression = 1
	bigFileThreshold = 16m
	packedGitWindowSize = 16m
	packedGitLimit = 128m
[pack]
	windowMemory = 32m
	deltaCacheSize = 32m
	threads = 1
"""


class Saved(NamedTuple):
    """What is in the bundle: HEAD, branches, and the commit of the uncommitted files; and what could not be saved."""

    head: str
    branches: dict[str, str]
    snapshot: str | None
    unsaved: tuple[Unsaved, ...] = ()


class _Source(NamedTuple):
    """The state of the run's repository at one moment."""

    head: str
    refs: dict[str, str]


class Saver:
    """Keeps `results.bundle` up to date. `git_dir` is a place that the run cannot see; it is made if need be."""

    def __init__(self, pod: Pod, git_dir: Path) -> None:
        self._pod = pod
        self._git_dir = git_dir
        self._admin = self._find_admin()
        self._bundled: dict[str, str] | None = None
        self._given: dict[str, str] | None = None
        # What our refs are, and HEAD; None if we do not know, for a keeper before us made the git dir.
        self._copied: dict[str, str] | None = None
        self._head_at: tuple[int, int] | None = self._head_log()

    def _find_admin(self) -> Path:
        """Return the private git dir of the worktree, read before a command can have changed where it points."""
        with contextlib.suppress(OSError, ValueError):
            pointer = os.fsdecode((self._pod.workspace / ".git").read_bytes())
            admin = Path(pointer.removeprefix("gitdir: ").rstrip("\n"))
            if admin.parent == self._pod.repo / "worktrees":
                return admin
        return self._pod.repo / "worktrees" / self._pod.workspace.name

    def save(self, *, last: bool = False) -> Saved:
        """Bring the bundle up to date. Raises AutopackError or OSError; the bundle is then the last good one.

        The `last` time, everything is saved that the run made and that none of its refs leads to.
        """
        try:
            return self._save(last=last)
        except GitError as error:
            # Locks of a killed keeper, objects that the run has removed: a fresh start needs none of what we had.
            log("warning", "saving starts over", error=str(error))
            shutil.rmtree(self._git_dir, ignore_errors=True)
            self._bundled = self._copied = None
            return self._save(last=last)

    def head_has_moved(self) -> bool:
        """Tell whether the run has committed, or checked out something, since the last save began."""
        return self._head_log() != self._head_at

    def _head_log(self) -> tuple[int, int] | None:
        try:
            status = (self._admin / "logs" / "HEAD").lstat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def last(self, reason: str) -> Saved:
        """Return what the bundle on disk holds, for when nothing newer can be saved; `reason` says why."""
        base = self._pod.identity.base_sha
        refs: dict[str, str] = {}
        with contextlib.suppress(AutopackError, OSError):
            refs = list_heads(self._pod.files.bundle) if self._pod.files.bundle.exists() else {}
        branches = branches_of(refs)
        head = branches.get(self._pod.identity.branch, base)
        return Saved(head, branches, snapshot_of(refs), (Unsaved(path=".", bytes=None, reason=reason),))

    def prepare(self) -> None:
        """Make our git dir. The worktree's index, copied while nothing runs yet, saves reading every file once."""
        self._pod.files.objects.mkdir(parents=True, exist_ok=True)
        alternates = self._pod.files.objects / "info" / "alternates"
        if not alternates.exists():
            alternates.parent.mkdir(exist_ok=True)
            seen = (self._pod.repo, self._pod.files.outbox, self._pod.mirror)
            alternates.write_bytes(b"".join(os.fsencode(path / "objects") + b"\n" for path in seen))
        if (self._git_dir / "HEAD").exists() and (self._git_dir / "objects").exists():
            return
        shutil.rmtree(self._git_dir, ignore_errors=True)
        fresh = self._git_dir.with_name(self._git_dir.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        # Never on a branch: to point HEAD elsewhere and to move its branch is too much for one transaction.
        make_bare(fresh, _SETTINGS, self._pod.identity.base_sha)
        shutil.rmtree(fresh / "objects")
        (fresh / "objects").symlink_to(self._pod.files.objects)
        fresh.rename(self._git_dir)
        self._copied = {"HEAD": self._pod.identity.base_sha}
        with contextlib.suppress(OSError):
            self._copy_index()

    def _copy_index(self) -> None:
        """Begin with the worktree's index: it spares us hashing every file."""
        shutil.copyfile(self._admin / "index", self._index)
        if self._pod.files.command_began:
            # A command may have changed files in the very second in which the index was written: git finds those by
            # the index's own time. Before that, a younger index makes git trust the files without reading them.
            shutil.copystat(self._admin / "index", self._index)

    @property
    def _index(self) -> Path:
        return self._git_dir / "snapshot-index"

    def _git(self, *args: str, input: bytes | None = None, check: bool = True) -> GitResult:  # noqa: A002
        return run_git(args, git_dir=self._git_dir, input=input, check=check)

    def _save(self, *, last: bool) -> Saved:
        self._head_at = self._head_log()
        self.prepare()
        source = self._read_source()
        checkout = self._checkout(last=last)
        if checkout is not None:
            source.refs[CHECKOUT] = checkout
        self._copy(source)
        uncommitted, unsaved = self._snapshot(source)
        refs = dict(source.refs)
        if uncommitted is not None:
            refs[self._pod.snapshot_ref] = uncommitted
        if last:
            kept, more = self._gather({*refs.values(), source.head})
            unsaved += more
            if kept is not None:
                refs[KEPT] = kept
        if refs != self._bundled:
            self._write_bundle({*refs.values(), source.head})
            self._bundled = refs
        return Saved(source.head, branches_of(source.refs), uncommitted, unsaved)

    def _read_source(self) -> _Source:
        """Read the run's refs, leaving out those whose objects are gone."""
        if self._given is None:
            self._given = given_refs(self._pod)
        refs = own_refs(self._pod, self._given)
        types = self._types(refs)
        for name in refs.keys() - types.keys():
            log("warning", "a ref points to an object that is gone", ref=name)
        good = {name: sha for name, sha in refs.items() if name in types}
        branch = head_branch(self._admin)
        name = "" if branch is None else HEADS + branch
        # Mostly HEAD is on a branch that leads to a commit. About anything else git is asked.
        return _Source(good[name] if types.get(name) == "commit" else self._ask_head(), good)

    def _checkout(self, *, last: bool) -> str | None:
        """Save which files the run wanted checked out; return the commit. Without it the next attempt has all files."""
        try:
            return save_checkout(self._git_dir, self._admin, marks=last)
        except (GitError, OSError) as error:
            log("warning", "what was checked out could not be saved", error=str(error))
            return None

    def _ask_head(self) -> str:
        resolved = ask(self._admin, "rev-parse", "--quiet", "--verify", "HEAD^{commit}", check=False)
        return resolved.text if resolved.returncode == 0 else self._pod.identity.base_sha

    def _types(self, refs: dict[str, str]) -> dict[str, str]:
        """Return what kind of object each ref points to, those left out whose object is gone."""
        wanted = "".join(f"{sha}\n" for sha in refs.values()).encode()
        answers = self._git("cat-file", "--batch-check=%(objecttype)", input=wanted).text.splitlines()
        return {name: answer for name, answer in zip(refs, answers, strict=True) if " " not in answer}

    def _copy(self, source: _Source) -> None:
        """Make our refs and our HEAD those of the run."""
        ours = by_name(self._git(*LIST, HEADS, EXTRA, OUTBOX)) if self._copied is None else self._copied
        self._copied = None
        # Removals first and by themselves: git refuses `a` and `a/b` in one transaction, even if one of them goes.
        gone = "".join(f"delete {name}\n" for name in ours.keys() - source.refs.keys() - {"HEAD"})
        new = "".join(f"update {name} {sha}\n" for name, sha in source.refs.items() if ours.get(name) != sha)
        if ours.get("HEAD") != source.head:
            new += f"option no-deref\nupdate HEAD {source.head}\n"
        for commands in (gone, new):
            if commands:
                self._git("update-ref", "--stdin", input=commands.encode())
        self._copied = source.refs | {"HEAD": source.head}

    def _snapshot(self, source: _Source) -> tuple[str | None, tuple[Unsaved, ...]]:
        """Save the uncommitted files; return their commit, and those that could not be saved."""
        self._copy_private_settings()
        ref = self._pod.snapshot_ref
        message = UNCOMMITTED + self._pod.identity.run_id
        sha, unsaved = snapshot(
            self._pod.workspace, git_dir=self._git_dir, index_file=self._index, ref=ref, message=message
        )
        for one in unsaved:
            log("warning", "a file could not be saved", path=one["path"], size=one["bytes"], reason=one["reason"])
        if sha is None and self._is_on_no_branch(source):
            self._git("update-ref", ref, source.head)
            sha = source.head
        elif sha is None and not has_no_ref(self._git_dir, ref):
            self._git("update-ref", "-d", ref)
        return sha, unsaved

    def _gather(self, roots: set[str]) -> tuple[str | None, tuple[Unsaved, ...]]:
        """Save what the run made and `roots` do not lead to; return its commit, and what could not be saved."""
        shared, pushed = (git_dir / "objects" for git_dir in (self._pod.mirror, self._pod.files.outbox))
        place = Place(self._pod.workspace, self._pod.repo, self._admin, shared, (pushed,))
        identity = self._pod.identity
        try:
            kept, unsaved, *_ = gather(self._git_dir, place, roots, [identity.base_sha], identity.run_id)
        except (GitError, OSError) as error:
            log("warning", "what no ref leads to could not be saved", error=str(error))
            return None, (Unsaved(path=".git", bytes=None, reason=printable(str(error), MAX_REASON)),)
        if kept is not None:
            self._git("update-ref", KEPT, kept)
        elif not has_no_ref(self._git_dir, KEPT):
            self._git("update-ref", "-d", KEPT)
        return kept, unsaved

    def _copy_private_settings(self) -> None:
        """Take over what decides which files are the run's: its own excludes, and its index for forced additions."""
        (self._git_dir / "info").mkdir(exist_ok=True)
        for source, target in ((self._pod.repo / "info" / "exclude", "info/exclude"), (self._admin / "index", "index")):
            try:
                shutil.copyfile(source, self._git_dir / target, follow_symlinks=False)
            except OSError:
                (self._git_dir / target).unlink(missing_ok=True)

    def _is_on_no_branch(self, source: _Source) -> bool:
        """Tell whether HEAD has commits that only HEAD leads to."""
        base = self._pod.identity.base_sha
        if source.head in {base, *branches_of(source.refs).values()}:
            return False
        return bool(self._git("rev-list", "-n1", source.head, "--not", base, "--branches").stdout)

    def _write_bundle(self, tips: set[str]) -> None:
        """Replace the bundle in one step; there is none when the run added nothing. `tips` are what it would hold."""
        base = self._pod.identity.base_sha
        if tips == {base} or not self._git("rev-list", "-n1", "--all", "--not", base).stdout:
            self._pod.files.bundle.unlink(missing_ok=True)
            return
        temporary = self._pod.files.bundle.with_name(f"{TEMPORARY_PREFIX}{self._pod.files.bundle.name}")
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        temporary.with_name(temporary.name + ".lock").unlink(missing_ok=True)
        self._git("bundle", "create", "--quiet", str(temporary), "--all", "--not", base)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        check_fence(self._pod)
        temporary.replace(self._pod.files.bundle)
        sync_directory(self._pod.files.bundle.parent)


def check_fence(pod: Pod) -> None:
    """Publish nothing any more once the attempt is over; raise AutopackError Fenced."""
    if pod.fenced:
        raise AutopackError("Fenced", f"attempt {pod.identity.attempt} is over: what it left has been imported")
