"""One run, one git worktree: made, guarded, and removed without losing work.

    with WorkspaceManager("my-run", source_repo=Path("/path/to/repo")) as workspace:
        execute_run(workspace)

A manager claims its worktree before it touches anything, so starting a run twice never harms the one that lives. What
a crash left is repaired by the next start of the same run: a half-made tree is removed, a finished one is saved to
`refs/autopack/<run>` and made again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from .errors import AutopackError, WorkspaceError, printable
from .failpoints import hit
from .file_layout import autonomous_runs_dir
from .git.branches import RUN_PREFIX, Start, plan_start
from .git.contents import check_complete
from .git.enlisting import announce, confirm
from .git.listing import list_worktrees
from .git.private import drop_private, make_private, private_dir
from .git.ref_list import branches_among, list_refs
from .git.removal import Retired, retire, withdraw
from .git.runner import GitError
from .git.save import Saved, archive
from .git.worktree import add_worktree, empty_trash
from .git.worktree_entries import common_dir, repository_lock, top_level
from .occupancy import Occupancy
from .run_ids import path_component
from .workspace_lease import WorkspaceLease
from .worktree_cleanup import cleanup_worktrees
from .worktree_include import copy_included
from .worktree_setup import Watch, run_setup

logger = logging.getLogger(__name__)

REPO_VARIABLE = "AUTOPACK_REPO_PATH"
_ATTEMPTS = 3


@dataclass(frozen=True)
class Preparation:
    """What a fresh worktree needs beyond a checkout.

    `setup` are commands (argument lists) run in it, each for at most `setup_timeout` seconds, their output appended to
    the file `setup_log`, with `setup_env` in their environment and `setup_watch` entered meanwhile. `allow_incomplete`
    accepts empty folders for submodules, and pointers where Git LFS is not installed.
    """

    setup: Sequence[Sequence[str]] = ()
    setup_timeout: float = 600
    setup_log: Path | None = None
    setup_env: Mapping[str, str] = field(default_factory=dict)
    setup_watch: Watch | None = None
    allow_incomplete: bool = False


class WorkspaceManager:
    """The worktree of the run `run_id`, a worktree of `source_repo`, in the folder `worktree_base`.

    Defaults: `source_repo` from `$AUTOPACK_REPO_PATH`, else where we are; `worktree_base` the folder `workspaces` in
    the folder of all runs; `lease_dir` as in WorkspaceLease. As a context manager it makes the worktree (detached at
    HEAD), yields its path, and with `cleanup_on_exit` removes it, after saving what was not committed.

    The claim on the worktree lasts from `create_worktree` to `remove_worktree`, `release`, or the end of the process.
    Raises InvalidInput for a bad run id.
    """

    def __init__(
        self,
        run_id: str,
        source_repo: Path | None = None,
        worktree_base: Path | None = None,
        cleanup_on_exit: bool = True,
        *,
        lease_dir: Path | None = None,
        preparation: Preparation | None = None,
    ) -> None:
        self.run_id = run_id
        self.source_repo = default_repo() if source_repo is None else Path(source_repo)
        self.worktree_base = default_base() if worktree_base is None else Path(worktree_base).absolute()
        self.cleanup_on_exit = cleanup_on_exit
        self.worktree_path = self.worktree_base / path_component(run_id)
        self.created = False
        self.branch: str | None = None
        self.problem = ""
        self.saved: Saved | None = None
        self.aside: Path | None = None
        self._preparation = preparation or Preparation()
        self._lease = WorkspaceLease(self.worktree_path, lease_dir)
        self._occupancy: Occupancy | None = None

    def create_worktree(self, branch: str | None = None, *, start_point: str | None = None) -> Path:
        """Make the worktree and return its path; `self.branch` is the branch it got (None: detached HEAD).

        `branch` alone checks that branch out; where another worktree has it, the run gets `autopack/<run>` at the same
        commit. With `start_point` (a branch, tag or commit) a new branch of that name begins there. Names that are
        taken get -2, -3 … A tree that an earlier run of this id left is saved to `refs/autopack/<run>` first.

        Raises WorkspaceError (a RuntimeError) when it cannot be made, LeaseHeld (a RuntimeError) when the run or its
        folder is in use, InvalidInput for a bad name; nothing is left behind then.
        """
        common = self._common_dir()
        self._claim(common)
        try:
            # Released when the tree stands, so that the run itself can hold it while it works there.
            with self._lease:
                self.branch = self._make(common, branch, start_point)
        except BaseException as error:
            self.release()
            if isinstance(error, GitError):
                message = f"git worktree add failed: {error}"
                raise WorkspaceError("WorktreeAddFailed", message, "Check the repository with git fsck") from error
            raise
        finally:
            empty_trash(self.worktree_base)
        self.created = True
        hit("workspace.after_create")
        return self.worktree_path

    def remove_worktree(self, force: bool = False) -> bool:
        """Remove the worktree; True if it is gone, False if not, and then `self.problem` says why.

        What only the worktree has is saved to `refs/autopack/<run>` in any case. Uncommitted changes, or commits that
        no ref has, make it stay unless `force`. A worktree in use by another process stays.
        """
        was_ours = self._occupancy is not None
        try:
            common = self._common_dir()
            self._claim(common)
            with self._lease:
                done = retire(common, self.worktree_path, force=force)
        except (AutopackError, OSError) as error:
            done = Retired(removed=False, problem=str(error))
        hit("workspace.after_remove")
        if done.removed or not was_ours:
            self.release()
        if done.removed:
            self.created = False
            empty_trash(self.worktree_base)
        self.problem, self.saved, self.aside = done.problem, done.saved, done.aside
        if done.problem:
            logger.warning("worktree of %s: %s", self.run_id, done.problem)
        elif done.kept:
            logger.info("what %s had not committed is kept as %s", self.run_id, done.kept)
        return done.removed

    def release(self) -> None:
        """Give up the claim and leave the worktree as it is, for a later manager."""
        if self._occupancy is not None:
            self._occupancy.release()
            self._occupancy = None

    def fileno(self) -> int | None:
        """Return a descriptor that carries the claim, None without one.

        A child that inherits it (`pass_fds`) keeps the worktree claimed if this process is killed.
        """
        return None if self._occupancy is None else self._occupancy.fileno()

    @staticmethod
    def list_worktrees(repo: Path | None = None) -> list[dict[str, str | bool]]:
        """Return the worktrees of a repository, as `autopack.git.listing.list_worktrees` does."""
        return list_worktrees(default_repo() if repo is None else Path(repo))

    @staticmethod
    def cleanup_all_worktrees(repo: Path | None = None, worktree_base: Path | None = None) -> int:
        """Save and remove all worktrees of the repository in `worktree_base` that nobody uses; return how many."""
        repo = default_repo() if repo is None else Path(repo)
        base = default_base() if worktree_base is None else Path(worktree_base)
        return sum(item.removed for item in cleanup_worktrees(repo, base))

    def __enter__(self) -> Path:
        return self.create_worktree()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.cleanup_on_exit:
            self.remove_worktree(force=True)
        self.release()

    def _common_dir(self) -> Path:
        try:
            return common_dir(self.source_repo)
        except AutopackError as error:
            message = f"git worktree add failed: {printable(str(self.source_repo))} is not a git repository"
            raise WorkspaceError("NotARepository", message, f"Give the repository, or set {REPO_VARIABLE}") from error

    def _claim(self, common: Path) -> None:
        if self._occupancy is None:
            occupancy = Occupancy(common, self.worktree_path)
            if not occupancy.acquire():
                raise occupancy.held_error()
            self._occupancy = occupancy

    def _make(self, common: Path, branch: str | None, start_point: str | None) -> str | None:
        left = retire(common, self.worktree_path, force=True)
        if not left.removed:
            raise WorkspaceError("WorkspaceExists", f"git worktree add failed: {left.problem}", "Choose another run id")
        archive(common, self.worktree_path.name, f"refs/heads/{RUN_PREFIX}{self.worktree_path.name}")
        hit("workspace.before_add")
        try:
            start = self._add(common, branch, start_point)
            self._prepare()
        except BaseException:
            # Nobody has worked here yet, so there is nothing to save.
            withdraw(common, self.worktree_path)
            raise
        return start.branch

    def _add(self, common: Path, branch: str | None, start_point: str | None) -> Start:
        path = self.worktree_path
        start = self._announce(common, branch, start_point)
        hit("workspace.after_announce")
        private = private_dir(common, path)
        add_worktree(private, path, start.sha, start.branch, own_branch=start.own)
        confirm(common, path)
        return start

    def _announce(self, common: Path, branch: str | None, start_point: str | None) -> Start:
        """Make the run's own git dir, and enter the worktree into the repository's list under a branch that is free."""
        path = self.worktree_path
        for attempt in range(_ATTEMPTS):
            refs = list_refs(common)
            start = plan_start(self.source_repo, path.name, branch, start_point, branches_among(refs))
            if not self._preparation.allow_incomplete:
                check_complete(common, start.sha)
            make_private(common, path, start.note, refs)
            try:
                with repository_lock(common) as descriptor:
                    announce(common, path, start.note, (descriptor,))
            except GitError:
                # Another run may have taken the branch between our look and now; the next look sees that.
                if start.branch is None or attempt + 1 == _ATTEMPTS:
                    raise
                drop_private(private_dir(common, path))
            else:
                return start
        raise AssertionError

    def _prepare(self) -> None:
        top = top_level(self.source_repo)
        if top is not None:
            copy_included(top, self.worktree_path, (self.worktree_base, autonomous_runs_dir()))
        hit("workspace.after_include")
        env = {
            "AUTOPACK_RUN_ID": self.run_id,
            "AUTOPACK_WORKSPACE": str(self.worktree_path),
            REPO_VARIABLE: str(self.source_repo.absolute()),
            **self._preparation.setup_env,
        }
        options = self._preparation
        held = [number for number in (self.fileno(), self._lease.fileno()) if number is not None]
        run_setup(
            options.setup,
            self.worktree_path,
            env,
            options.setup_timeout,
            options.setup_log,
            watch=options.setup_watch,
            pass_fds=held,
        )
        hit("workspace.after_setup")


def default_repo() -> Path:
    """Return the repository of `$AUTOPACK_REPO_PATH`, else the folder we are in."""
    return Path(os.environ.get(REPO_VARIABLE) or Path.cwd())


def default_base() -> Path:
    """Return the folder of the worktrees under `$AUTONOMOUS_RUNS_DIR`."""
    return autonomous_runs_dir() / "workspaces"
