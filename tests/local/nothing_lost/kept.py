"""The judge of "nothing lost": what of a run can be found again once its worktree is gone. Git and hashes only."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.local.workspaces.repos import git

from autopack.supervisor import RunResult

OWN = ("refs/autopack/", "refs/autopack-history/")
"""The refs that are Autopack's alone. What hangs on these stays, whatever anybody does to branches."""
PUBLISHED = (*OWN, "refs/heads/")


def blob(content: bytes | str) -> str:
    """Return the id that git gives to a file of this content."""
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def reached(repo: Path, prefixes: Iterable[str] = PUBLISHED) -> frozenset[str]:
    """Return the ids of all objects that refs lead to; fails when one of them is missing."""
    tips = git(repo, "for-each-ref", "--format=%(objectname)", *prefixes).split()
    # Without `--single-worktree` nothing changes here: heads of worktrees are asked for by `--all` only.
    found = git(repo, "rev-list", "--objects", "--no-object-names", *tips, "--").split() if tips else []
    return frozenset([*found, *_packed(repo, tips)])


def _packed(repo: Path, tips: Iterable[str]) -> Iterator[str]:
    """Yield the ids in the packs that lie in the trees of tips: what lacks something a commit must lead to."""
    for tip in tips:
        pack = subprocess.run(
            ["git", "cat-file", "blob", f"{tip}:objects.pack"], cwd=repo, capture_output=True, check=False
        )
        if pack.returncode == 0:
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "a.pack").write_bytes(pack.stdout)
                subprocess.run(["git", "index-pack", f"{folder}/a.pack"], cwd=repo, capture_output=True, check=True)
                index = (Path(folder) / "a.idx").read_bytes()
            shown = subprocess.run(["git", "show-index"], input=index, cwd=repo, capture_output=True, check=True).stdout
            yield from (line.split()[1].decode() for line in shown.splitlines())


def lost(repo: Path, *wanted: str | bytes, prefixes: Iterable[str] = PUBLISHED) -> list[str | bytes]:
    """Return those of the object ids (40 digits) and contents that no ref leads to."""
    found = reached(repo, prefixes)
    return [one for one in wanted if one not in found and blob(one) not in found]


def link_text(path: Path) -> bytes:
    """Return where a symlink leads, exactly as it was written."""
    return os.readlink(os.fsencode(path))  # noqa: PTH115 - a Path would leave out what is superfluous, such as "./"


def aside(runs: Path) -> Iterator[str]:
    """Yield the ids of all that lies in trees, and git dirs, which were set aside because they could not be saved."""
    for folder, folders, names in os.walk(runs / "workspaces/.unsaved"):
        if "objects" in folders and "HEAD" in names:
            asked = ["git", f"--git-dir={folder}", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]
            yield from subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
        for name in names:
            path = Path(folder, name)
            if path.is_symlink():
                yield blob(link_text(path))
            elif path.is_file():
                yield blob(path.read_bytes())


def told(result: RunResult) -> tuple[object, list[str]]:
    """Return how much of the run's work was saved, as its result says it, and the paths of what was not."""
    unsaved = json.loads(json.dumps(result["unsaved"]))
    return result["saved"], [entry["path"] for entry in unsaved]
