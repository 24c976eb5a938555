"""Makes the commit that keeps objects which nothing else reaches."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from autopack.git.index import IDENTITY
from autopack.git.runner import GitError, run_git

RECORD = "record.json"
PACK = "objects.pack"
_MAX_PARENTS = 1000


def reached(git_dir: Path, roots: Iterable[str], base: Iterable[str]) -> frozenset[str]:
    """Return the ids of all objects that lead from `roots`, those of `base` left out; GitError if one is missing."""
    asked = "".join([*(f"{sha}\n" for sha in roots), *(f"^{sha}\n" for sha in base)])
    listed = run_git(["rev-list", "--objects", "--no-object-names", "--stdin"], git_dir=git_dir, input=asked.encode())
    return frozenset(listed.text.split())


class Keeper:
    """Makes commits in `ours`, a git dir of our own, for the run `name`; `record` says what lay where."""

    def __init__(self, ours: Path, name: str, record: Mapping[str, object]) -> None:
        self._ours = ours
        self._message = f"autopack: what no ref of {name} had"
        self._record = record

    def keep(self, left: set[str], further: list[str], known: Collection[str], *, whole: bool) -> str:
        """Return a commit that keeps all of `left` and the commits `further`; what `known` reach is kept elsewhere.

        Commits become its parents, and what is no commit lies in its tree. Where objects that those lead to are missing
        (a clone of limited depth has no parents for its oldest commits), or are known to be missing (not `whole`), git
        would refuse that: all of them then lie in the tree as one pack.
        """
        if whole:
            try:
                return self._pin(left, further, known)
            except GitError:
                pass
        return self._pack(left, further)

    def _git(self, *args: str, given: bytes | None = None) -> str:
        return run_git(args, git_dir=self._ours, env=IDENTITY, input=given).text

    def _pin(self, left: set[str], further: list[str], known: Collection[str]) -> str:
        kinds = self._kinds(left)
        tips = [*self._tips(sorted(sha for sha in left if kinds[sha] == "commit")), *further]
        rest = sorted(left - reached(self._ours, tips, known)) if tips else sorted(left)
        entries = {kind: [sha for sha in rest if kinds[sha] == kind] for kind in ("blob", "tree", "tag")}
        if entries["tree"]:
            reached(self._ours, entries["tree"], known)
        folders = {
            "blobs": [f"100644 blob {sha}\t{sha}" for sha in entries["blob"]],
            "trees": [f"040000 tree {sha}\t{sha}" for sha in entries["tree"]],
            "tags": [f"100644 blob {self._text_of_tag(sha)}\t{sha}" for sha in entries["tag"]],
        }
        rows = [f"040000 tree {self._mktree(inner)}\t{name}" for name, inner in folders.items() if inner]
        return self._commit(rows, tips)

    def _pack(self, left: set[str], further: list[str]) -> str:
        made = {sha for tip in further for sha in self._new_in(tip)}
        asked = "".join(f"{sha}\n" for sha in sorted(left | made)).encode()
        name = self._git("pack-objects", "--quiet", str(self._ours / "left"), given=asked)
        files = [self._ours / f"left-{name}.{ending}" for ending in ("pack", "idx", "rev")]
        blob = self._git("hash-object", "-w", "--no-filters", "--", str(files[0]))
        for file in files:
            file.unlink(missing_ok=True)
        return self._commit([f"100644 blob {blob}\t{PACK}"], [])

    def _new_in(self, tip: str) -> list[str]:
        """Return a snapshot of ours, its trees and its files: its parent has what was there before."""
        return [tip, *self._git("rev-list", "--objects", "--no-object-names", f"{tip}^{{tree}}").split()]

    def _kinds(self, ids: set[str]) -> dict[str, str]:
        asked = "".join(f"{sha}\n" for sha in sorted(ids)).encode()
        answers = self._git("cat-file", "--batch-check=%(objectname) %(objecttype)", given=asked).splitlines()
        return dict(line.split(" ", 1) for line in answers)

    def _tips(self, commits: list[str]) -> list[str]:
        """Return those of the commits that are no parent of another."""
        if not commits:
            return []
        asked = "".join(f"{sha}\n" for sha in commits).encode()
        rows = self._git("rev-list", "--no-walk=unsorted", "--parents", "--stdin", given=asked).splitlines()
        parents = {parent for row in rows for parent in row.split()[1:]}
        return [sha for sha in commits if sha not in parents]

    def _text_of_tag(self, sha: str) -> str:
        """Return a blob with the text of a tag object, which a tree cannot hold; what it points to is kept anyway."""
        return self._git(
            "hash-object", "-w", "--stdin", given=run_git(["cat-file", "tag", sha], git_dir=self._ours).stdout
        )

    def _mktree(self, rows: list[str]) -> str:
        return self._git("mktree", given="".join(f"{row}\n" for row in rows).encode())

    def _commit(self, rows: list[str], tips: list[str]) -> str:
        """Make the commit with the record beside `rows`; many parents hang on further commits, which git can take."""
        text = json.dumps(self._record, indent=1, sort_keys=True).encode() + b"\n"
        record = self._git("hash-object", "-w", "--stdin", given=text)
        tree = self._mktree([f"100644 blob {record}\t{RECORD}", *rows])
        while len(tips) > _MAX_PARENTS:
            parts = [tips[start : start + _MAX_PARENTS] for start in range(0, len(tips), _MAX_PARENTS)]
            tips = [self._commit_tree(tree, part) for part in parts]
        return self._commit_tree(tree, tips)

    def _commit_tree(self, tree: str, parents: list[str]) -> str:
        words = [word for sha in parents for word in ("-p", sha)]
        return self._git("commit-tree", *words, "-m", self._message, tree)
