"""Which files a run wanted checked out, and which looked at: its sparse checkout and its marks in the index.

They are no part of a commit, so they travel as one of their own, and the next attempt has them again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from autopack.errors import AutopackError
from autopack.git.bundles import EXTRA
from autopack.git.index import IDENTITY
from autopack.git.runner import GitResult, run_git
from autopack.log import log

from .pod import Pod

CHECKOUT = f"{EXTRA}autopack/checkout"
"""The ref of that commit in a bundle."""
_RECORD = "checkout.json"
_PATTERNS = "info/sparse-checkout"
_MARKS = ("--assume-unchanged", "--skip-worktree")
_LARGEST = 1 << 20
# The same content is the same commit: nothing is bundled twice.
_ALWAYS = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
_ASK_SECONDS = 60


def save_checkout(ours: Path, admin: Path, *, marks: bool) -> str | None:
    """Make the commit in the git dir `ours` for the worktree whose private git dir is `admin`; None if all is usual.

    Without `marks` those of the index are left out: to look for them is to read all of it.
    """
    found: dict[str, object] = {}
    if _is_on(admin, "core.sparseCheckout") and (patterns := _patterns(admin)) is not None:
        found["sparse"] = {"patterns": patterns, "cone": _is_on(admin, "core.sparseCheckoutCone")}
    if marks:
        found |= _marked(admin, sparse=bool(found))
    if not found:
        return None
    text = json.dumps(found, sort_keys=True).encode()
    blob = run_git(["hash-object", "-w", "--stdin"], git_dir=ours, input=text).text
    tree = run_git(["mktree"], git_dir=ours, input=f"100644 blob {blob}\t{_RECORD}\n".encode()).text
    return run_git(["commit-tree", "-m", "autopack: checkout", tree], git_dir=ours, env={**IDENTITY, **_ALWAYS}).text


def _is_on(admin: Path, setting: str) -> bool:
    # Git asks for no value of a worktree that has no patterns of its own.
    return (admin / _PATTERNS).exists() and _ask(admin, "config", "--type=bool", "--get", setting).text == "true"


def _patterns(admin: Path) -> str | None:
    with (admin / _PATTERNS).open("rb") as file:
        data = file.read(_LARGEST + 1)
    return os.fsdecode(data) if len(data) <= _LARGEST else None


def _marked(admin: Path, *, sparse: bool) -> dict[str, list[str]]:
    """Return the marked paths by the option that marks them; those that a sparse checkout marks itself are left out."""
    found: dict[str, list[str]] = {}
    for entry in _ask(admin, "ls-files", "-z", "-v", "--full-name").stdout.split(b"\0"):
        letter, path = entry[:1], os.fsdecode(entry[2:])
        for option, is_so in zip(_MARKS, (letter.islower(), letter in b"Ss" and not sparse), strict=True):
            if path and is_so:
                found.setdefault(option, []).append(path)
    return found


def _ask(git_dir: Path, *args: str) -> GitResult:
    return run_git(args, git_dir=git_dir, protocols=(), timeout=_ASK_SECONDS, check=False)


def check_out_again(pod: Pod, saved: str) -> None:
    """Give a worktree, all of whose files are there, the sparse checkout and the marks that the commit tells of.

    Changed files stay where they are, in or out of what is to be checked out. What cannot be done is logged.
    """
    told = run_git(["cat-file", "blob", f"{saved}:{_RECORD}"], git_dir=pod.repo, check=False)
    try:
        found = json.loads(told.stdout)
        sparse = found.get("sparse")
        commands = [
            (["update-index", option, "-z", "--stdin"], b"".join(os.fsencode(path) + b"\0" for path in found[option]))
            for option in _MARKS
            if option in found
        ]
        if sparse:
            _sparse(pod, sparse["patterns"], cone=bool(sparse["cone"]))
    except (AutopackError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log("warning", "what was checked out cannot be checked out alone again", error=str(error))
        return
    for args, paths in commands:
        if run_git(args, cwd=pod.workspace, input=paths, check=False).returncode != 0:
            log("warning", "marks in the index could not be made again", option=args[1])


def _sparse(pod: Pod, patterns: str, *, cone: bool) -> None:
    data = os.fsencode(patterns)
    run_git(["sparse-checkout", "init", "--cone" if cone else "--no-cone"], cwd=pod.workspace)
    place = run_git(["rev-parse", "--git-path", _PATTERNS], cwd=pod.workspace).text
    (pod.workspace / place).write_bytes(data)
    run_git(["sparse-checkout", "reapply"], cwd=pod.workspace)
