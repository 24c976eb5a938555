"""What a run finds of its source: the remote `origin` with its branches, the tags, and a local branch to compare with.

All of it stands in the mirror, from which `git fetch origin` reads without a network. What a run pushes to `origin`
goes to its outbox.
"""

from __future__ import annotations

from typing import NamedTuple

from autopack.files import write_atomic
from autopack.git.bundles import HEADS
from autopack.git.config_text import quoted
from autopack.git.packed_refs import beside, packed_refs, read_ref_files
from autopack.git.worktree_entries import head_branch

from .pod import Pod

REMOTE = "refs/remotes/origin/"
_TAGS = "refs/tags/"
_USUAL = ("main", "master")


class Origin(NamedTuple):
    """The refs of the source by their names in a clone, its default branch, and the branch that the run is based on."""

    refs: dict[str, str]
    default: str | None
    base: str | None


def read_origin(pod: Pod) -> Origin:
    """Look into the mirror, while others may fetch into it. Raises AutopackError where its refs cannot be read."""
    found = read_ref_files(pod.mirror, HEADS, _TAGS)
    heads = {name.removeprefix(HEADS): sha for name, sha in found.items() if name.startswith(HEADS)}
    default = next((name for name in (head_branch(pod.mirror), *_USUAL) if name in heads), None)
    base = next((name for name in (pod.ref.removeprefix(HEADS), default) if name in heads), None)
    refs = {f"{REMOTE}{name}": sha for name, sha in heads.items()}
    refs |= {name: sha for name, sha in found.items() if name.startswith(_TAGS)}
    if default is not None:
        refs[f"{REMOTE}HEAD"] = heads[default]
    if base is not None:
        # Where the run began, and not where others have pushed it since. From a tag or an id, no branch began there.
        began_there = pod.ref in {"HEAD", base, f"{HEADS}{base}"}
        refs[f"{HEADS}{base}"] = pod.identity.base_sha if began_there else heads[base]
    return Origin(refs, default, base)


def settings_of(pod: Pod, origin: Origin) -> str:
    """Return the part of a run's git config that tells of its source."""
    text = (
        f'[remote "origin"]\n\turl = {quoted(pod.mirror)}\n\tpushurl = {quoted(pod.files.outbox)}\n'
        f"\tfetch = +refs/heads/*:{REMOTE}*\n[push]\n\tautoSetupRemote = true\n"
    )
    if origin.base is not None:
        text += f"[branch {quoted(origin.base)}]\n\tremote = origin\n\tmerge = {quoted(HEADS + origin.base)}\n"
    return text


def bring_origin(pod: Pod, origin: Origin) -> None:
    """Put the refs of the source beside those that the run has by now, and note them: they are no work of the run."""
    own = read_ref_files(pod.repo, HEADS, _TAGS)
    given = beside(origin.refs, [*own, f"{HEADS}{pod.identity.branch}"])
    write_atomic(pod.files.given_refs, packed_refs(given))
    symbolic = given.pop(f"{REMOTE}HEAD", None)
    (pod.repo / "packed-refs").write_bytes(packed_refs(own | given))
    if symbolic is not None:
        head = pod.repo / REMOTE / "HEAD"
        head.parent.mkdir(parents=True)
        head.write_text(f"ref: {REMOTE}{origin.default}\n", "utf-8", "surrogateescape")
