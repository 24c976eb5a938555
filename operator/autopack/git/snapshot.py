"""Commits of a dirty tree, made without touching the index, the branch or the files of whoever works in it."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from autopack.errors import AutopackError, printable
from autopack.failpoints import hit

from .runner import GitError, GitResult, run_git

IDENTITY = {
    "GIT_AUTHOR_NAME": "Autopack",
    "GIT_AUTHOR_EMAIL": "autopack@invalid",
    "GIT_COMMITTER_NAME": "Autopack",
    "GIT_COMMITTER_EMAIL": "autopack@invalid",
}
"""Who makes the commits that keep work; nothing needs to be configured for it."""

# Nothing configured for people may change or refuse what is saved.
_PLAIN = ("-c", "core.safecrlf=false", "-c", "core.untrackedCache=false", "-c", "core.splitIndex=false")
_OTHER, _SUBMODULE, _USUAL = b"? ", b"H 160000 ", (b"H", b"?")
"""How the entries of `_listed` begin."""

_MAX_NESTING = 8


class SnapshotIncomplete(AutopackError):  # noqa: N818 - says a state
    """Some files could not be read; the rest was saved as the commit `sha`, and the ref points there."""

    def __init__(self, sha: str | None, detail: str) -> None:
        super().__init__(
            "SnapshotIncomplete", f"not every file could be saved: {detail}", "Make the files readable, or remove them"
        )
        self.args = (sha, detail)
        self.sha = sha


class _Tree(NamedTuple):
    """A work tree with the git dir it belongs to and an index of our own."""

    root: Path
    git_dir: Path | None
    index_file: Path

    def git(self, *args: str, input: bytes | None = None, check: bool = True) -> GitResult:  # noqa: A002
        env = {"GIT_INDEX_FILE": str(self.index_file), "GIT_LITERAL_PATHSPECS": "0", **IDENTITY}
        work_tree = None if self.git_dir is None else self.root
        return run_git(
            [*_PLAIN, *args],
            cwd=self.root,
            git_dir=self.git_dir,
            work_tree=work_tree,
            env=env,
            input=input,
            check=check,
        )

    def resolve(self, *names: str) -> list[str | None]:
        """Ask for all at once: what there is not is None."""
        asked = "".join(f"{name}\n" for name in names).encode()
        answers = self.git("cat-file", "--batch-check=%(objectname)", input=asked).text.splitlines()
        return [None if " " in answer else answer for answer in answers]


def snapshot(worktree: Path, *, git_dir: Path | None, index_file: Path, ref: str, message: str) -> str | None:
    """Save the whole work tree as a commit on `ref` and return its id.

    The commit holds every tracked and every untracked, non-ignored file as it is on disk; its parent is HEAD.
    Repositories inside the tree are saved as plain files. Returns None when the tree equals HEAD's, and the old id
    when `ref` has that same tree and parent already. `index_file` is ours alone: one process at a time, kept between
    calls because it makes the next one quick. The worktree's own index is read, never written. `git_dir` is needed
    where the `.git` file in the worktree is not to be trusted.

    Raises SnapshotIncomplete after saving what could be read, GitError when git cannot do it at all.
    """
    tree = _Tree(worktree.absolute(), None if git_dir is None else git_dir.absolute(), index_file.absolute())
    unsaved = _stage(tree)
    head, head_tree = tree.resolve("HEAD^{commit}", "HEAD^{tree}")
    hit("snapshot.after_stage")
    saved_tree = tree.git("write-tree").text
    sha = None if saved_tree == head_tree else _commit(tree, saved_tree, head, ref, message)
    if unsaved:
        raise SnapshotIncomplete(sha, printable(unsaved, 300))
    return sha


def _commit(tree: _Tree, saved_tree: str, head: str | None, ref: str, message: str) -> str | None:
    if head is None and saved_tree == tree.git("hash-object", "-t", "tree", "--stdin", input=b"").text:
        return None
    last, *of_last = tree.resolve(f"{ref}^{{commit}}", f"{ref}^{{tree}}", f"{ref}^")
    if last is not None and of_last == [saved_tree, head]:
        return last
    parent = () if head is None else ("-p", head)
    sha = tree.git("commit-tree", *parent, "-m", message, saved_tree).text
    hit("snapshot.before_ref")
    tree.git("update-ref", "--no-deref", "-m", "autopack: snapshot", ref, sha, last or "0" * len(sha))
    return sha


def _stage(tree: _Tree, depth: int = 0) -> str:
    """Bring our index to what is on disk; return what git said about files it could not read, or nothing."""
    nested = _nested_repositories(tree, _indexed(tree))
    excluded = [f":(exclude,top,literal){os.fsdecode(path)}" for path in nested]
    pathspecs = "\0".join([":(top)", *excluded]).encode("utf-8", "surrogateescape")
    add = ("add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul")
    added = tree.git(*add, input=pathspecs, check=False)
    if added.returncode != 0:
        # A file that vanished while git was reading is the common cause; the second pass no longer sees it.
        added = tree.git(*add, input=pathspecs, check=False)
    unsaved = [os.fsdecode(added.stderr)] if added.returncode != 0 else []
    unsaved.append(_stage_ignored(tree))
    if depth < _MAX_NESTING:
        unsaved += [_stage_nested(tree, path, depth) for path in nested]
    return " ".join(part for part in unsaved if part)


def _indexed(tree: _Tree) -> list[bytes]:
    """Make sure our index exists and is whole, and return what it lists, and what it does not know of the tree.

    The worktree's own index saves us from hashing every file.
    """
    tree.index_file.parent.mkdir(parents=True, exist_ok=True)
    tree.index_file.with_name(tree.index_file.name + ".lock").unlink(missing_ok=True)
    if not tree.index_file.exists():
        own = run_git(["rev-parse", "--git-path", "index"], cwd=tree.root, git_dir=tree.git_dir, check=False).text
        with contextlib.suppress(OSError):
            # With its times: git compares them to those of the files to know which it must read again.
            shutil.copy2(tree.root / own, tree.index_file)
    found = _listed(tree, check=False) if tree.index_file.exists() else None
    # An index that hides something (assume-unchanged, skip-worktree, unmerged entries) is of no use.
    if found is None or found.returncode != 0 or any(entry[:1] not in _USUAL for entry in _entries(found)):
        tree.index_file.unlink(missing_ok=True)
        tree.git("read-tree", "HEAD" if tree.resolve("HEAD^{commit}")[0] else "--empty")
        found = _listed(tree, check=True)
    return _entries(found)


def _listed(tree: _Tree, *, check: bool) -> GitResult:
    """List the index as `H <mode> <id> <stage>\\t<path>`, and what is beside it as `? <path>`."""
    return tree.git("ls-files", "-z", "-v", "--stage", "--others", "--exclude-standard", check=check)


def _entries(listed: GitResult) -> list[bytes]:
    return [entry for entry in listed.stdout.split(b"\0") if entry]


def _stage_ignored(tree: _Tree) -> str:
    """Add the files that are tracked although a .gitignore names them; only the worktree's own index knows all."""
    own = run_git(
        ["ls-files", "-z", "--cached", "--ignored", "--exclude-standard"],
        cwd=tree.root,
        git_dir=tree.git_dir,
        work_tree=None if tree.git_dir is None else tree.root,
        check=False,
    )
    paths = [path for path in own.stdout.split(b"\0") if path and os.path.lexists(os.fsencode(tree.root) + b"/" + path)]
    if not paths:
        return ""
    pathspecs = b"\0".join(b":(top,literal)" + path for path in paths)
    added = tree.git("add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul", input=pathspecs, check=False)
    return os.fsdecode(added.stderr) if added.returncode != 0 else ""


def _nested_repositories(tree: _Tree, listed: list[bytes]) -> list[bytes]:
    """List the folders, without final slash, that hold a repository of their own whose files git would not add."""
    found = [entry[2:].rstrip(b"/") for entry in listed if entry.startswith(_OTHER) and entry.endswith(b"/")]
    for entry in listed:
        if entry.startswith(_SUBMODULE):
            about, _, path = entry.partition(b"\t")
            if _is_changed_submodule(tree, path, about.split()[2].decode()):
                found.append(path)
    return found


def _is_changed_submodule(tree: _Tree, path: bytes, recorded: str) -> bool:
    folder = tree.root / os.fsdecode(path)
    if not (folder / ".git").exists():
        return False
    inside = _Tree(folder, None, folder / ".git")
    if run_git(["rev-parse", "HEAD"], cwd=inside.root, check=False).text != recorded:
        return True
    status = run_git(["status", "--porcelain", "--untracked-files=all"], cwd=folder, check=False)
    return status.returncode != 0 or bool(status.stdout)


def _stage_nested(tree: _Tree, path: bytes, depth: int) -> str:
    """Put the files of a repository inside the tree into our index, as if it were a plain folder."""
    name = os.fsdecode(path)
    git_dir = tree.git_dir or Path(run_git(["rev-parse", "--absolute-git-dir"], cwd=tree.root).text)
    inner = _Tree(tree.root / name, git_dir, tree.index_file.with_name(f"{tree.index_file.name}.in"))
    inner.index_file.unlink(missing_ok=True)
    try:
        inner.git("read-tree", "--empty")
        unsaved = _stage(inner, depth + 1)
        saved = inner.git("write-tree").text
        tree.git("rm", "--cached", "-r", "-f", "-q", "--ignore-unmatch", "--", f":(top,literal){name}")
        tree.git("read-tree", f"--prefix={name}/", saved)
    except (GitError, OSError) as error:
        return f"{name}: {error}"
    finally:
        inner.index_file.unlink(missing_ok=True)
    return unsaved
