"""The refs that are a run's own work, under the names by which they travel in its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autopack.errors import InvalidInput
from autopack.git.bundles import EXTRA, HEADS
from autopack.git.keeping.stores import missing_in
from autopack.git.packed_refs import read_packed_refs
from autopack.git.refs import check_ref
from autopack.git.runner import GitResult, run_git

from .origin import REMOTE
from .outbox import pushed_refs
from .pod import Pod

LIST = ("for-each-ref", "--format=%(objectname) %(refname)")
_ASK_SECONDS = 60
_STASH = "refs/stash"
"""A ref of one entry; the others are in its reflog alone."""


def given_refs(pod: Pod) -> dict[str, str]:
    """Return the refs that the attempt found in its repository. Raises AutopackError where that cannot be read."""
    return read_packed_refs(pod.files.given_refs)


def own_refs(pod: Pod, given: Mapping[str, str]) -> dict[str, str]:
    """Return the ids of what the run's refs, its stash and its outbox name. Raises GitError.

    Left out is what was `given` and is unchanged, and what it has fetched from the mirror.
    """
    found = by_name(ask(pod.repo, *LIST))
    own = {name: sha for name, sha in found.items() if given.get(name) != sha}
    fetched = {sha for name, sha in own.items() if name.startswith(REMOTE)}
    made = missing_in(pod.mirror / "objects", pod.mirror, fetched)
    own = {name: sha for name, sha in own.items() if not name.startswith(REMOTE) or sha in made}
    refs = {name_in_bundle(name, sha): sha for name, sha in own.items() if name != _STASH}
    if _STASH in own:
        stash = ask(pod.repo, "log", "-g", "--format=%H", _STASH, check=False).text.split()
        refs |= {f"{EXTRA}stash/{position}": sha for position, sha in enumerate(stash)}
    return refs | {_checked(name, sha): sha for name, sha in pushed_refs(pod).items()}


def ask(git_dir: Path, *args: str, check: bool = True) -> GitResult:
    """Ask git about a git dir of the run's: no protocol is allowed, for a missing object would be fetched by one."""
    return run_git(args, git_dir=git_dir, check=check, protocols=(), timeout=_ASK_SECONDS)


def by_name(listed: GitResult) -> dict[str, str]:
    """Return what `LIST` printed: ids by the full names of refs."""
    return {name: sha for sha, name in (line.split(" ", 1) for line in listed.text.splitlines())}


def name_in_bundle(name: str, sha: str) -> str:
    """Return the name under which a ref of the run travels: branches as they are, all others below `refs/extra/`."""
    return _checked(name if name.startswith(HEADS) else EXTRA + name.removeprefix("refs/"), sha)


def _checked(name: str, sha: str) -> str:
    try:
        return check_ref(name)
    except InvalidInput:
        return f"{EXTRA}unnamed/{sha}"
