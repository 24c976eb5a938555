"""Commits of a dirty tree, made without touching the index, the branch or the files of whoever works in it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from autopack.failpoints import hit
from autopack.unsaved import Unsaved

from .corrections import correct
from .index import IDENTITY, OwnIndex
from .staging import stage

_NO_OBJECT = "0" * 40

__all__ = ["IDENTITY", "Snapshot", "snapshot"]


class Snapshot(NamedTuple):
    """A saved work tree: the commit (None where nothing differs from HEAD), and what it had to leave out."""

    sha: str | None
    unsaved: tuple[Unsaved, ...] = ()


def snapshot(
    worktree: Path, *, git_dir: Path | None, index_file: Path, ref: str | None, message: str, head: str = "HEAD"
) -> Snapshot:
    """Save the whole work tree as a commit on `ref` (None: on no ref; the caller keeps it).

    The commit holds every tracked and every untracked, non-ignored file as it is on disk; its parent is the commit that
    `head` names. Repositories inside the tree are saved as plain files. What the worktree leaves out on purpose (a
    sparse checkout) is not taken for deleted. There is no commit when the tree equals that of `head`, and the old one
    when `ref` has that same tree and parent already. `index_file` is ours alone: one process at a time, kept between
    calls because it makes the next one quick. The worktree's own index is read, never written. `git_dir` is needed
    where the `.git` file in the worktree is not to be trusted.

    A file that git cannot take never costs the others: it is named in the answer. Raises GitError when git cannot do
    it at all.
    """
    index = OwnIndex(worktree.absolute(), None if git_dir is None else git_dir.absolute(), index_file.absolute())
    left_out = tuple(stage(index))
    hit("snapshot.after_stage")
    parent: str | None = f"{head}^{{commit}}"
    changes = index.differences(head)
    if changes and correct(index, changes):
        changes = index.differences(head)
    if changes == b"":
        return Snapshot(None, left_out)
    if changes is None:
        # No commit yet, or a damaged one.
        (parent,) = index.resolve(f"{head}^{{commit}}")
    return Snapshot(_commit(index, parent, ref, message), left_out)


def _commit(index: OwnIndex, parent: str | None, ref: str | None, message: str) -> str | None:
    saved_tree = index.git("write-tree").text
    if parent is None and saved_tree == index.git("hash-object", "-t", "tree", "--stdin", input=b"").text:
        return None
    last = None
    if ref is not None:
        names = [f"{ref}^{{commit}}", f"{ref}^{{tree}}", f"{ref}^", parent or _NO_OBJECT]
        last, last_tree, last_parent, parent_sha = index.resolve(*names)
        if last is not None and (last_tree, last_parent) == (saved_tree, parent_sha):
            return last
    parents = () if parent is None else ("-p", parent)
    sha = index.git("commit-tree", *parents, "-m", message, saved_tree).text
    hit("snapshot.after_commit")
    if ref is not None:
        index.git("update-ref", "--no-deref", "-m", "autopack: snapshot", ref, sha, last or "0" * len(sha))
    return sha
