"""Git bundles: which refs one holds, and the names they have in it."""

from __future__ import annotations

from pathlib import Path

from autopack.errors import AutopackError
from autopack.git.refs import RUN_REFS, check_ref
from autopack.git.runner import run_git

HEADS = "refs/heads/"
EXTRA = "refs/extra/"
"""Where refs that are no branches travel: tags, notes and every entry of the stash, under their names after refs/."""
OUTBOX = "refs/outbox/"
"""Where branches travel that the run pushed to its remote `origin`."""
KEPT = "refs/autopack-kept"
"""Where the commit travels that holds what no ref of the run leads to: what was staged, states in progress, inner
repositories.
"""
UNCOMMITTED = "Uncommitted files of "
"""How the message of a commit begins that keeps what a run had not committed."""
MAX_REFS = 10_000


def list_heads(bundle: Path) -> dict[str, str]:
    """Return the refs of a bundle and their ids; AutopackError (GitFailed, InvalidInput, TooManyRefs) if it is bad."""
    lines = run_git(["bundle", "list-heads", str(bundle)], cwd=bundle.parent).text.splitlines()
    if len(lines) > MAX_REFS:
        raise AutopackError("TooManyRefs", f"a bundle with more than {MAX_REFS} refs")
    pairs = (line.split(" ", 1) for line in lines)
    return {check_ref(name): sha for sha, name in pairs if name != "HEAD"}


def branches_of(refs: dict[str, str]) -> dict[str, str]:
    """Return the branches among refs, by their short names."""
    return {name.removeprefix(HEADS): sha for name, sha in refs.items() if name.startswith(HEADS)}


def snapshot_of(refs: dict[str, str]) -> str | None:
    """Return the commit of the uncommitted files among refs, if there is one."""
    return next((sha for name, sha in refs.items() if name.startswith(RUN_REFS)), None)
