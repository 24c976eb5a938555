"""Savepoints inside a run: remember the state of a worktree, and go back to it when a step fails.

A savepoint is the whole tree, uncommitted and new files included, on refs below `refs/worktree/`, which git keeps for
each worktree apart: no other run sees, moves or loses anything. Git-ignored files are never touched.
"""

from __future__ import annotations

import fnmatch
import hashlib
import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import AutopackError
from .git.runner import run_git
from .git.snapshot import snapshot
from .git.worktree_entries import common_dir, head_branch, registrations
from .run_ids import path_component

logger = logging.getLogger(__name__)

PROTECTED_PATTERNS = (".env", ".env.*", "*.db", "*.log", ".autonomous_runs/*", ".vscode/*", ".idea/*")
"""New files of such names stop a rollback that would delete them, unless told otherwise."""

_SAVED = "refs/worktree/autopack/saved"
_UNDONE = "refs/worktree/autopack/undone"
_NANOSECONDS_A_DAY = 86_400 * 10**9


@dataclass(frozen=True)
class _State:
    """A commit with the whole tree as it was, and the commit that HEAD was."""

    tree: str
    head: str


class RollbackManager:
    """Savepoints of one phase of a run, in the worktree `workspace`.

    Methods answer `(True, None)` or `(False, why)`; they do not raise for what git says. `savepoint_tag` is the ref of
    the last savepoint made. Raises InvalidInput for a bad run id.
    """

    def __init__(self, workspace: Path, run_id: str, phase_id: str, max_savepoints_per_run: int = 3) -> None:
        self.workspace = Path(workspace)
        self.run_id = run_id
        self.phase_id = phase_id
        self.max_savepoints_per_run = max_savepoints_per_run
        self.savepoint_tag: str | None = None
        self._folder = f"{_SAVED}/{path_component(run_id)}"

    def create_savepoint(self) -> tuple[bool, str | None]:
        """Remember the state of the worktree."""
        ref = f"{self._folder}/{time.time_ns()}-{_word(self.phase_id)}"
        try:
            self._save(ref)
        except AutopackError as error:
            return False, str(error)
        self.savepoint_tag = ref
        return True, None

    def rollback_to_savepoint(self, reason: str, safe_clean: bool = True) -> tuple[bool, str | None]:
        """Put the worktree, its branch and its index back to the last savepoint.

        With `safe_clean` nothing is done if a new file with a protected name would be deleted. The state that is left
        behind stays on a ref below `refs/worktree/autopack/undone` until the worktree goes.
        """
        if self.savepoint_tag is None:
            return False, "there is no savepoint to go back to"
        try:
            self._check_branch_is_ours()
            target = self._read(self.savepoint_tag)
            undone = self._read(self._save(f"{_UNDONE}/{time.time_ns()}"))
            endangered = [path for path in self._added(target, undone) if _is_protected(path)]
            if safe_clean and endangered:
                return False, f"Protected files would be deleted: {', '.join(endangered[:10])}"
            self._restore(target, undone)
        except AutopackError as error:
            return False, str(error)
        logger.warning("rolled %s back to %s: %s", self.workspace, self.savepoint_tag, reason)
        return True, None

    def cleanup_savepoint(self, keep_last_n: bool = True) -> None:
        """Forget the last savepoint or, with `keep_last_n`, only those beyond the newest `max_savepoints_per_run`."""
        if keep_last_n:
            refs = self._list(self._folder)
            self._forget(refs[: max(0, len(refs) - self.max_savepoints_per_run)])
        elif self.savepoint_tag is not None:
            self._forget([self.savepoint_tag])
            self.savepoint_tag = None

    @staticmethod
    def cleanup_old_savepoints(workspace: Path, days_threshold: float = 7) -> int:
        """Forget the savepoints of one worktree that are older than that many days; return how many."""
        manager = RollbackManager(workspace, "cleanup", "cleanup")
        oldest = time.time_ns() - int(days_threshold * _NANOSECONDS_A_DAY)
        old = [ref for ref in manager._list(_SAVED) if int(ref.rsplit("/", 1)[1].split("-")[0]) < oldest]
        manager._forget(old)
        return len(old)

    def _git(self, *args: str) -> str:
        return run_git(args, cwd=self.workspace).text

    def _save(self, ref: str) -> str:
        head = self._git("rev-parse", "--verify", "HEAD^{commit}")
        index = Path(self._git("rev-parse", "--absolute-git-dir")) / "autopack-savepoint.index"
        index.unlink(missing_ok=True)
        try:
            saved = snapshot(
                self.workspace, git_dir=None, index_file=index, ref=ref, message=f"autopack: {self.phase_id}"
            )
        finally:
            index.unlink(missing_ok=True)
        if saved.unsaved:
            # Going back would delete, or not bring back, what is not in the savepoint.
            raise AutopackError("SavepointIncomplete", f"not every file can be saved: {saved.unsaved[0]['path']}")
        if saved.sha is None:
            self._git("update-ref", ref, head)
        # The parent would tell HEAD only where there was something uncommitted.
        self._git("update-ref", f"{ref}.head", head)
        return ref

    def _read(self, ref: str) -> _State:
        return _State(self._git("rev-parse", "--verify", ref), self._git("rev-parse", "--verify", f"{ref}.head"))

    def _added(self, before: _State, after: _State) -> list[str]:
        """Return the paths that are in the later tree only and were tracked by neither HEAD."""
        listed = self._git("diff", "--name-only", "--no-renames", "--diff-filter=A", "-z", before.tree, after.tree)
        tracked = set(self._git("ls-tree", "-r", "--name-only", "-z", after.head).split("\0"))
        return [path for path in listed.split("\0") if path and path not in tracked]

    def _restore(self, target: _State, current: _State) -> None:
        # The index first learns of every file there is, so that what the target lacks is deleted, ignored files apart.
        self._git("read-tree", "--reset", current.tree)
        run_git(["update-index", "-q", "--refresh"], cwd=self.workspace, check=False)
        self._git("read-tree", "--reset", "-u", target.tree)
        self._git("update-ref", "-m", "autopack: rollback", "HEAD", target.head)
        self._git("reset", "--mixed", "--quiet")

    def _check_branch_is_ours(self) -> None:
        own = Path(self._git("rev-parse", "--absolute-git-dir")).resolve()
        branch = head_branch(own)
        common = common_dir(self.workspace)
        others = [common, *(entry.admin for entry in registrations(common))]
        if branch is not None and any(head_branch(other) == branch for other in others if other.resolve() != own):
            message = f"another worktree has the branch {branch} checked out"
            raise AutopackError("BranchShared", message, "Give this run a branch of its own")

    def _list(self, folder: str) -> list[str]:
        refs = self._git("for-each-ref", "--format=%(refname)", "--sort=refname", folder).splitlines()
        saved = [ref for ref in refs if not ref.endswith(".head")]
        return sorted(saved, key=lambda ref: ref.rsplit("/", 1)[1])

    def _forget(self, refs: list[str]) -> None:
        for ref in refs:
            self._git("update-ref", "-d", ref)
            self._git("update-ref", "-d", f"{ref}.head")


def _word(text: str) -> str:
    """Return a piece of a ref name that differs for different texts."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return re.sub(r"[^A-Za-z0-9_]+", "-", text)[:60].strip("-") + f"-{digest}"


def _is_protected(path: str) -> bool:
    parts = path.split("/")
    tails = ["/".join(parts[index:]) for index in range(len(parts))]
    return any(fnmatch.fnmatch(tail, pattern) for tail in tails for pattern in PROTECTED_PATTERNS)
