"""What a run changed: since it began, committed or not, whether it is still at work or long gone."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import WorkspaceError
from .file_layout import autonomous_runs_dir
from .git.branches import RUN_PREFIX
from .git.private import repository_of
from .git.ref_list import commit_of
from .git.refs import check_ref
from .git.runner import run_git
from .git.save import run_ref
from .git.scratch import scratch_objects
from .git.worktree_entries import Registration, common_dir, registration_of
from .run_ids import path_component

# Nothing that a repository configures may run here.
_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color")


@dataclass(frozen=True)
class RunDiff:
    """The difference between the commit `base` and `tip` (a commit, or None: the worktree as it is now).

    `data` is what `git diff` prints, as bytes: a patch, or with `stat` a summary.
    """

    base: str
    tip: str | None
    data: bytes


def run_diff(
    repo: Path,
    run_id: str,
    *,
    worktree_base: Path | None = None,
    base: str | None = None,
    stat: bool = False,
    binary: bool = False,
) -> RunDiff:
    """Return what a run changed since `base` (default: where it began, else where it left the repository's HEAD).

    A run whose worktree stands is compared as it is on disk, new files included; nothing there is touched. Of another,
    the branch `autopack/<run>` and the last snapshot `refs/autopack/<run>` are looked at. Raises WorkspaceError
    RunUnknown if there is neither, InvalidInput for a bad id or base.
    """
    name = path_component(run_id)
    common = common_dir(repo)
    tree = (autonomous_runs_dir() / "workspaces" if worktree_base is None else worktree_base).absolute() / name
    at_work = repository_of(common, tree)
    entry = registration_of(at_work, tree)
    if entry is not None and tree.is_dir() and not entry.half_made:
        begun = entry.note.sha if entry.note else _head(repo)
        start = _base(entry.admin, base, begun)
        return RunDiff(start, None, _diff_of_tree(at_work, entry, start, _form(stat, binary)))
    tip = _last_state(common, name)
    if tip is None:
        message = f"there is neither a worktree nor a branch nor a snapshot of the run '{run_id}'"
        raise WorkspaceError("RunUnknown", message, "Check the run id, or --worktree-base")
    merge_base = run_git(["merge-base", _head(repo), tip], cwd=repo, check=False).text
    start = _base(repo, base, merge_base or tip)
    return RunDiff(start, tip, run_git(diff_command(start, tip, stat=stat, binary=binary), git_dir=common).stdout)


def diff_command(start: str, tip: str, *, stat: bool = False, binary: bool = False) -> list[str]:
    """Return git's arguments that show the difference of two commits, whatever a repository configures.

    `stat`: only a summary. `binary`: with what `git apply` needs for files that are no text.
    """
    return [*_DIFF, *_form(stat, binary), start, tip, "--"]


def _base(repo: Path, asked: str | None, default: str) -> str:
    name = default if asked is None else check_ref(asked, "base")
    found = commit_of(name, cwd=repo)
    if found is None:
        raise WorkspaceError("RefNotFound", f"there is no branch, tag or commit '{name}'", "Check the name")
    return found


def _head(repo: Path) -> str:
    return run_git(["rev-parse", "--verify", "HEAD"], cwd=repo).text


def _last_state(common: Path, name: str) -> str | None:
    """Return the newest of the run's branch and snapshot: a snapshot that lacks the branch's commits is an old one."""
    branch = commit_of(f"refs/heads/{RUN_PREFIX}{name}", git_dir=common)
    saved = commit_of(run_ref(name), git_dir=common)
    if branch is None or saved is None:
        return branch or saved
    newer = run_git(["merge-base", "--is-ancestor", branch, saved], git_dir=common, check=False).returncode == 0
    return saved if newer else branch


def _diff_of_tree(common: Path, entry: Registration, start: str, form: list[str]) -> bytes:
    """Compare a work tree through a copy of its index, in which new files are announced; nothing is stored."""
    with tempfile.TemporaryDirectory(prefix="autopack-diff-") as scratch:
        index = Path(scratch) / "index"
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(entry.admin / "index", index)
        env = {"GIT_INDEX_FILE": str(index), **scratch_objects(common, Path(scratch))}

        def git(*args: str, check: bool = True) -> bytes:
            where, tree = entry.admin, entry.tree
            return run_git(args, git_dir=where, work_tree=tree, cwd=tree, env=env, check=check).stdout

        git("add", "--intent-to-add", "--ignore-errors", "--all", ".", check=False)
        return git(*_DIFF, *form, start, "--")


def _form(stat: bool, binary: bool) -> list[str]:
    return ["--stat=100"] if stat else ["--binary"] if binary else []
