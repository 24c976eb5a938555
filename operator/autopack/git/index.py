"""An index of our own for somebody else's work tree."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import NamedTuple

from .runner import GitResult, run_git

IDENTITY = {
    "GIT_AUTHOR_NAME": "Autopack",
    "GIT_AUTHOR_EMAIL": "autopack@invalid",
    "GIT_COMMITTER_NAME": "Autopack",
    "GIT_COMMITTER_EMAIL": "autopack@invalid",
}
"""Who makes the commits that keep work; nothing needs to be configured for it."""

# Nothing configured for people may change or refuse what is saved.
_PLAIN = ("-c", "core.safecrlf=false", "-c", "core.untrackedCache=false", "-c", "core.splitIndex=false")
_LIST = ("ls-files", "-z", "-v", "--stage", "--modified", "--others", "--exclude-standard")
_DIFFER = ("diff-index", "--cached", "-z", "--no-renames", "--ignore-submodules=none")
# Flags by which an index says "do not look at this file": they hide what is on disk.
_ASSUME_UNCHANGED = frozenset(b"hmrcs")
_SKIP_WORKTREE = frozenset(b"Ss")


class Listed(NamedTuple):
    """What `ls-files` told of a tree, as raw paths."""

    changed: list[bytes]
    """Files that differ from the index, and those it does not know."""
    folders: list[bytes]
    """Folders, without a final slash, that hold a repository of their own."""
    links: dict[bytes, str]
    """Submodules, with the commit that the index has for them."""
    whole: bool
    """Whether every folder could be read."""
    fresh: bool = False
    """Whether our index has just been copied from the worktree's own, so that it knows all that this does."""


class OwnIndex(NamedTuple):
    """A work tree with the git dir it belongs to (None: whatever its `.git` says) and an index of ours."""

    root: Path
    git_dir: Path | None
    index_file: Path

    def git(self, *args: str, input: bytes | None = None, check: bool = True) -> GitResult:  # noqa: A002
        """Run git on our index."""
        return self._run(args, {"GIT_INDEX_FILE": str(self.index_file)}, input, check=check)

    def git_on_theirs(self, *args: str) -> GitResult:
        """Run git, which may fail, on the index of whoever works in the tree."""
        return self._run(args, {}, None, check=False)

    def _run(self, args: tuple[str, ...], env: dict[str, str], given: bytes | None, *, check: bool) -> GitResult:
        return run_git(
            [*_PLAIN, *args],
            cwd=self.root,
            git_dir=self.git_dir,
            work_tree=None if self.git_dir is None else self.root,
            env={"GIT_LITERAL_PATHSPECS": "0", **env, **IDENTITY},
            input=given,
            check=check,
        )

    def resolve(self, *names: str) -> list[str | None]:
        """Ask for all at once: what there is not is None."""
        asked = "".join(f"{name}\n" for name in names).encode()
        answers = self.git("cat-file", "--batch-check=%(objectname)", input=asked).text.splitlines()
        return [None if " " in answer else answer for answer in answers]

    def update(self, *options: str, paths: list[bytes], check: bool = True) -> GitResult:
        """Run `update-index` for these paths."""
        return self.git("update-index", "-z", *options, "--stdin", input=b"\0".join([*paths, b""]), check=check)

    def enter(self, entries: list[bytes]) -> None:
        """Put entries (`<mode> <id>\\t<path>`) into the index as they are."""
        self.git("update-index", "-z", "--add", "--replace", "--index-info", input=b"\0".join([*entries, b""]))

    def differences(self, head: str) -> bytes | None:
        """Return how our index differs from the commit `head`, as raw lines of `diff-index`; None: git cannot tell."""
        shown = self.git(*_DIFFER, head, "--", check=False)
        return shown.stdout if shown.returncode == 0 else None

    def listed(self) -> Listed:
        """Make sure our index exists, is whole and hides nothing, and tell how the tree differs from it.

        The worktree's own index, copied, saves us from hashing every file.
        """
        self.index_file.parent.mkdir(parents=True, exist_ok=True)
        self.index_file.with_name(self.index_file.name + ".lock").unlink(missing_ok=True)
        fresh = not self.index_file.exists()
        if fresh:
            with contextlib.suppress(OSError):
                # With its times: git compares them to those of the files to know which it must read again.
                shutil.copy2(self._theirs(), self.index_file)
        found = self.git(*_LIST, check=False) if self.index_file.exists() else None
        if found is None or found.returncode != 0:
            fresh = False
            self.index_file.unlink(missing_ok=True)
            self.git("read-tree", "HEAD" if self.resolve("HEAD^{commit}")[0] else "--empty")
            found = self.git(*_LIST)
        hidden = self._reveal(found)
        return _parse(self.git(*_LIST) if hidden else found)._replace(fresh=fresh)

    def _theirs(self) -> Path:
        """Return the index of whoever works in the tree."""
        if self.git_dir is not None:
            return self.git_dir / "index"
        return self.root / self.git_on_theirs("rev-parse", "--git-path", "index").text

    def _reveal(self, found: GitResult) -> bool:
        """Take away the flags that hide files; say whether there were any."""
        entries = [entry for entry in found.stdout.split(b"\0") if entry]
        for flags, option in ((_ASSUME_UNCHANGED, "--no-assume-unchanged"), (_SKIP_WORKTREE, "--no-skip-worktree")):
            paths = [entry.partition(b"\t")[2] for entry in entries if entry[0] in flags]
            if paths:
                self.update(option, paths=paths)
        return any(entry[0] in _ASSUME_UNCHANGED | _SKIP_WORKTREE for entry in entries)


def _parse(found: GitResult) -> Listed:
    """Read `H <mode> <id> <stage>\\t<path>` (C: changed or gone), and `? <path>` of what is not in the index."""
    listed = Listed([], [], {}, whole=not found.stderr)
    for entry in found.stdout.split(b"\0"):
        tag, rest = entry[:1], entry[2:]
        if tag == b"?":
            (listed.folders if rest.endswith(b"/") else listed.changed).append(rest.rstrip(b"/"))
            continue
        about, _, path = rest.partition(b"\t")
        if about.startswith(b"160000 "):
            listed.links[path] = about.split()[1].decode()
        elif tag == b"C":
            listed.changed.append(path)
    return listed
