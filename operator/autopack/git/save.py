"""Making sure that nothing is lost when a worktree goes: its files and its commits end up reachable from a ref.

`refs/autopack/<name>` is the last state of a run: a snapshot of its dirty tree, or its detached HEAD. What would be
overwritten there, and commits that only the worktree's reflog knew, are kept as `refs/autopack-history/<name>/<n>`.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autopack.failpoints import hit
from autopack.unsaved import Unsaved

from .layout import has_no_ref
from .ref_list import commit_of, list_refs, resolve
from .refs import RUN_REFS
from .runner import run_git
from .snapshot import IDENTITY, snapshot
from .worktree_entries import head_branch, state_dir

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_MAX_PARENTS = 1000


class Saved(NamedTuple):
    """What was in a worktree, all of it now on refs but for what `unsaved` names.

    `snapshot`: the commit of the files that differed from HEAD (None: none did); `only_here`: HEAD was on no branch or
    tag; `sha`: where the run's ref is now, None if there was nothing to keep; `head`: the commit HEAD was at; `branch`:
    the branch in the repository that has it; `history_ref` keeps what else there was (None: nothing).
    """

    snapshot: str | None
    only_here: bool
    sha: str | None
    head: str | None = None
    branch: str | None = None
    unsaved: tuple[Unsaved, ...] = ()
    history_ref: str | None = None

    @property
    def clean(self) -> bool:
        """Whether a branch has all there was."""
        return self.snapshot is None and not self.only_here and not self.unsaved


def run_ref(name: str) -> str:
    """Return the ref that keeps the last state of the run whose path component is `name`."""
    return f"{RUN_REFS}{name}"


def save_work(common: Path, admin: Path | None, tree: Path, name: str) -> Saved:
    """Save the files and commits of a plain worktree, which shares its refs and objects with the whole repository.

    `admin` is its private git dir, None where git has lost it: the files are then saved on top of the repository's own
    HEAD. Raises GitError.
    """
    git_dir = common if admin is None else admin
    lost = [] if admin is None else _only_known_to(common, admin)
    head = _head(git_dir)
    index = state_dir(common) / f"{name}.index"
    index.unlink(missing_ok=True)
    hit("workspace.before_snapshot")
    try:
        taken = snapshot(tree, git_dir=git_dir, index_file=index, ref=run_ref(name), message=f"autopack: {name}")
    finally:
        index.unlink(missing_ok=True)
    hit("workspace.before_keep")
    further = _keep(common, name, [commit for commit in lost if commit != head])
    if taken.sha is None and head in lost:
        _point(common, run_ref(name), head)
    sha = taken.sha or (head if head in lost else None)
    branch = None if admin is None else head_branch(admin)
    return Saved(taken.sha, head in lost, sha, head or None, branch, taken.unsaved, further)


def pin_commits(common: Path, admin: Path, name: str) -> None:
    """Keep the commits that only a worktree's private git dir knows, where the tree itself is gone."""
    _keep(common, name, _only_known_to(common, admin))


def archive(common: Path, name: str, *refs: str) -> None:
    """Note what the run's ref, and the further `refs`, keep in its history as well, so that they may be moved."""
    for ref in (run_ref(name), *refs):
        if has_no_ref(common, ref):
            continue
        sha = resolve(ref, git_dir=common)
        if sha is not None and not _is_kept(common, name, sha):
            _point(common, next_history(common, name), sha)


def _is_kept(common: Path, name: str, sha: str) -> bool:
    kept = history(common, name).values()
    if not kept:
        return False
    return not run_git(["rev-list", "-n1", sha, "--not", *kept, "--"], git_dir=common).stdout


def _head(git_dir: Path) -> str:
    return commit_of("HEAD", git_dir=git_dir) or ""


def _point(common: Path, ref: str, sha: str) -> None:
    run_git(["update-ref", "--no-deref", "-m", "autopack: kept", ref, sha], git_dir=common)


def history(common: Path, name: str) -> dict[int, str]:
    """Return what is kept of the earlier states of the run `name`, by number."""
    prefix = f"refs/autopack-history/{name}/"
    numbered = ((ref.name.removeprefix(prefix), ref.sha) for ref in list_refs(common, prefix))
    return {int(number): sha for number, sha in numbered if number.isdecimal()}


def next_history(common: Path, name: str) -> str:
    """Return the first ref of the run's history that is free."""
    return history_ref(name, max(history(common, name), default=0) + 1)


def history_ref(name: str, number: int) -> str:
    """Return the ref of the run's history that has this number."""
    return f"refs/autopack-history/{name}/{number}"


def _keep(common: Path, name: str, commits: list[str]) -> str | None:
    """Pin commits by one new ref, through a commit that has them all as parents; return the ref."""
    if not commits:
        return None
    parents = [part for commit in commits[:_MAX_PARENTS] for part in ("-p", commit)]
    made = run_git(
        ["commit-tree", *parents, "-m", f"autopack: commits only the worktree of {name} had", f"{commits[0]}^{{tree}}"],
        git_dir=common,
        env=IDENTITY,
    )
    ref = next_history(common, name)
    _point(common, ref, made.text)
    return ref


def _only_known_to(common: Path, admin: Path) -> list[str]:
    """Return the newest of the commits that a worktree's HEAD, reflog and private refs name and no other ref has."""
    named = sorted(set(_named_commits(admin)))
    if not named:
        return []
    listed = run_git(
        # The heads of worktrees are no refs: what only they hold is what we are looking for.
        ["rev-list", "--parents", "--ignore-missing", "--single-worktree", "--stdin", "--not", "--all"],
        git_dir=common,
        input="".join(f"{sha}\n" for sha in named).encode(),
        check=False,
    )
    rows = [line.split() for line in listed.text.splitlines()]
    older = {parent for row in rows for parent in row[1:]}
    return [row[0] for row in rows if row[0] not in older]


def _named_commits(admin: Path) -> Iterator[str]:
    head = _head(admin)
    if head:
        yield head
    # Git removes folders of refs that become empty, perhaps while they are looked at: no `rglob`, which raises then.
    walked = (Path(folder, name) for folder, _, names in os.walk(admin / "refs") for name in names)
    private = [path for path in walked if path.is_file()]
    for file in [admin / "logs/HEAD", admin / "ORIG_HEAD", *private]:
        with contextlib.suppress(OSError):
            for line in os.fsdecode(file.read_bytes()).splitlines():
                yield from (word for word in line.split()[:2] if _SHA.fullmatch(word) and word.strip("0"))
